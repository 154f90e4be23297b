/* How releases fared at the gates that they had to pass, when that was looked at last. */
#ifndef SERVER_REPO_GATES_H
#define SERVER_REPO_GATES_H

#include "proto/wire/limits.h"
#include "server/db/db.h"

struct gate_verdict {
	char name[ID_TEXT_MAX]; /* of the gate, "" when its file is not known here */
	struct sha256 policy;   /* digest of the gate's file */
	bool met;
	char missing[2 * LIMIT_TEXT]; /* what is not met, "" when all is */
	ms_t judged;
};

/* In place of all that is kept of the release. */
int gates_put(struct db *db, const char *release_path, const struct gate_verdict *v, unsigned n,
	struct err *e) MUST_CHECK;

typedef int gates_each_f(void *ctx, const struct gate_verdict *v, struct err *e);
int gates_each(struct db *db, const char *release_path, gates_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

#endif
