/* Products for which no campaign may start. */
#ifndef SERVER_REPO_CHANNELS_H
#define SERVER_REPO_CHANNELS_H

#include "proto/wire/limits.h"
#include "server/db/db.h"

struct channel_row {
	char product[LIMIT_TARGET_NAME];
	ms_t frozen;
	char by[ID_TEXT_MAX];
	struct camp_id campaign; /* that led to it, or "" */
	char why[LIMIT_TEXT];
};

/* The first reason stays. */
int channels_add(struct db *db, const struct channel_row *c, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND: it is not frozen. */
int channels_get(
	struct db *db, const char *product, struct channel_row *out, struct err *e) MUST_CHECK;
int channels_remove(struct db *db, const char *product, struct err *e) MUST_CHECK;
typedef int channels_each_f(void *ctx, const struct channel_row *c, struct err *e);
int channels_each(struct db *db, channels_each_f *each, void *ctx, struct err *e) MUST_CHECK;

#endif
