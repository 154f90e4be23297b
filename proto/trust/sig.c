#include "proto/trust/sig.h"

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <stdio.h>
#include <string.h>

#include "proto/trust/digest.h"
#include "proto/trust/sig_priv.h"

#define SPKI_MAX     1024 /* DER of the largest key accepted, RSA 4096, with room */
#define RSA_MIN_BITS 2048

/* A SubjectPublicKeyInfo of a named curve always begins with the same bytes: algorithm, curve, and
 * the mark of an uncompressed point. Comparing them says which curve it is in the same way for
 * every version of mbedTLS. */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42,
	0x00, 0x04};
static const uint8_t p384_head[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};

struct scheme_row {
	const char *name;
	/* Fills the digest of the DER form of a key that parses and fits. */
	int (*parse)(const struct scheme_row *, struct pub_key *io, struct err *e);
	bool (*verifies)(const struct scheme_row *, const struct pub_key *, struct str message,
		const uint8_t *sig, size_t sig_n);
	mbedtls_md_type_t md;
	const uint8_t *spki_head; /* NULL: not a curve of mbedTLS */
	size_t spki_head_n;
};

static int rsa_check(const mbedtls_pk_context *pk, struct err *e)
{
	mbedtls_mpi exponent;
	bool fits;

	if (mbedtls_pk_get_type(pk) != MBEDTLS_PK_RSA)
		return err_set(e, ERR_BAD_INPUT, "not an RSA key");
	if (mbedtls_pk_get_bitlen(pk) < RSA_MIN_BITS || mbedtls_pk_get_bitlen(pk) > 8 * SIG_MAX)
		return err_set(e, ERR_BAD_INPUT, "an RSA key of %zu bits, %d to %d are allowed",
			mbedtls_pk_get_bitlen(pk), RSA_MIN_BITS, 8 * SIG_MAX);
	mbedtls_mpi_init(&exponent);
	fits = mbedtls_rsa_export(mbedtls_pk_rsa(*pk), NULL, NULL, NULL, NULL, &exponent) == 0 &&
	       mbedtls_mpi_cmp_int(&exponent, 65537) >= 0 && mbedtls_mpi_get_bit(&exponent, 0) == 1;
	mbedtls_mpi_free(&exponent);
	if (!fits)
		return err_set(e, ERR_BAD_INPUT, "an RSA exponent that is even or below 65537");
	return 0;
}

/* The key in its one DER form, whatever form the PEM had; checks that it fits the scheme. */
static int spki_of(mbedtls_pk_context *pk, const struct scheme_row *row, struct sha256 *out_spki,
	struct err *e)
{
	uint8_t der[SPKI_MAX];
	int n = mbedtls_pk_write_pubkey_der(pk, der, sizeof der);
	const uint8_t *at = der + sizeof der - (n > 0 ? n : 0);

	if (n <= 0)
		return err_set(e, ERR_BAD_INPUT, "a public key that cannot be written as DER");
	if (!row->spki_head)
		TRY(rsa_check(pk, e));
	else if ((size_t)n < row->spki_head_n || memcmp(at, row->spki_head, row->spki_head_n) != 0)
		return err_set(e, ERR_BAD_INPUT, "not a key for %s", row->name);
	digest_of(at, (size_t)n, out_spki);
	return 0;
}

static int pk_parse(mbedtls_pk_context *pk, const char *pem, struct err *e)
{
	if (!str_has_prefix(str_of(pem), "-----BEGIN PUBLIC KEY-----"))
		return err_set(e, ERR_BAD_INPUT, "not a public key in PEM");
	if (mbedtls_pk_parse_public_key(pk, (const uint8_t *)pem, strlen(pem) + 1) != 0)
		return err_set(e, ERR_BAD_INPUT, "a public key that does not parse");
	return 0;
}

static int pem_parse(const struct scheme_row *row, struct pub_key *io, struct err *e)
{
	CLEANUP(mbedtls_pk_free) mbedtls_pk_context pk;

	mbedtls_pk_init(&pk);
	TRY(pk_parse(&pk, io->pem, e));
	return spki_of(&pk, row, &io->spki, e);
}

/* One INTEGER in the shortest form and greater than zero. Takes it off the front. */
static bool der_take_positive(const uint8_t **p, const uint8_t *end)
{
	const uint8_t *at = *p;
	size_t n;

	if (end - at < 3 || at[0] != 0x02 || at[1] == 0 || at[1] > end - at - 2)
		return false;
	n = at[1];
	at += 2;
	if (at[0] & 0x80)
		return false; /* negative */
	if (at[0] == 0 && (n == 1 || !(at[1] & 0x80)))
		return false; /* zero, or a leading zero that is not needed */
	*p = at + n;
	return true;
}

/* mbedTLS 2.28 lets pass 27 encodings of Wycheproof's set that are BER but not DER. With them one
 * signature has many forms. No signature of these curves needs a length of more than one byte. */
static bool der_is_strict(const uint8_t *sig, size_t n)
{
	const uint8_t *p = sig + 2, *end = sig + n;

	return n >= 8 && sig[0] == 0x30 && sig[1] < 0x80 && sig[1] == n - 2 &&
	       der_take_positive(&p, end) && der_take_positive(&p, end) && p == end;
}

