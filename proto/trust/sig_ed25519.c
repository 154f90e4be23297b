#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "proto/trust/digest.h"
#include "proto/trust/sig_priv.h"

#define KEY_N 32
#define SIG_N 64

static void pkey_release(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void md_release(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

/* The lowest byte comes first; the highest bit is the sign of x and no part of y. A y that is not
 * below 2^255 - 19 is a second way to write another one (RFC 8032, 5.1.3). */
static bool is_canonical(const uint8_t y[KEY_N])
{
	for (size_t i = 1; i < KEY_N - 1; i++)
		if (y[i] != 0xff)
			return true;
	return y[KEY_N - 1] != 0x7f || y[0] < 0xed;
}

/* Under the eight points of small order, signatures fit that nobody with a private key has made:
 * listing one would let everybody sign. These are their five values of y. */
static bool is_small_order(const uint8_t y[KEY_N])
{
	static const uint8_t points[][KEY_N] = {
		{0},
		{1},
		{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
			0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38,
			0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
		{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
			0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7,
			0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
	};

	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		if (memcmp(points[i], y, KEY_N) == 0)
			return true;
	return false;
}

/* RFC 8410: a SubjectPublicKeyInfo of this kind is always these bytes and the key. */
static void spki_of(const uint8_t key[KEY_N], struct sha256 *out)
{
	uint8_t der[12 + KEY_N] = {
		0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

	memcpy(der + 12, key, KEY_N);
	digest_of(der, sizeof der, out);
}

int ed25519_key_check(const char *text, struct sha256 *out_spki, struct err *e)
{
	uint8_t key[KEY_N], y[KEY_N];

	if (strlen(text) != 2 * (size_t)KEY_N || hex_decode(str_of(text), key, KEY_N, NULL) < 0)
		return err_set(
			e, ERR_BAD_INPUT, "an ed25519 key that is not %d bytes in hex", KEY_N);
	memcpy(y, key, KEY_N);
	y[KEY_N - 1] &= 0x7f;
	if (!is_canonical(y) || is_small_order(y))
		return err_set(e, ERR_BAD_INPUT, "an ed25519 key that is no honest point");
	spki_of(key, out_spki);
	return 0;
}

bool ed25519_verifies(const char *text, struct str message, const uint8_t *sig, size_t sig_n)
{
	CLEANUP(pkey_release) EVP_PKEY *pkey = NULL;
	CLEANUP(md_release) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t key[KEY_N];
	bool fits;

	if (sig_n != SIG_N || hex_decode(str_of(text), key, KEY_N, NULL) < 0)
		return false;
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, KEY_N);
	fits = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	       EVP_DigestVerify(ctx, sig, sig_n, (const uint8_t *)message.p, message.n) == 1;
	ERR_clear_error(); /* nobody else's later question shall find this answer */
	return fits;
}
