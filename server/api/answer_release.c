/* Releases. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/gates.h"
#include "server/repo/releases.h"
#include "server/run/publish.h"

static json_t *release_of(const struct release_row *r)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", r->id.s, "path", r->path,
		"product", r->product, "version", r->version, "counter", (json_int_t)r->counter);
	json_t *match;

	answer_set_digest(o, "digest", &r->digest);
	answer_set_text(o, "notes", r->notes);
	answer_set_number(o, "length", (int64_t)r->length);
	answer_set_number(o, "published_ms", r->published);
	if (json_read(buf_str(&r->match), r->match.n, &match, NULL) == 0)
		json_object_set_new(o, "match", match);
	return o;
}

static int add_gate(void *ctx, const struct gate_verdict *v, struct err *e UNUSED)
{
	json_t *o = json_pack("{s:s, s:b, s:I}", "name", v->name, "met", v->met, "judged_ms",
		(json_int_t)v->judged);

	answer_set_digest(o, "policy", &v->policy);
	answer_set_text(o, "missing", v->missing);
	json_array_append_new(ctx, o);
	return 0;
}

/* With how it fared at the gates that were demanded when that was looked at last. */
static int whole_release(struct api *a, const struct release_row *r, json_t **out, struct err *e)
{
	JSON_AUTO *gates = json_array();

	TRY(gates_each(a->db, r->path, add_gate, gates, e));
	*out = release_of(r);
	json_object_set(*out, "gates", gates);
	return 0;
}

struct releases {
	struct api *a;
	json_t *list;
};

static int add_release(void *ctx, const struct release_row *r, struct err *e)
{
	struct releases *all = ctx;
	json_t *o;

	TRY(whole_release(all->a, r, &o, e));
	json_array_append_new(all->list, o);
	return 0;
}

int answer_RELEASES(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();
	struct releases all = {a, list};

	TRY(releases_each(a->db, add_release, &all, e));
	answer_json(out, json_pack("{s:O}", "releases", list));
	return 0;
}

int answer_RELEASE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	RELEASE_ROW_AUTO r = {0};
	BUF_AUTO document = {0};
	char id[ID_TEXT_MAX];
	json_t *o;

	TRY(answer_id(rq, 0, "release", id, e));
	TRY(releases_get(a->db, id, &r, e));
	TRY(releases_document(a->db, &r.digest, &document, e));
	TRY(whole_release(a, &r, &o, e));
	json_object_set_new(o, "document", json_stringn((const char *)document.p, document.n));
	answer_json(out, o);
	return 0;
}

static int read_publish(const json_t *body, struct publish_in *in, struct err *e)
{
	const json_t *roles;

	TRY(json_text(body, "body", "path", in->path, sizeof in->path, e));
	TRY(answer_file(json_object_get(body, "document"), "document", &in->document, e));
	if (json_object_get(body, "root"))
		TRY(answer_file(json_object_get(body, "root"), "root", &in->root, e));
	TRY(json_obj(body, "body", "roles", &roles, e));
	return answer_role_files(roles, in->roles, &in->n_roles, e);
}

int answer_RELEASE_PUBLISH(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"path", "document", "roles", "root", "who", NULL};
	JSON_AUTO *body = NULL;
	struct publish_in in = {.n_roles = 0};
	struct sha256 digest;
	bool is_new;
	json_t *o;

	TRY(answer_body(rq, 8 * LIMIT_BODY_BYTES, known, &body, e));
	TRY(read_publish(body, &in, e));
	snprintf(in.who, sizeof in.who, "%s", a->user.name);
	TRY(publish_release(a->run, &in, &digest, &is_new, e));
	o = json_pack("{s:s, s:b}", "path", in.path, "new", is_new);
	answer_set_digest(o, "digest", &digest);
	answer_json(out, o);
	return 0;
}
