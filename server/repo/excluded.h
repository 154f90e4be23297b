/* Devices that a campaign selected, but did not take, and why. */
#ifndef SERVER_REPO_EXCLUDED_H
#define SERVER_REPO_EXCLUDED_H

#include "proto/wire/limits.h"
#include "server/db/db.h"

int excluded_add(struct db *db, const char *campaign, const char *device, const char *verdict,
	struct err *e) MUST_CHECK;
typedef int excluded_each_f(void *ctx, const char *device, const char *verdict, struct err *e);
int excluded_each(struct db *db, const char *campaign, excluded_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

/* Of a device: the campaigns that did not take it. */
int excluded_each_of(struct db *db, const char *device, excluded_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

#endif
