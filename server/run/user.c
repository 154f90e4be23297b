#include "server/run/user.h"

#include <stdio.h>
#include <string.h>

#include "server/run/run_priv.h"

#define USED_GRAIN MINUTE(1) /* so that a script that asks all the time costs no sync each time */

static bool is_good(const struct run *r, const struct user_row *u)
{
	return !u->revoked && (!u->expires || run_now(r) < u->expires);
}

/* One transaction: the row and the sentence that goes with it. */
static int put_said(struct run *r, const struct user_row *u, const char *by, const char *what,
	const char *text, struct err *e)
{
	TRY(users_put(r->c.db, u, e));
	return run_audit(r, NULL, by, what, "", text, e);
}

static int put(struct run *r, const struct user_row *u, const char *by, const char *what,
	const char *text, struct err *e)
{
	TRY(run_begin(r, e));
	return run_end(r, put_said(r, u, by, what, text, e), e);
}

int user_add(struct run *r, const struct user_new *in, char out_token[TOKEN_TEXT], struct err *e)
{
	struct user_row old, u = {.role = in->role, .created = run_now(r)};
	char token[TOKEN_TEXT], text[LIMIT_TEXT];
	int rc = users_get(r->c.db, in->name, &old, e);

	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	if (rc == 0 && is_good(r, &old))
		return err_set(e, ERR_CONFLICT,
			"there is a user %s already; revoke it before it is made anew", in->name);
	snprintf(u.name, sizeof u.name, "%s", in->name);
	snprintf(u.created_by, sizeof u.created_by, "%s", in->by);
	u.expires = in->life ? u.created + in->life : 0;
	token_new(in->name, token, &u.token);
	snprintf(text, sizeof text, "%s is now a user, as %s", in->name, user_role_name(in->role));
	TRY(put(r, &u, in->by, "user", text, e));
	memcpy(out_token, token, sizeof token);
	return 0;
}

/* ---- the last administrator ---- */

struct admins {
	const struct run *r;
	const char *without; /* not counted */
	unsigned n;
};

static int count_admin(void *ctx, const struct user_row *u, struct err *e UNUSED)
{
	struct admins *a = ctx;

	a->n += u->role == USER_ADMIN && is_good(a->r, u) && strcmp(u->name, a->without) != 0;
	return 0;
}

int user_has_admin(struct run *r, bool *out, struct err *e)
{
	struct admins a = {r, "", 0};

	TRY(users_each(r->c.db, count_admin, &a, e));
	*out = a.n > 0;
	return 0;
}

int user_revoke(struct run *r, const char *name, const char *by, struct err *e)
{
	struct admins rest = {r, name, 0};
	char text[LIMIT_TEXT];
	struct user_row u;

	TRY(users_get(r->c.db, name, &u, e));
	if (u.revoked)
		return 0;
	TRY(users_each(r->c.db, count_admin, &rest, e));
	if (u.role == USER_ADMIN && is_good(r, &u) && rest.n == 0)
		return err_set(e, ERR_CONFLICT,
			"%s is the last administrator; make another one first", name);
	u.revoked = run_now(r);
	snprintf(text, sizeof text, "the token of %s was revoked", name);
	return put(r, &u, by, "user", text, e);
}

/* ---- asking ---- */

static int note_use(struct run *r, struct user_row *u, struct err *e)
{
	if (run_now(r) - u->used < USED_GRAIN && u->used <= run_now(r))
		return 0;
	u->used = run_now(r);
	TRY(run_begin(r, e));
	return run_end(r, users_put(r->c.db, u, e), e);
}

int user_check(struct run *r, struct str token, struct user_row *out, struct err *e)
{
	char name[ID_TEXT_MAX];
	struct user_row u;
	int rc;

	TRY(token_name(token, USER_FIRST, name, e));
	rc = users_get(r->c.db, name, &u, e);
	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	if (rc < 0 || !token_is(token, &u.token))
		return err_set(e, ERR_DENIED, "nobody has this token");
	if (u.revoked)
		return err_set(e, ERR_REVOKED, "the token of %s was revoked", name);
	if (!is_good(r, &u))
		return err_set(e, ERR_EXPIRED, "the token of %s has expired", name);
	TRY(note_use(r, &u, e));
	*out = u;
	return 0;
}

int user_first(struct run *r, struct str token, struct err *e)
{
	struct user_row u = {.role = USER_ADMIN, .created = run_now(r)}, old;
	char name[ID_TEXT_MAX];
	int rc = users_get(r->c.db, USER_FIRST, &old, e);

	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	if (rc == 0 && token_is(token, &old.token))
		return 0;
	if (token_name(token, USER_FIRST, name, e) < 0 || strcmp(name, USER_FIRST) != 0)
		return err_set(e, ERR_CONFIG, "the token is not one of %s", USER_FIRST);
	snprintf(u.name, sizeof u.name, "%s", USER_FIRST);
	snprintf(u.created_by, sizeof u.created_by, "server");
	token_digest(token, &u.token);
	return put(r, &u, "server", "user",
		rc == 0 ? "the token of admin was replaced in the data folder"
			: "admin is the first user, as admin",
		e);
}
