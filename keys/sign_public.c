#include "keys/sign_priv.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "proto/trust/digest.h"

/* What libcrypto calls a key, and what metadata calls it. */
static const struct key_row {
	const char *type;
	const char *group; /* curve, NULL for none */
	const char *keytype;
	enum sig_scheme scheme;
} key_rows[] = {
	{"EC", "prime256v1", "ecdsa", SIG_ECDSA_P256},
	{"EC", "secp384r1", "ecdsa", SIG_ECDSA_P384},
	{"RSA", NULL, "rsa", SIG_RSA_PSS_SHA256},
	{"ED25519", NULL, "ed25519", SIG_ED25519},
};

void pkey_release(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void bio_release(BIO **b)
{
	BIO_free(*b);
}

static const struct key_row *row_of(const EVP_PKEY *pkey)
{
	char group[32] = "";

	EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL);
	for (size_t i = 0; i < ARRAY_LEN(key_rows); i++)
		if (EVP_PKEY_is_a(pkey, key_rows[i].type) &&
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

static int write_pem(const EVP_PKEY *pkey, char out[SIG_PEM_MAX], struct err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new(BIO_s_mem());
	int n;

	if (!bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot write a public key");
	n = BIO_read(bio, out, SIG_PEM_MAX - 1);
	if (n <= 0 || BIO_pending(bio))
		return err_set(e, ERR_TOO_LARGE, "a public key that does not fit");
	out[n] = 0;
	return 0;
}

/* Of ed25519, metadata has the bare bytes. */
static int write_hex(const EVP_PKEY *pkey, char out[SIG_PEM_MAX], struct err *e)
{
	uint8_t bytes[32];
	size_t n = sizeof bytes;

	if (EVP_PKEY_get_raw_public_key(pkey, bytes, &n) != 1 || n != sizeof bytes)
		return err_set(e, ERR_BUG, "libcrypto cannot write a public key");
	hex_encode(bytes, n, out);
	return 0;
}

static int public_of(
	const EVP_PKEY *pkey, const struct key_row *row, struct pub_key *out, struct err *e)
{
	char text[SIG_PEM_MAX];

	TRY(row->scheme == SIG_ED25519 ? write_hex(pkey, text, e) : write_pem(pkey, text, e));
	return pub_key_parse(row->keytype, sig_scheme_name(row->scheme), text, out, e);
}

json_t *sign_key_public(const struct sign_key *key)
{
	const char *keytype = "ecdsa";

	for (size_t i = 0; i < ARRAY_LEN(key_rows); i++)
		if (key_rows[i].scheme == key->pub.scheme)
			keytype = key_rows[i].keytype;
	return json_pack("{s:s, s:s, s:{s:s}}", "keytype", keytype, "scheme",
		sig_scheme_name(key->pub.scheme), "keyval", "public", key->pub.pem);
}

int sign_key_describe(const EVP_PKEY *pkey, const char *name, struct sign_key *out, struct err *e)
{
	const struct key_row *row = row_of(pkey);
	struct sign_key key = {0};

	if (!row)
		return err_set(
			e, ERR_BAD_INPUT, "%s: not ECDSA P-256, P-384, RSA or ed25519", name);
	TRY(id_parse(str_of(name), "name of a key", key.name, e));
	role_of(name, key.role);
	if (public_of(pkey, row, &key.pub, e) < 0)
		return err_wrap(e, "%s", name);
	keyid_of(&key, key.keyid);
	*out = key;
	return 0;
}

const EVP_MD *sign_hash(enum sig_scheme scheme)
{
	return scheme == SIG_ECDSA_P384 ? EVP_sha384() : EVP_sha256();
}
