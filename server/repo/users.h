/* People and scripts that may ask, each with a token. The store never holds a token, only its
 * SHA-256: a token is 256 random bits, so there is nothing to guess and a slow hash would only slow
 * the server. */
#ifndef SERVER_REPO_USERS_H
#define SERVER_REPO_USERS_H

#include "server/core/user_role.h"
#include "server/db/db.h"

struct user_row {
	char name[ID_TEXT_MAX];
	enum user_role role; /* USER_ROLE_MAX: of a newer program; opens nothing */
	struct sha256 token;
	ms_t created;
	char created_by[ID_TEXT_MAX];
	ms_t expires, revoked, used; /* 0: never */
};

/* ERR_NOT_FOUND. */
int users_get(struct db *db, const char *name, struct user_row *out, struct err *e) MUST_CHECK;
/* Adds or replaces. */
int users_put(struct db *db, const struct user_row *u, struct err *e) MUST_CHECK;

/* In order of name. */
typedef int users_each_f(void *ctx, const struct user_row *u, struct err *e);
int users_each(struct db *db, users_each_f *each, void *ctx, struct err *e) MUST_CHECK;

#endif
