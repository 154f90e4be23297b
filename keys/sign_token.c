/* Keys in PKCS#11 tokens: they get digests, and give signatures. */
#include <openssl/ecdsa.h>
#include <string.h>

#include "keys/sign_priv.h"
#include "keys/token.h"

static void sig_release(ECDSA_SIG **s)
{
	ECDSA_SIG_free(*s);
}

/* PKCS#11 gives r and s bare and of the curve's width, metadata wants DER. */
static int to_der(uint8_t sig[SIG_MAX], size_t *io_n, struct err *e)
{
	CLEANUP(sig_release) ECDSA_SIG *pair = ECDSA_SIG_new();
	size_t half = *io_n / 2;
	uint8_t *at = sig;
	int n;

	if (!pair || ECDSA_SIG_set0(pair, BN_bin2bn(sig, (int)half, NULL),
			     BN_bin2bn(sig + half, (int)half, NULL)) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot take a signature");
	n = i2d_ECDSA_SIG(pair, &at); /* at most nine bytes longer, and SIG_MAX is ample */
	if (n <= 0)
		return err_set(e, ERR_BUG, "libcrypto cannot encode a signature");
	*io_n = (size_t)n;
	return 0;
}

static size_t bare_size(enum sig_scheme scheme)
{
	return scheme == SIG_ECDSA_P256 ? 64 : scheme == SIG_ECDSA_P384 ? 96 : 0;
}

static int sign(const struct sign_key *key, struct str message, uint8_t out_sig[SIG_MAX],
	size_t *out_n, struct err *e)
{
	uint8_t digest[EVP_MAX_MD_SIZE], sig[SIG_MAX];
	size_t want = bare_size(key->pub.scheme), n = 0;
	unsigned digest_n;

	if (EVP_Digest(message.p, message.n, digest, &digest_n, sign_hash(key->pub.scheme), NULL) !=
		1)
		return err_set(e, ERR_BUG, "libcrypto cannot hash");
	if (token_sign(key->self, key->pub.scheme, (struct str){(char *)digest, digest_n}, sig, &n,
		    e) < 0)
		return err_wrap(e, "%s", key->name);
	if (want && n != want)
		return err_set(e, ERR_IO, "%s: the token gives a signature of %zu bytes, not %zu",
			key->name, n, want);
	if (want)
		TRY(to_der(sig, &n, e));
	memcpy(out_sig, sig, n);
	*out_n = n;
	return 0;
}

static void fini(struct sign_key *key)
{
	struct token *t = key->self;

	token_close(&t);
}

static const struct sign_ops token_ops = {sign, fini};

/* Does the private key belong to the public one, and can the token sign with it? */
static int try_out(const struct sign_key *key, struct err *e)
{
	const struct str message = STR("backstay: does this token sign?");
	uint8_t sig[SIG_MAX];
	size_t n;

	TRY(sign(key, message, sig, &n, e));
	if (sig_verify(&key->pub, message, sig, n, e) < 0)
		return err_wrap(e, "%s: the token's keys do not belong together", key->name);
	return 0;
}

static int describe(struct token *t, const char *name, struct sign_key *out, struct err *e)
{
	CLEANUP(pkey_release) EVP_PKEY *public = NULL;

	TRY(token_public(t, &public, e));
	return sign_key_describe(public, name, out, e);
}

int sign_key_token(
	const char *name, struct str uri, struct str pin, struct sign_key *out, struct err *e)
{
	CLEANUP(token_close) struct token *t = NULL;
	struct sign_key key;

	if (token_open(uri, pin, &t, e) < 0 || describe(t, name, &key, e) < 0)
		return err_wrap(e, "%s", name);
	key.ops = &token_ops;
	key.self = t;
	TRY(try_out(&key, e));
	t = NULL;
	*out = key;
	return 0;
}
