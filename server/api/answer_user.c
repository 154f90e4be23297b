/* Users: who may ask. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "server/run/user.h"

static int add_user(void *ctx, const struct user_row *u, struct err *e UNUSED)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "name", u->name, "role", user_role_name(u->role),
		"created_by", u->created_by);

	answer_set_number(o, "created_ms", u->created);
	answer_set_number(o, "used_ms", u->used);
	if (u->expires)
		answer_set_number(o, "expires_ms", u->expires);
	if (u->revoked)
		answer_set_number(o, "revoked_ms", u->revoked);
	json_array_append_new(ctx, o);
	return 0;
}

int answer_USERS(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();

	TRY(users_each(a->db, add_user, list, e));
	answer_json(out, json_pack("{s:O}", "users", list));
	return 0;
}

static int read_user(const json_t *body, struct user_new *in, struct err *e)
{
	const char *names[USER_ROLE_MAX];
	uint64_t life = 0;
	unsigned role;

	for (enum user_role r = 0; r < USER_ROLE_MAX; r++)
		names[r] = user_role_name(r);
	TRY(json_id(body, "body", "name", in->name, e));
	TRY(json_choice(body, "body", "role", names, USER_ROLE_MAX, &role, e));
	TRY(json_u64_opt(body, "body", "life_ms", 1, LIMIT_TOKEN_LIFE_MS, &life, e));
	in->role = (enum user_role)role;
	in->life = (ms_t)life;
	return 0;
}

int answer_USER_ADD(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"name", "role", "life_ms", NULL};
	struct user_new in = {.life = 0};
	JSON_AUTO *body = NULL;
	char token[TOKEN_TEXT];

	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(read_user(body, &in, e));
	snprintf(in.by, sizeof in.by, "%s", a->user.name);
	TRY(user_add(a->run, &in, token, e));
	out->status = 201;
	answer_json(out, json_pack("{s:s, s:s, s:s}", "name", in.name, "role",
				 user_role_name(in.role), "token", token));
	return 0;
}

int answer_USER_REVOKE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	char name[ID_TEXT_MAX];

	TRY(answer_id(rq, 0, "user", name, e));
	TRY(user_revoke(a->run, name, a->user.name, e));
	answer_json(out, json_pack("{s:s, s:b}", "name", name, "revoked", 1));
	return 0;
}
