/* The names of the strata that a campaign's devices are judged in. */
#ifndef SERVER_REPO_STRATA_H
#define SERVER_REPO_STRATA_H

#include "server/db/db.h"

int strata_add(struct db *db, const char *campaign, unsigned n, const char *name,
	struct err *e) MUST_CHECK;

/* In order of their numbers. */
typedef int strata_each_f(void *ctx, unsigned n, const char *name, struct err *e);
int strata_each(struct db *db, const char *campaign, strata_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

#endif
