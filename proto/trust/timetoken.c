#include "proto/trust/timetoken.h"

#include <stdlib.h>
#include <string.h>

#include "proto/trust/meta_priv.h"

int timetoken_nonce_parse(struct str text, char out[NONCE_TEXT], struct err *e)
{
	uint8_t bits[(NONCE_TEXT - 1) / 2];
	char again[NONCE_TEXT];

	if (hex_decode(text, bits, sizeof bits, NULL) < 0)
		return err_set(
			e, ERR_BAD_INPUT, "a nonce is %d hexadecimal digits", NONCE_TEXT - 1);
	hex_encode(bits, sizeof bits, again);
	if (!str_is(text, again))
		return err_set(e, ERR_BAD_INPUT, "a nonce is written in lower case");
	memcpy(out, again, sizeof again);
	return 0;
}

/* ---- who may sign ---- */

/* *out_has is false when the root asks for no tokens. */
static int signers_of(const struct meta *root, struct signers *out, bool *out_has, struct err *e)
{
	const json_t *role;

	*out_has = json_object_get(root->signed_part, TIMETOKEN_TYPE) != NULL;
	if (!*out_has)
		return 0;
	TRY(json_obj(root->signed_part, "root", TIMETOKEN_TYPE, &role, e));
	return signers_read(
		json_object_get(root->signed_part, "keys"), role, "root." TIMETOKEN_TYPE, out, e);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sha256));
}

/* The distinct public keys, in an order that does not depend on the file's. */
static unsigned public_keys(const struct signers *s, struct sha256 out[LIMIT_KEYS])
{
	struct sha256 all[LIMIT_KEYS] = {0};
	const json_t *one;
	struct pub_key key;
	unsigned n = 0, distinct = 0;
	size_t i;

	json_array_foreach (s->keyids, i, one) {
		if (signers_key(s, json_string_value(one), &key) && key.scheme != SIG_UNKNOWN)
			all[n++] = key.spki;
	}
	qsort(all, n, sizeof all[0], by_bytes);
	for (i = 0; i < n; i++)
		if (i == 0 || !sha256_eq(&all[i], &all[i - 1]))
			out[distinct++] = all[i];
	return distinct;
}

int timetoken_keys(const struct meta *root, struct sha256 *out, struct err *e)
{
	struct sha256 keys[LIMIT_KEYS];
	struct signers s;
	unsigned n;
	bool has;

	TRY(signers_of(root, &s, &has, e));
	if (!has) {
		memset(out, 0, sizeof *out);
		return 0;
	}
	n = public_keys(&s, keys);
	if (n < s.threshold)
		return err_set(e, ERR_BAD_INPUT,
			"root.%s: %u keys that can be used, %llu must sign", TIMETOKEN_TYPE, n,
			(unsigned long long)s.threshold);
	digest_of(keys, n * sizeof keys[0], out);
	return 0;
}

/* ---- what is signed ---- */

static int read_part(const json_t *part, struct timetoken *out, struct err *e)
{
	static const char *const known[] = {"_type", "device", "nonce", "time", "timestamp", NULL};
	static const char where[] = "time token";
	char type[32], time[32], nonce[NONCE_TEXT];
	struct timetoken t = {0};

	TRY(json_only(part, where, known, e));
	TRY(json_text(part, where, "_type", type, sizeof type, e));
	if (strcmp(type, TIMETOKEN_TYPE) != 0)
		return err_set(e, ERR_BAD_INPUT, "%s: its _type is %s", where, type);
	TRY(json_id(part, where, "device", t.device.s, e));
	TRY(json_text(part, where, "nonce", nonce, sizeof nonce, e));
	TRY(timetoken_nonce_parse(str_of(nonce), t.nonce, e));
	TRY(json_text(part, where, "time", time, sizeof time, e));
	if (time_parse(str_of(time), &t.time_s, e) < 0)
		return err_wrap(e, "%s", where);
	TRY(json_u64(part, where, "timestamp", 0, META_VERSION_MAX, &t.timestamp, e));
	*out = t;
	return 0;
}

static int check_question(
	const struct timetoken *t, const struct dev_id *device, const char *nonce, struct err *e)
{
	if (strcmp(t->device.s, device->s) != 0)
		return err_set(e, ERR_WRONG_DEVICE, "time token: made for device %s, this is %s",
			t->device.s, device->s);
	if (strcmp(t->nonce, nonce) != 0)
		return err_set(e, ERR_MIXED, "time token: the answer to another question");
	return 0;
}

int timetoken_verify(const struct meta *root, struct str bytes, const struct dev_id *device,
	const char nonce[NONCE_TEXT], struct timetoken *out, struct err *e)
{
	static const char *const known[] = {"signed", "signatures", NULL};
	CLEANUP(meta_fini) struct meta m = {0};
	struct timetoken t;
	struct signers s;
	bool has;

	TRY(signers_of(root, &s, &has, e));
	if (!has)
		return err_set(e, ERR_UNSIGNED, "time token: root names nobody who says the time");
	if (json_read(bytes, LIMIT_TIMETOKEN_BYTES, &m.doc, e) < 0)
		return err_wrap(e, "time token");
	TRY(json_only(m.doc, "time token", known, e));
	TRY(json_obj(m.doc, "time token", "signed", &m.signed_part, e));
	TRY(signatures_check(m.doc, "time token", e));
	json_canonical(m.signed_part, &m.signed_bytes);
	TRY(signers_check(&s, &m, "time token", e));
	TRY(read_part(m.signed_part, &t, e));
	TRY(check_question(&t, device, nonce, e));
	*out = t;
	return 0;
}
