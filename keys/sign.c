#include "keys/sign.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "proto/trust/digest.h"

/* What libcrypto calls a key, and what metadata calls it. */
static const struct key_row {
	int type;          /* EVP_PKEY_... */
	const char *group; /* curve, NULL for none */
	const char *keytype;
	enum sig_scheme scheme;
} key_rows[] = {
	{EVP_PKEY_EC, "prime256v1", "ecdsa", SIG_ECDSA_P256},
	{EVP_PKEY_EC, "secp384r1", "ecdsa", SIG_ECDSA_P384},
	{EVP_PKEY_RSA, NULL, "rsa", SIG_RSA_PSS_SHA256},
};

static void pkey_release(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void bio_release(BIO **b)
{
	BIO_free(*b);
}

static void md_release(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static const struct key_row *row_of(const EVP_PKEY *pkey)
{
	char group[32] = "";

	EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL);
	for (size_t i = 0; i < ARRAY_LEN(key_rows); i++)
		if (EVP_PKEY_is_a(pkey, key_rows[i].type == EVP_PKEY_EC ? "EC" : "RSA") &&
			(!key_rows[i].group || strcmp(key_rows[i].group, group) == 0))
			return &key_rows[i];
	return NULL;
}

/* "image-root-2" is a key of "image-root"; "image-snapshot" is its own role. */
static void role_of(const char *name, char out[ID_TEXT_MAX])
{
	size_t n = strlen(name), digits = n;

	while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
		digits--;
	if (digits < n && digits > 1 && name[digits - 1] == '-')
		n = digits - 1;
	snprintf(out, ID_TEXT_MAX, "%.*s", (int)n, name);
}

static void keyid_of(const struct sign_key *key, char out[SHA256_TEXT])
{
	JSON_AUTO *public = sign_key_public(key);
	BUF_AUTO bytes = {0};
	struct sha256 digest;

	json_canonical(public, &bytes);
	digest_of(bytes.p, bytes.n, &digest);
	sha256_format(&digest, out);
}

static int public_of(EVP_PKEY *pkey, const struct key_row *row, struct pub_key *out, struct err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new(BIO_s_mem());
	char pem[SIG_PEM_MAX];
	int n;

	if (!bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot write a public key");
	n = BIO_read(bio, pem, sizeof pem - 1);
	if (n <= 0 || BIO_pending(bio))
		return err_set(e, ERR_TOO_LARGE, "a public key that does not fit");
	pem[n] = 0;
	return pub_key_parse(row->keytype, sig_scheme_name(row->scheme), pem, out, e);
}

/* Takes over `pkey` when it succeeds. */
static int key_of(EVP_PKEY *pkey, const char *name, struct sign_key *out, struct err *e)
{
	const struct key_row *row = row_of(pkey);
	struct sign_key key = {0};

	if (!row)
		return err_set(e, ERR_BAD_INPUT, "%s: neither ECDSA P-256, P-384 nor RSA", name);
	TRY(id_parse(str_of(name), "name of a key", key.name, e));
	role_of(name, key.role);
	if (public_of(pkey, row, &key.pub, e) < 0)
		return err_wrap(e, "%s", name);
	keyid_of(&key, key.keyid);
	key.pkey = pkey;
	*out = key;
	return 0;
}

int sign_key_new(const char *name, struct sign_key *out, struct err *e)
{
	CLEANUP(pkey_release) EVP_PKEY *pkey = EVP_EC_gen("P-256");

	if (!pkey)
		return err_set(e, ERR_BUG, "libcrypto cannot make a key");
	TRY(key_of(pkey, name, out, e));
	pkey = NULL;
	return 0;
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
	TRY(key_of(pkey, name, out, e));
	pkey = NULL;
	return 0;
}

int sign_key_encode(const struct sign_key *key, struct buf *out, struct err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new(BIO_s_secmem());
	char *text;
	long n;

	if (!bio || PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot write a private key");
	n = BIO_get_mem_data(bio, &text);
	buf_add(out, text, (size_t)n);
	return 0;
}

void sign_key_fini(struct sign_key *key)
{
	EVP_PKEY_free(key->pkey);
	key->pkey = NULL;
}

void sign_wipe(struct buf *secret)
{
	if (secret->p)
		OPENSSL_cleanse(secret->p, secret->cap);
	buf_fini(secret);
}

json_t *sign_key_public(const struct sign_key *key)
{
	const char *keytype = key->pub.scheme == SIG_RSA_PSS_SHA256 ? "rsa" : "ecdsa";

	return json_pack("{s:s, s:s, s:{s:s}}", "keytype", keytype, "scheme",
		sig_scheme_name(key->pub.scheme), "keyval", "public", key->pub.pem);
}

static bool start(EVP_MD_CTX *ctx, const struct sign_key *key)
{
	const EVP_MD *md = key->pub.scheme == SIG_ECDSA_P384 ? EVP_sha384() : EVP_sha256();
	EVP_PKEY_CTX *how;

	if (EVP_DigestSignInit(ctx, &how, md, NULL, key->pkey) != 1)
		return false;
	return key->pub.scheme != SIG_RSA_PSS_SHA256 ||
	       (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) > 0);
}

int sign_bytes(const struct sign_key *key, struct str message, uint8_t out_sig[SIG_MAX],
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
