#include <string.h>

#include "proto/trust/meta_priv.h"

static int keyids_check(const json_t *keyids, const char *where, struct err *e)
{
	const json_t *one;
	size_t i;

	json_array_foreach (keyids, i, one) {
		if (!json_is_string(one))
			return err_set(e, ERR_BAD_INPUT, "%s.keyids[%zu]: not text", where, i);
		for (size_t k = 0; k < i; k++)
			if (json_equal(one, json_array_get(keyids, k)))
				return err_set(
					e, ERR_BAD_INPUT, "%s.keyids[%zu]: stands twice", where, i);
	}
	return 0;
}

int signers_read(const json_t *keys, const json_t *role, const char *where, struct signers *out,
	struct err *e)
{
	struct signers s = {.keys = keys};

	TRY(json_arr(role, where, "keyids", LIMIT_KEYS, &s.keyids, e));
	TRY(keyids_check(s.keyids, where, e));
	TRY(json_u64(role, where, "threshold", 1, META_VERSION_MAX, &s.threshold, e));
	*out = s;
	return 0;
}

static const json_t *delegations_of(const struct meta *m)
{
	return json_object_get(m->signed_part, "delegations");
}

const json_t *role_find(const struct meta *delegator, const char *name)
{
	const json_t *roles, *one;
	size_t i;

	if (delegator->kind == ROLE_ROOT)
		return json_object_get(json_object_get(delegator->signed_part, "roles"), name);
	roles = json_object_get(delegations_of(delegator), "roles");
	json_array_foreach (roles, i, one) {
		const char *is = json_string_value(json_object_get(one, "name"));

		if (is && strcmp(is, name) == 0)
			return one;
	}
	return NULL;
}

int signers_find(const struct meta *delegator, const char *role, struct signers *out, struct err *e)
{
	const json_t *found = role_find(delegator, role);
	const json_t *keys_in =
		delegator->kind == ROLE_ROOT ? delegator->signed_part : delegations_of(delegator);

	if (!found)
		return err_set(e, ERR_UNSIGNED, "%s: %s knows no such role", role,
			role_kind_name(delegator->kind));
	return signers_read(json_object_get(keys_in, "keys"), found, role, out, e);
}

bool signers_has(const struct signers *s, const char *keyid)
{
	const json_t *one;
	size_t i;

	json_array_foreach (s->keyids, i, one) {
		if (strcmp(json_string_value(one), keyid) == 0)
			return true;
	}
	return false;
}

bool signers_key(const struct signers *s, const char *keyid, struct pub_key *out)
{
	const json_t *key = json_object_get(s->keys, keyid);
	const char *type = json_string_value(json_object_get(key, "keytype"));
	const char *scheme = json_string_value(json_object_get(key, "scheme"));
	const char *pem =
		json_string_value(json_object_get(json_object_get(key, "keyval"), "public"));

	return type && scheme && pem && pub_key_parse(type, scheme, pem, out, NULL) == 0;
}

static bool seen(const struct sha256 *set, unsigned n, const struct sha256 *one)
{
	for (unsigned i = 0; i < n; i++)
		if (sha256_eq(&set[i], one))
			return true;
	return false;
}

static bool signature_holds(const struct meta *m, const struct pub_key *key, const char *hex)
{
	uint8_t sig[SIG_MAX];
	size_t n = strlen(hex) / 2;

	return n <= sizeof sig && hex_decode(str_of(hex), sig, n, NULL) == 0 &&
	       sig_verify(key, buf_str(&m->signed_bytes), sig, n, NULL) == 0;
}

/* Counted are public keys, not key ids: one key under two ids, or with two signatures, is one
 * person. */
int signers_check(const struct signers *s, const struct meta *m, const char *role, struct err *e)
{
	const json_t *one, *list = json_object_get(m->doc, "signatures");
	struct sha256 counted[LIMIT_SIGNATURES];
	struct pub_key key;
	unsigned n = 0;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *keyid = json_string_value(json_object_get(one, "keyid"));
		const char *hex = json_string_value(json_object_get(one, "sig"));

		if (!signers_has(s, keyid) || !signers_key(s, keyid, &key) ||
			seen(counted, n, &key.spki) || !signature_holds(m, &key, hex))
			continue;
		counted[n++] = key.spki;
		if (n >= s->threshold)
			return 0;
	}
	return err_set(e, ERR_UNSIGNED, "%s: %u of %llu signatures", role, n,
		(unsigned long long)s->threshold);
}

int meta_check_signatures(
	const struct meta *m, const struct meta *delegator, const char *role, struct err *e)
{
	struct signers s;

	TRY(signers_find(delegator, role, &s, e));
	return signers_check(&s, m, role, e);
}

int meta_role_keys(const struct meta *delegator, const char *role,
	struct sha256 out_spki[LIMIT_KEYS], unsigned *out_n, struct err *e)
{
	const json_t *one;
	struct pub_key key;
	struct signers s;
	unsigned n = 0;
	size_t i;

	TRY(signers_find(delegator, role, &s, e));
	json_array_foreach (s.keyids, i, one) {
		if (signers_key(&s, json_string_value(one), &key) && !seen(out_spki, n, &key.spki))
			out_spki[n++] = key.spki;
	}
	*out_n = n;
	return 0;
}
