/* A release as it stands in records: what it is, and who vouched for it. */
#include "server/run/record_priv.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/dsse.h"
#include "proto/trust/evidence.h"
#include "proto/wire/base64.h"
#include "server/repo/approvals.h"
#include "server/repo/gates.h"
#include "server/repo/metadata.h"
#include "server/run/artifact.h"

/* ---- what it is ---- */

/* Members of the document that a record takes over as they stand (manifests/schema/release.md). */
static const char *const taken[] = {
	"components", "activation", "smoke", "soak_ms", "triggers", "preconditions"};

json_t *record_software(const struct release_row *row, struct str document)
{
	JSON_AUTO *doc = NULL;
	json_t *o = json_pack("{s:s, s:s, s:I, s:I}", "release", row->id.s, "path", row->path,
		"counter", (json_int_t)row->counter, "published_ms", (json_int_t)row->published);

	record_digest(o, "digest", &row->digest);
	record_text(o, "product", row->product);
	record_text(o, "version", row->version);
	record_text(o, "purpose", row->notes);
	record_json(o, "match", buf_str(&row->match));
	if (json_read(document, LIMIT_RELEASE_BYTES, &doc, NULL) < 0)
		return o;
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (json_object_get(doc, taken[i]))
			json_object_set(o, taken[i], json_object_get(doc, taken[i]));
	return o;
}

int record_software_of(struct run *r, const struct sha256 *digest, json_t **out, struct err *e)
{
	RELEASE_ROW_AUTO row = {0};
	BUF_AUTO document = {0};
	int rc = releases_by_digest(r->c.db, digest, &row, e);

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	TRY(releases_document(r->c.db, digest, &document, e));
	*out = record_software(&row, buf_str(&document));
	return 0;
}

/* ---- who vouched for it ---- */

struct vouching {
	struct run *r;
	const struct release_row *row;
	json_t *list;
	json_t *record;
};

static bool lists(const json_t *file, const struct release_row *row)
{
	const json_t *target = json_object_get(
		json_object_get(json_object_get(file, "signed"), "targets"), row->path);
	const char *hash =
		json_string_value(json_object_get(json_object_get(target, "hashes"), "sha256"));
	char hex[SHA256_TEXT];

	sha256_format(&row->digest, hex);
	return hash && strcmp(hash, hex) == 0;
}

/* A role whose newest file lists this very document, with the keys that signed it. */
static int add_role(void *ctx, const char *role, const struct meta_row *m, struct err *e UNUSED)
{
	struct vouching *v = ctx;
	JSON_AUTO *file = NULL;
	json_t *keys, *o;
	const json_t *sig;
	size_t i;

	if (json_read(buf_str(&m->bytes), m->bytes.n, &file, NULL) < 0 || !lists(file, v->row))
		return 0;
	keys = json_array();
	json_array_foreach (json_object_get(file, "signatures"), i, sig)
		json_array_append(keys, json_object_get(sig, "keyid"));
	o = json_pack(
		"{s:s, s:I, s:o}", "role", role, "version", (json_int_t)m->version, "keys", keys);
	record_number(o, "expires_ms", m->expires_s * 1000);
	json_array_append_new(v->list, o);
	return 0;
}

static int add_approval(void *ctx, const struct approval_row *a, struct err *e UNUSED)
{
	json_t *o = json_pack(
		"{s:s, s:s, s:I}", "role", a->role, "by", a->who, "at_ms", (json_int_t)a->at);

	record_digest(o, "document", &a->document);
	json_array_append_new(ctx, o);
	return 0;
}

static int add_gate(void *ctx, const struct gate_verdict *g, struct err *e UNUSED)
{
	json_t *o = json_pack("{s:s, s:b, s:I}", "gate", g->name, "met", (int)g->met, "judged_ms",
		(json_int_t)g->judged);

	record_digest(o, "policy", &g->policy);
	record_text(o, "missing", g->missing);
	json_array_append_new(ctx, o);
	return 0;
}

/* ---- evidence ---- */

/* What an envelope says; who signed it was checked when it was published. NULL: it is not here or
 * not to be read. */
static json_t *predicate_of(struct run *r, const struct evidence_ref *ref)
{
	STATEMENT_AUTO s = {0};
	BUF_AUTO bytes = {0}, payload = {0};
	JSON_AUTO *envelope = NULL;
	const char *text;

	if (artifact_read(r->c.artifacts, &ref->hash, (size_t)ref->length, &bytes, NULL) < 0 ||
		json_read(buf_str(&bytes), LIMIT_ENVELOPE_BYTES, &envelope, NULL) < 0)
		return NULL;
	text = json_string_value(json_object_get(envelope, "payload"));
	if (!text || base64_decode(str_of(text), &payload, NULL) < 0 ||
		statement_parse(buf_str(&payload), &s, NULL) < 0)
		return NULL;
	return json_incref((json_t *)s.predicate);
}

static void add_evidence(struct vouching *v, const struct evidence_ref *ref)
{
	JSON_AUTO *predicate = predicate_of(v->r, ref);
	enum predicate kind = predicate_by_type(str_of(ref->type));
	json_t *o = json_pack("{s:s, s:s, s:I}", "kind", predicate_name(kind), "type", ref->type,
		"length", (json_int_t)ref->length);

	record_digest(o, "digest", &ref->hash);
	if (predicate)
		json_object_set(o, "predicate", predicate);
	json_array_append_new(v->list, o);
	if (kind == PREDICATE_UPDATE && predicate)
		json_object_set(v->record, "update_record", predicate);
}

static int add_all_evidence(struct vouching *v, struct err *e)
{
	struct evidence_list *named CLEANUP(mem_free) = mem_new(sizeof *named);
	JSON_AUTO *match = NULL;

	TRY(json_read(buf_str(&v->row->match), v->row->match.n, &match, e));
	TRY(evidence_list(match, named, e));
	for (unsigned i = 0; i < named->n; i++)
		add_evidence(v, &named->v[i]);
	return 0;
}

static json_t *new_list(json_t *record, const char *key)
{
	json_t *list = json_array();

	json_object_set_new(record, key, list);
	return list;
}

int record_vouching(struct run *r, const struct release_row *row, json_t *record, struct err *e)
{
	struct vouching v = {r, row, new_list(record, "signatures"), record};
	struct db *db = r->c.db;

	TRY(metadata_each(db, REPO_IMAGE, add_role, &v, e));
	TRY(approvals_each(db, row->path, add_approval, new_list(record, "approvals"), e));
	TRY(gates_each(db, row->path, add_gate, new_list(record, "gates"), e));
	v.list = new_list(record, "evidence");
	return add_all_evidence(&v, e);
}
