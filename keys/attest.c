#include "keys/attest.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/dsse.h"
#include "proto/trust/meta.h"
#include "proto/wire/base64.h"

/* ---- statements ---- */

static json_t *digest_set(const struct sha256 *digest)
{
	char hex[SHA256_TEXT];

	sha256_format(digest, hex);
	return json_pack("{s:s}", "sha256", hex);
}

static int check(struct str statement, struct err *e)
{
	STATEMENT_AUTO s = {.n_subjects = 0};

	return statement_parse(statement, &s, e);
}

int attest_write(const char *type, const struct attest_subject *subjects, unsigned n,
	struct str predicate, struct buf *out, struct err *e)
{
	JSON_AUTO *list = json_array(), *type_text = json_string(type);
	BUF_AUTO text = {0};

	if (!type_text)
		return err_set(e, ERR_BAD_INPUT, "a predicate type that is no UTF-8");
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:o}", "name", subjects[i].name,
						    "digest", digest_set(&subjects[i].digest)));
	buf_add_str(&text, "{\"_type\":\"" STATEMENT_TYPE "\",\"subject\":");
	json_write(list, &text);
	buf_add_str(&text, ",\"predicateType\":");
	json_write(type_text, &text);
	buf_add_str(&text, ",\"predicate\":");
	buf_add(&text, predicate.p, predicate.n);
	buf_add_str(&text, "}\n");
	TRY(check(buf_str(&text), e));
	buf_add(out, text.p, text.n);
	return 0;
}

/* ---- envelopes ---- */

static json_t *base64_text(struct str bytes)
{
	BUF_AUTO text = {0};

	base64_encode(bytes, &text);
	return json_stringn((const char *)text.p, text.n);
}

static int add_signature(
	json_t *list, const struct sign_key *key, struct str message, struct err *e)
{
	uint8_t sig[SIG_MAX];
	size_t n;

	TRY(sign_bytes(key, message, sig, &n, e));
	json_array_append_new(list, json_pack("{s:s, s:o}", "keyid", key->keyid, "sig",
					    base64_text((struct str){(const char *)sig, n})));
	return 0;
}

static bool has_keyid(const json_t *list, const char *keyid)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *is = json_string_value(json_object_get(one, "keyid"));

		if (is && strcmp(is, keyid) == 0)
			return true;
	}
	return false;
}

/* `list` holds the signatures so far, and gets the missing ones. */
static int finish(struct str statement, json_t *list, const struct sign_key *const *keys,
	unsigned n, struct buf *out, struct err *e)
{
	JSON_AUTO *envelope = NULL;
	BUF_AUTO message = {0};

	TRY(check(statement, e));
	dsse_pae(STR(DSSE_IN_TOTO), statement, &message);
	for (unsigned i = 0; i < n; i++)
		if (!has_keyid(list, keys[i]->keyid))
			TRY(add_signature(list, keys[i], buf_str(&message), e));
	if (json_array_size(list) > LIMIT_ENVELOPE_SIGS)
		return err_set(e, ERR_TOO_LARGE, "more than %d signatures", LIMIT_ENVELOPE_SIGS);
	envelope = json_pack("{s:o, s:s, s:O}", "payload", base64_text(statement), "payloadType",
		DSSE_IN_TOTO, "signatures", list);
	json_write(envelope, out);
	buf_add_char(out, '\n');
	return 0;
}

int attest_sign(struct str statement, const struct sign_key *const *keys, unsigned n,
	struct buf *out, struct err *e)
{
	JSON_AUTO *list = json_array();

	return finish(statement, list, keys, n, out, e);
}

int attest_sign_more(struct str envelope, const struct sign_key *const *keys, unsigned n,
	struct buf *out, struct err *e)
{
	JSON_AUTO *j = NULL, *list = NULL;
	DSSE_AUTO d = {.n = 0};

	TRY(dsse_parse(envelope, LIMIT_ENVELOPE_BYTES, &d, e));
	TRY(json_read(envelope, LIMIT_ENVELOPE_BYTES, &j, e));
	list = json_deep_copy(json_object_get(j, "signatures"));
	return finish(buf_str(&d.payload), list, keys, n, out, e);
}

/* ---- summaries ---- */

static json_t *inputs_of(const struct attest_summary *s)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < s->n_inputs; i++)
		json_array_append_new(
			list, json_pack("{s:o}", "digest", digest_set(&s->inputs[i])));
	return list;
}

/* "verifiedLevels" is demanded by the specification; levels of others than SLSA may stand there. */
void attest_summary(const struct attest_summary *s, struct buf *out)
{
	char verifier[128], gate[128], level[128], now[21];
	JSON_AUTO *j = NULL;

	snprintf(verifier, sizeof verifier, "urn:backstay:verifier:%s", s->verifier);
	snprintf(gate, sizeof gate, "urn:backstay:gate:%s", s->gate);
	snprintf(level, sizeof level, "GATE_%s", s->gate);
	time_format(s->now_s, now);
	j = json_pack("{s:{s:s}, s:s, s:s, s:{s:s, s:o}, s:o, s:s, s:[s]}", "verifier", "id",
		verifier, "timeVerified", now, "resourceUri", s->path, "policy", "uri", gate,
		"digest", digest_set(&s->policy), "inputAttestations", inputs_of(s),
		"verificationResult", "PASSED", "verifiedLevels", level);
	json_write(j, out);
}
