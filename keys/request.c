#include "keys/request.h"

#include <stdio.h>
#include <string.h>

#include "keys/repo.h"
#include "proto/wire/path.h"
#include "proto/wire/release.h"

#define TYPE   "release-request"
#define FORMAT 1

/* ---- writing ---- */

static json_t *texts_of(unsigned n, const char (*texts)[ID_TEXT_MAX])
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, json_string(texts[i]));
	return list;
}

static json_t *part_of(const char *path, struct str document, const struct release_terms *terms,
	const struct sign_key *key)
{
	char hex[SHA256_TEXT];
	struct sha256 digest;
	json_t *part;

	digest_of(document.p, document.n, &digest);
	sha256_format(&digest, hex);
	part = json_pack("{s:s, s:i, s:s, s:I, s:s, s:o, s:I, s:o, s:o}", "_type", TYPE, "format",
		FORMAT, "path", path, "length", (json_int_t)document.n, "sha256", hex, "hardware",
		texts_of(terms->n_hardware, terms->hardware), "counter", (json_int_t)terms->counter,
		"rollbackTo",
		texts_of(terms->n_rollback_to, (const char(*)[ID_TEXT_MAX])terms->rollback_to),
		"creator", sign_key_public(key));
	if (terms->evidence.n)
		repo_set_evidence(part, terms->evidence);
	return part;
}

int request_encode(struct str document, const struct release_terms *terms,
	const struct sign_key *key, struct buf *out, struct err *e)
{
	CLEANUP(mem_free) struct release *r = mem_new(sizeof *r);
	char path[LIMIT_TARGET_NAME];
	JSON_AUTO *part = NULL;

	TRY(release_parse(document, r, e));
	snprintf(path, sizeof path, "%s/%s.json", r->product, r->id.s);
	part = part_of(path, document, terms, key);
	return sign_meta(part, &key, 1, out, e);
}

/* ---- reading ---- */

static int read_ids(const json_t *o, const char *key, unsigned max, char (*out)[ID_TEXT_MAX],
	unsigned *out_n, struct err *e)
{
	const json_t *list, *one;
	size_t i;

	TRY(json_arr(o, "request", key, max, &list, e));
	json_array_foreach (list, i, one) {
		if (!json_is_string(one))
			return err_set(e, ERR_BAD_INPUT, "request.%s: not text", key);
		TRY(id_parse((struct str){json_string_value(one), json_string_length(one)}, key,
			out[i], e));
	}
	*out_n = (unsigned)json_array_size(list);
	return 0;
}

static int read_terms(const json_t *o, struct release_terms *out, struct err *e)
{
	TRY(read_ids(o, "hardware", LIMIT_HARDWARE_IDS, out->hardware, &out->n_hardware, e));
	if (out->n_hardware == 0)
		return err_set(e, ERR_BAD_INPUT, "request.hardware: empty");
	TRY(json_u64(o, "request", "counter", 1, (1ULL << 53) - 1, &out->counter, e));
	return read_ids(o, "rollbackTo", LIMIT_ROLLBACK_TO, (char(*)[ID_TEXT_MAX])out->rollback_to,
		&out->n_rollback_to, e);
}

static int read_key(const json_t *o, struct pub_key *out, struct err *e)
{
	const json_t *key, *value;
	char keytype[48], scheme[48], pem[SIG_PEM_MAX];

	TRY(json_obj(o, "request", "creator", &key, e));
	TRY(json_text(key, "request.creator", "keytype", keytype, sizeof keytype, e));
	TRY(json_text(key, "request.creator", "scheme", scheme, sizeof scheme, e));
	TRY(json_obj(key, "request.creator", "keyval", &value, e));
	if (!json_is_string(json_object_get(value, "public")))
		return err_set(e, ERR_BAD_INPUT, "request.creator: no public key");
	TRY(str_copy(
		str_of(json_string_value(json_object_get(value, "public"))), pem, sizeof pem, e));
	return pub_key_parse(keytype, scheme, pem, out, e);
}

static int read_part(const json_t *part, struct request *out, struct err *e)
{
	static const char *const known[] = {"_type", "format", "path", "length", "sha256",
		"hardware", "counter", "rollbackTo", "creator", "evidence", NULL};
	char type[32];
	uint64_t format;

	TRY(json_text(part, "request", "_type", type, sizeof type, e));
	TRY(json_u64(part, "request", "format", FORMAT, FORMAT, &format, e));
	if (strcmp(type, TYPE) != 0)
		return err_set(e, ERR_BAD_INPUT, "request._type: \"%s\"", type);
	TRY(json_only(part, "request", known, e));
	TRY(json_text(part, "request", "path", out->path, sizeof out->path, e));
	TRY(path_check(str_of(out->path), sizeof out->path - 1, e));
	TRY(json_u64(part, "request", "length", 1, LIMIT_RELEASE_BYTES, &out->length, e));
	TRY(json_digest(part, "request", "sha256", &out->document, e));
	TRY(read_terms(part, &out->terms, e));
	TRY(evidence_list(part, &out->terms.evidence, e));
	TRY(read_key(part, &out->creator, e));
	out->terms.creator = out->creator.spki;
	return 0;
}

/* Its one signature, by the key that it names. */
static int check_signature(
	const json_t *file, const json_t *part, const struct pub_key *key, struct err *e)
{
	const json_t *list;
	uint8_t sig[SIG_MAX];
	char hex[2 * SIG_MAX + 1];
	BUF_AUTO message = {0};
	size_t n;

	TRY(json_arr(file, "request", "signatures", 1, &list, e));
	TRY(json_text(json_array_get(list, 0), "request.signatures[0]", "sig", hex, sizeof hex, e));
	n = strlen(hex) / 2;
	TRY(hex_decode(str_of(hex), sig, n, e));
	json_canonical(part, &message);
	return sig_verify(key, buf_str(&message), sig, n, e);
}

int request_decode(struct str bytes, struct request *out, struct err *e)
{
	CLEANUP(mem_free) struct request *r = mem_new(sizeof *r);
	JSON_AUTO *file = NULL;
	const json_t *part;

	*r = (struct request){.length = 0};
	TRY(json_read(bytes, LIMIT_REQUEST_BYTES, &file, e));
	TRY(json_obj(file, "request", "signed", &part, e));
	TRY(read_part(part, r, e));
	TRY(check_signature(file, part, &r->creator, e));
	*out = *r;
	return 0;
}

int request_check_document(const struct request *r, struct str document, struct err *e)
{
	struct sha256 digest;

	digest_of(document.p, document.n, &digest);
	if (document.n != r->length || !sha256_eq(&digest, &r->document))
		return err_set(e, ERR_ALTERED,
			"the release document is not the one that the request is about");
	return 0;
}
