/* Approvals of releases, under the name that a token says. */
#include "server/api/api_priv.h"

#include "server/run/approval.h"

int answer_RELEASE_APPROVE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"path", "digest", "role", "file", NULL};
	struct approval_in in = {.who = a->user.name};
	JSON_AUTO *body = NULL;
	char role[ID_TEXT_MAX];

	TRY(answer_body(rq, 2 * LIMIT_BODY_BYTES, known, &body, e));
	TRY(json_text(body, "body", "path", in.path, sizeof in.path, e));
	TRY(json_id(body, "body", "role", role, e));
	TRY(str_copy(str_of(role), in.role, sizeof in.role, e));
	TRY(json_digest(body, "body", "digest", &in.document, e));
	TRY(answer_file(json_object_get(body, "file"), "file", &in.file, e));
	TRY(approval_record(a->run, &in, e));
	answer_json(
		out, json_pack("{s:s, s:s, s:s}", "path", in.path, "role", in.role, "who", in.who));
	return 0;
}
