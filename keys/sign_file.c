/* Keys in files: libcrypto has them in memory. */
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "keys/sign_priv.h"

#define RSA_BITS 3072 /* of a fresh key */

static void bio_release(BIO **b)
{
	BIO_free(*b);
}

static void md_release(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static bool start(EVP_MD_CTX *ctx, const struct sign_key *key)
{
	const EVP_MD *md = key->pub.scheme == SIG_ED25519 ? NULL : sign_hash(key->pub.scheme);
	EVP_PKEY_CTX *how;

	if (EVP_DigestSignInit(ctx, &how, md, NULL, key->self) != 1)
		return false;
	return key->pub.scheme != SIG_RSA_PSS_SHA256 ||
	       (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) > 0);
}

static int sign(const struct sign_key *key, struct str message, uint8_t out_sig[SIG_MAX],
	size_t *out_n, struct err *e)
{
	CLEANUP(md_release) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = SIG_MAX;

	if (!ctx || !start(ctx, key) ||
		EVP_DigestSign(ctx, out_sig, &n, (const uint8_t *)message.p, message.n) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot sign with %s", key->name);
	*out_n = n;
	return 0;
}

static void fini(struct sign_key *key)
{
	EVP_PKEY_free(key->self);
}

static const struct sign_ops file_ops = {sign, fini};

/* Takes over `pkey` when it succeeds. */
static int key_of(EVP_PKEY **pkey, const char *name, struct sign_key *out, struct err *e)
{
	TRY(sign_key_describe(*pkey, name, out, e));
	out->ops = &file_ops;
	out->self = *pkey;
	*pkey = NULL;
	return 0;
}

static EVP_PKEY *generate(enum sig_scheme scheme)
{
	switch (scheme) {
	case SIG_ECDSA_P256:
		return EVP_EC_gen("P-256");
	case SIG_ECDSA_P384:
		return EVP_EC_gen("P-384");
	case SIG_RSA_PSS_SHA256:
		return EVP_RSA_gen(RSA_BITS);
	case SIG_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	default:
		return NULL;
	}
}

int sign_key_new(const char *name, enum sig_scheme scheme, struct sign_key *out, struct err *e)
{
	CLEANUP(pkey_release) EVP_PKEY *pkey = generate(scheme);

	if (!pkey)
		return err_set(e, ERR_BAD_INPUT, "no key of the scheme %s can be made",
			sig_scheme_name(scheme));
	return key_of(&pkey, name, out, e);
}

/* A key file with a passphrase would otherwise make libcrypto ask on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf, (void)size, (void)rwflag, (void)u;
	return 0;
}

int sign_key_decode(const char *name, struct str pem, struct sign_key *out, struct err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new_mem_buf(pem.p, (int)MIN(pem.n, 64U * 1024));
	CLEANUP(pkey_release)
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	if (!pkey)
		return err_set(
			e, ERR_BAD_INPUT, "%s: not a private key in PEM without passphrase", name);
	return key_of(&pkey, name, out, e);
}

int sign_key_encode(const struct sign_key *key, struct buf *out, struct err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new(BIO_s_secmem());
	char *text;
	long n;

	if (key->ops != &file_ops)
		return err_set(e, ERR_DENIED, "%s is in a token and stays there", key->name);
	if (!bio || PEM_write_bio_PrivateKey(bio, key->self, NULL, NULL, 0, NULL, NULL) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot write a private key");
	n = BIO_get_mem_data(bio, &text);
	buf_add(out, text, (size_t)n);
	return 0;
}
