/* Signed files that say who may sign. */
#include "server/api/api_priv.h"

#include <string.h>

#include "server/repo/metadata.h"
#include "server/run/adopt.h"

static int read_roots(const json_t *list, struct adopt_in *in, struct err *e)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		TRY(answer_file(one, "roots", &in->roots[in->n_roots++], e));
	return 0;
}

static int read_body(const json_t *body, struct adopt_in *in, struct err *e)
{
	static const char *const repos[] = {REPO_IMAGE, REPO_DIRECTOR};
	const json_t *roots, *roles;
	unsigned which = 0;

	TRY(json_choice(body, "body", "repo", repos, ARRAY_LEN(repos), &which, e));
	in->repo = repos[which];
	TRY(json_arr(body, "body", "roots", LIMIT_ROOT_ROTATIONS, &roots, e));
	TRY(read_roots(roots, in, e));
	TRY(json_obj(body, "body", "roles", &roles, e));
	return answer_role_files(roles, in->roles, &in->n_roles, e);
}

int answer_METADATA_ADOPT(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"repo", "roots", "roles", NULL};
	CLEANUP(mem_free) struct adopt_in *in = mem_new(sizeof *in);
	JSON_AUTO *body = NULL;
	unsigned stored;

	TRY(answer_body(rq, 8 * LIMIT_BODY_BYTES, known, &body, e));
	TRY(read_body(body, in, e));
	in->who = a->user.name;
	TRY(adopt_metadata(a->run, in, &stored, e));
	answer_json(out, json_pack("{s:s, s:i}", "repo", in->repo, "stored", (int)stored));
	return 0;
}
