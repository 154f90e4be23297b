/* What devices were, over time: a row whenever a device says that it is otherwise than before. Rows
 * are only added. */
#ifndef SERVER_REPO_CONFIGURATIONS_H
#define SERVER_REPO_CONFIGURATIONS_H

#include "proto/wire/limits.h"
#include "server/db/db.h"

struct configuration_row {
	uint64_t n;
	struct dev_id device;
	ms_t at;
	char source[16]; /* kind of the report that said so; "before": known when this was begun */
	uint64_t epoch, seq; /* of that report */
	char hardware[ID_TEXT_MAX], agent[32], labels[LIMIT_TEXT], slot[8];
	struct rel_id running;
	struct sha256 running_digest;
	uint64_t audit; /* the row of the audit log that binds it; 0: none */
};

int configurations_add(struct db *db, const struct configuration_row *c, struct err *e) MUST_CHECK;
/* The newest one at a moment; ERR_NOT_FOUND when none is known from then. */
int configurations_at(struct db *db, const char *device, ms_t at, struct configuration_row *out,
	struct err *e) MUST_CHECK;
/* Oldest first, those with n above `after`, at most `limit`. */
typedef int configurations_each_f(void *ctx, const struct configuration_row *c, struct err *e);
int configurations_each(struct db *db, const char *device, uint64_t after, unsigned limit,
	configurations_each_f *each, void *ctx, struct err *e) MUST_CHECK;

#endif
