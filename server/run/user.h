/* Who may ask: users, made and revoked by administrators. Each change is one transaction with an
 * audit row. */
#ifndef SERVER_RUN_USER_H
#define SERVER_RUN_USER_H

#include "server/repo/users.h"
#include "server/run/run.h"
#include "server/run/token.h"

#define USER_FIRST "admin" /* whose token the server makes for whoever has installed it */

struct user_new {
	char name[ID_TEXT_MAX];
	enum user_role role;
	ms_t life; /* until the token expires; 0: never */
	char by[ID_TEXT_MAX];
};

/* Makes a user; the token is told here, once. A user that is revoked or expired may be made anew;
 * ERR_CONFLICT when one of that name has a token that is good. */
int user_add(struct run *r, const struct user_new *in, char out_token[TOKEN_TEXT],
	struct err *e) MUST_CHECK;

/* The token is refused from now on. Repeating it changes nothing. ERR_NOT_FOUND; ERR_CONFLICT when
 * nobody would be left who can manage users. */
int user_revoke(struct run *r, const char *name, const char *by, struct err *e) MUST_CHECK;

/* Whose token it is. ERR_DENIED when it is nobody's; of a token that once was right, ERR_EXPIRED or
 * ERR_REVOKED. Notes when it was used, to the minute. */
int user_check(struct run *r, struct str token, struct user_row *out, struct err *e) MUST_CHECK;

/* Makes the token in the data folder that of USER_FIRST. It is an administrator's until it is
 * revoked; another token in the file makes a revoked one good again: who may write there owns the
 * store as well. */
int user_first(struct run *r, struct str token, struct err *e) MUST_CHECK;
/* Is there an administrator with a good token? */
int user_has_admin(struct run *r, bool *out, struct err *e) MUST_CHECK;

#endif
