/* Which user has approved which release as which party. */
#ifndef SERVER_REPO_APPROVALS_H
#define SERVER_REPO_APPROVALS_H

#include "proto/wire/limits.h"
#include "server/db/db.h"

struct approval_row {
	char path[LIMIT_TARGET_NAME]; /* "ocr/ocr-2.json" */
	char role[LIMIT_ROLE_NAME];
	char who[ID_TEXT_MAX];
	struct sha256 document;
	ms_t at;
};

/* Adds, or replaces what this user said of the path as this role. */
int approvals_put(struct db *db, const struct approval_row *a, struct err *e) MUST_CHECK;
/* As which role has `who` approved the path? ERR_NOT_FOUND. */
int approvals_role(struct db *db, const char *path, const char *who, char out[LIMIT_ROLE_NAME],
	struct err *e) MUST_CHECK;
/* How many users have approved this document as the role, `but` not counted. */
int approvals_count(struct db *db, const char *path, const char *role,
	const struct sha256 *document, const char *but, uint64_t *out, struct err *e) MUST_CHECK;

/* Of a path, in order of time. */
typedef int approvals_each_f(void *ctx, const struct approval_row *a, struct err *e);
int approvals_each(struct db *db, const char *path, approvals_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

#endif