static bool hash_verifies(mbedtls_pk_context *pk, const struct scheme_row *row, const uint8_t *hash,
	size_t hash_n, const uint8_t *sig, size_t sig_n)
{
	const mbedtls_pk_rsassa_pss_options pss = {
		.mgf1_hash_id = row->md, .expected_salt_len = (int)hash_n};

	if (row->spki_head)
		return der_is_strict(sig, sig_n) &&
		       mbedtls_pk_verify(pk, row->md, hash, hash_n, sig, sig_n) == 0;
	return mbedtls_pk_verify_ext(
		       MBEDTLS_PK_RSASSA_PSS, &pss, pk, row->md, hash, hash_n, sig, sig_n) == 0;
}

static bool pem_verifies(const struct scheme_row *row, const struct pub_key *key,
	struct str message, const uint8_t *sig, size_t sig_n)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(row->md);
	CLEANUP(mbedtls_pk_free) mbedtls_pk_context pk;
	uint8_t hash[MBEDTLS_MD_MAX_SIZE];

	mbedtls_pk_init(&pk);
	return md && pk_parse(&pk, key->pem, NULL) == 0 &&
	       mbedtls_md(md, (const uint8_t *)message.p, message.n, hash) == 0 &&
	       hash_verifies(&pk, row, hash, mbedtls_md_get_size(md), sig, sig_n);
}

/* ---- what is not mbedTLS's ---- */

static int raw_parse(const struct scheme_row *row UNUSED, struct pub_key *io, struct err *e)
{
	return ed25519_key_check(io->pem, &io->spki, e);
}

static bool raw_verifies(const struct scheme_row *row UNUSED, const struct pub_key *key,
	struct str message, const uint8_t *sig, size_t sig_n)
{
	return ed25519_verifies(key->pem, message, sig, sig_n);
}

static int unknown_parse(
	const struct scheme_row *row UNUSED, struct pub_key *io, struct err *e UNUSED)
{
	digest_of(io->pem, strlen(io->pem), &io->spki);
	return 0;
}

/* ---- every scheme ---- */

static const struct scheme_row schemes[SIG_SCHEME_MAX] = {
	[SIG_ECDSA_P256] = {"ecdsa-sha2-nistp256", pem_parse, pem_verifies, MBEDTLS_MD_SHA256,
		p256_head, sizeof p256_head},
	[SIG_ECDSA_P384] = {"ecdsa-sha2-nistp384", pem_parse, pem_verifies, MBEDTLS_MD_SHA384,
		p384_head, sizeof p384_head},
	[SIG_RSA_PSS_SHA256] = {"rsassa-pss-sha256", pem_parse, pem_verifies, MBEDTLS_MD_SHA256,
		NULL, 0},
	[SIG_ED25519] = {"ed25519", raw_parse, raw_verifies, MBEDTLS_MD_NONE, NULL, 0},
	[SIG_UNKNOWN] = {"unknown", unknown_parse, NULL, MBEDTLS_MD_NONE, NULL, 0},
};

/* Older repositories repeat the scheme as the key type of ECDSA. */
static const struct {
	const char *keytype;
	enum sig_scheme scheme;
} pairs[] = {
	{"ecdsa", SIG_ECDSA_P256},
	{"ecdsa-sha2-nistp256", SIG_ECDSA_P256},
	{"ecdsa", SIG_ECDSA_P384},
	{"ecdsa-sha2-nistp384", SIG_ECDSA_P384},
	{"rsa", SIG_RSA_PSS_SHA256},
	{"ed25519", SIG_ED25519},
};

const char *sig_scheme_name(enum sig_scheme s)
{
	return schemes[s < SIG_SCHEME_MAX ? s : SIG_UNKNOWN].name;
}

enum sig_scheme sig_scheme_by_name(const char *keytype, const char *scheme)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (strcmp(pairs[i].keytype, keytype) == 0 &&
			strcmp(schemes[pairs[i].scheme].name, scheme) == 0)
			return pairs[i].scheme;
	return SIG_UNKNOWN;
}

int pub_key_parse(const char *keytype, const char *scheme, const char *pem, struct pub_key *out,
	struct err *e)
{
	struct pub_key key = {.scheme = sig_scheme_by_name(keytype, scheme)};
	const struct scheme_row *row = &schemes[key.scheme];

	TRY(str_copy(str_of(pem), key.pem, sizeof key.pem, e));
	TRY(row->parse(row, &key, e));
	*out = key;
	return 0;
}

int sig_verify(const struct pub_key *key, struct str message, const uint8_t *sig, size_t sig_n,
	struct err *e)
{
	const struct scheme_row *row = &schemes[key->scheme];

	if (!row->verifies)
		return err_set(e, ERR_UNSIGNED, "a signature of an unknown scheme");
	if (sig_n == 0 || sig_n > SIG_MAX)
		return err_set(e, ERR_UNSIGNED, "a signature of %zu bytes", sig_n);
	if (!row->verifies(row, key, message, sig, sig_n))
		return err_set(e, ERR_UNSIGNED, "the signature does not fit key and message");
	return 0;
}
