#include "keys/sign.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

void sign_key_fini(struct sign_key *key)
{
	if (key->ops)
		key->ops->fini(key);
	*key = (struct sign_key){0};
}

void sign_wipe(struct buf *secret)
{
	if (secret->p)
		OPENSSL_cleanse(secret->p, secret->cap);
	buf_fini(secret);
}

int sign_bytes(const struct sign_key *key, struct str message, uint8_t out_sig[SIG_MAX],
	size_t *out_n, struct err *e)
{
	return key->ops->sign(key, message, out_sig, out_n, e);
}

static bool has_signed(const json_t *signatures, const char *keyid)
{
	const json_t *one;
	size_t i;

	json_array_foreach (signatures, i, one) {
		const char *id = json_string_value(json_object_get(one, "keyid"));

		if (id && strcmp(id, keyid) == 0)
			return true;
	}
	return false;
}

static int add_signature(
	json_t *signatures, const struct sign_key *key, struct str message, struct err *e)
{
	uint8_t sig[SIG_MAX];
	char hex[2 * SIG_MAX + 1];
	size_t n;

	TRY(sign_bytes(key, message, sig, &n, e));
	hex_encode(sig, n, hex);
	json_array_append_new(signatures, json_pack("{s:s, s:s}", "keyid", key->keyid, "sig", hex));
	return 0;
}

/* Signs and writes; `signatures` gets what is missing. */
static int finish(const json_t *signed_part, json_t *signatures, const struct sign_key *const *keys,
	unsigned n, struct buf *out, struct err *e)
{
	JSON_AUTO *file = NULL;
	BUF_AUTO message = {0};

	json_canonical(signed_part, &message);
	for (unsigned i = 0; i < n; i++)
		if (!has_signed(signatures, keys[i]->keyid))
			TRY(add_signature(signatures, keys[i], buf_str(&message), e));
	file = json_object();
	json_object_set(file, "signatures", signatures);
	json_object_set(file, "signed", (json_t *)signed_part);
	json_write(file, out);
	return 0;
}

int sign_meta(const json_t *signed_part, const struct sign_key *const *keys, unsigned n,
	struct buf *out, struct err *e)
{
	JSON_AUTO *signatures = json_array();

	return finish(signed_part, signatures, keys, n, out, e);
}

int sign_more(const json_t *file, const struct sign_key *const *keys, unsigned n, struct buf *out,
	struct err *e)
{
	JSON_AUTO *signatures = json_deep_copy(json_object_get(file, "signatures"));

	if (!json_is_array(signatures) || !json_is_object(json_object_get(file, "signed")))
		return err_set(e, ERR_BAD_INPUT, "not a metadata file");
	return finish(json_object_get(file, "signed"), signatures, keys, n, out, e);
}
