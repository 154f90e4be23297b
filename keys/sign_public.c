#include "keys/sign_priv.h"

#include <openssl/pem.h>
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

static int public_of(
	const EVP_PKEY *pkey, const struct key_row *row, struct pub_key *out, struct err *e)
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

int sign_key_describe(const EVP_PKEY *pkey, const char *name, struct sign_key *out, struct err *e)
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
	*out = key;
	return 0;
}

const EVP_MD *sign_hash(enum sig_scheme scheme)
{
	return scheme == SIG_ECDSA_P384 ? EVP_sha384() : EVP_sha256();
}
