/* Signed statements of how far the audit log's chain has come (proto/trust/auditlog.h). */
#ifndef SERVER_REPO_CHECKPOINTS_H
#define SERVER_REPO_CHECKPOINTS_H

#include "lib/buf.h"
#include "server/db/db.h"

/* Of row `n`, as it was signed. */
int checkpoints_add(struct db *db, uint64_t n, ms_t at, struct str bytes, struct err *e) MUST_CHECK;

/* The row that the newest is about; 0: there is none. */
int checkpoints_newest(struct db *db, uint64_t *out_n, struct err *e) MUST_CHECK;

/* Oldest first, at most `limit` of rows above `after`. */
typedef int checkpoints_each_f(void *ctx, struct str bytes, struct err *e);
int checkpoints_each(struct db *db, uint64_t after, unsigned limit, checkpoints_each_f *each,
	void *ctx, struct err *e) MUST_CHECK;

#endif
