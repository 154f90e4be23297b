/* Every decision, human or automatic, as a row with a sentence for people. Rows are only added. */
#ifndef SERVER_REPO_AUDIT_H
#define SERVER_REPO_AUDIT_H

#include "proto/wire/limits.h"
#include "server/db/db.h"

struct audit_row {
	uint64_t n; /* given by audit_add */
	ms_t at;
	char who[ID_TEXT_MAX]; /* person, device, or "server" */
	char what[32];         /* kind of event: "moved", "publish", "register", ... */
	char campaign[ID_TEXT_MAX], device[ID_TEXT_MAX]; /* or "" */
	char text[2 * LIMIT_TEXT];
	struct sha256 policy; /* digest of the policy that applied, or zero */
	char engine[16];      /* what decided, or "" */
};

int audit_add(struct db *db, const struct audit_row *a, struct err *e) MUST_CHECK;

/* The n of the newest row; 0: there is none. */
int audit_newest(struct db *db, uint64_t *out, struct err *e) MUST_CHECK;

/* Oldest first, at most `limit` rows with n above `after`. */
typedef int audit_each_f(void *ctx, const struct audit_row *a, struct err *e);
int audit_each(struct db *db, uint64_t after, unsigned limit, audit_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

#endif
