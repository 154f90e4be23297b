#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "keys/sign.h"

#define MESSAGE STR("what is signed")

static void key_from(EVP_PKEY *pkey, const char *name, struct sign_key *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct err e = {0};
	char *text;
	long n;

	assert_non_null(pkey);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_get_mem_data(bio, &text);
	if (sign_key_decode(name, (struct str){text, (size_t)n}, out, &e) < 0)
		fail_msg("%s", e.text);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void make(enum sig_scheme scheme, struct sign_key *out)
{
	switch (scheme) {
	case SIG_ECDSA_P256:
		key_from(EVP_EC_gen("P-256"), "p256", out);
		break;
	case SIG_ECDSA_P384:
		key_from(EVP_EC_gen("P-384"), "p384", out);
		break;
	case SIG_ED25519:
		key_from(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "ed25519", out);
		break;
	default:
		key_from(EVP_RSA_gen(2048), "rsa", out);
		break;
	}
	assert_int_equal(out->pub.scheme, scheme);
}

static void public_pem(EVP_PKEY *pkey, char out[SIG_PEM_MAX])
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	assert_non_null(pkey);
	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	n = BIO_read(bio, out, SIG_PEM_MAX - 1);
	assert_true(n > 0);
	out[n] = 0;
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void what_one_library_signs_the_other_verifies(void **state)
{
	uint8_t sig[SIG_MAX];
	struct err e;
	size_t n;

	(void)state;
	for (enum sig_scheme s = 0; s < SIG_UNKNOWN; s++) {
		struct sign_key key, other;

		make(s, &key);
		make(s, &other);
		for (unsigned round = 0; round < 8; round++) {
			assert_int_equal(sign_bytes(&key, MESSAGE, sig, &n, &e), 0);
			assert_int_equal(sig_verify(&key.pub, MESSAGE, sig, n, &e), 0);
		}
		assert_int_equal(
			sig_verify(&key.pub, STR("what is signee"), sig, n, &e), -ERR_UNSIGNED);
		assert_int_equal(sig_verify(&key.pub, STR(""), sig, n, &e), -ERR_UNSIGNED);
		assert_int_equal(sig_verify(&other.pub, MESSAGE, sig, n, &e), -ERR_UNSIGNED);
		assert_int_equal(sig_verify(&key.pub, MESSAGE, sig, 0, &e), -ERR_UNSIGNED);
		assert_int_equal(
			sig_verify(&key.pub, MESSAGE, sig, SIG_MAX + 1, &e), -ERR_UNSIGNED);
		for (size_t cut = 1; cut < n; cut++)
			assert_int_equal(
				sig_verify(&key.pub, MESSAGE, sig, cut, &e), -ERR_UNSIGNED);
		sign_key_fini(&key);
		sign_key_fini(&other);
	}
}

static void no_altered_bit_verifies(void **state)
{
	uint8_t sig[SIG_MAX];
	struct sign_key key;
	struct err e;
	size_t n;

	(void)state;
	make(SIG_ECDSA_P256, &key);
	assert_int_equal(sign_bytes(&key, MESSAGE, sig, &n, &e), 0);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		sig[bit / 8] ^= (uint8_t)(1U << (bit % 8));
		assert_int_equal(sig_verify(&key.pub, MESSAGE, sig, n, &e), -ERR_UNSIGNED);
		sig[bit / 8] ^= (uint8_t)(1U << (bit % 8));
	}
	assert_int_equal(sig_verify(&key.pub, MESSAGE, sig, n, &e), 0);
	sign_key_fini(&key);
}

/* ---- other encodings of the same two numbers ---- */

struct pair {
	uint8_t r[40], s[40];
	size_t r_n, s_n;
};

static void read_pair(const uint8_t *der, struct pair *p)
{
	p->r_n = der[3];
	memcpy(p->r, der + 4, p->r_n);
	p->s_n = der[5 + p->r_n];
	memcpy(p->s, der + 6 + p->r_n, p->s_n);
}

struct form {
	const char *what;
	uint8_t head[4]; /* before the two numbers; the last byte gets the length added */
	size_t head_n;
	bool zero_r, zero_s; /* a leading zero too many */
	bool long_r;         /* length of r in two bytes */
	uint8_t tail[4];
	size_t tail_n;
	bool counts_tail; /* the sequence claims the tail */
};

static const struct form forms[] = {
	{"length in two bytes", {0x30, 0x81, 0}, 3, false, false, false, {0}, 0, false},
	{"length in three bytes", {0x30, 0x82, 0, 0}, 4, false, false, false, {0}, 0, false},
	{"indefinite length", {0x30, 0x80}, 2, false, false, false, {0, 0}, 2, false},
	{"a set instead of a sequence", {0x31, 0}, 2, false, false, false, {0}, 0, false},
	{"leading zero in r", {0x30, 0}, 2, true, false, false, {0}, 0, false},
	{"leading zero in s", {0x30, 0}, 2, false, true, false, {0}, 0, false},
	{"length of r in two bytes", {0x30, 0}, 2, false, false, true, {0}, 0, false},
	{"bytes after the sequence", {0x30, 0}, 2, false, false, false, {5, 0}, 2, false},
	{"bytes at the end of the sequence", {0x30, 0}, 2, false, false, false, {5, 0}, 2, true},
};

static size_t encode_number(
	uint8_t *out, const uint8_t *number, size_t n, bool extra_zero, bool long_length)
{
	size_t at = 0;

	out[at++] = 0x02;
	if (long_length)
		out[at++] = 0x81;
	out[at++] = (uint8_t)(n + extra_zero);
	if (extra_zero)
		out[at++] = 0;
	memcpy(out + at, number, n);
	return at + n;
}

static size_t encode(const struct form *f, const struct pair *p, uint8_t *out)
{
	uint8_t body[128];
	size_t n = encode_number(body, p->r, p->r_n, f->zero_r, f->long_r);

	n += encode_number(body + n, p->s, p->s_n, f->zero_s, false);
	memcpy(body + n, f->tail, f->tail_n);
	memcpy(out, f->head, f->head_n);
	if (f->head[1] != 0x80)
		out[f->head_n - 1] = (uint8_t)(n + (f->counts_tail ? f->tail_n : 0));
	memcpy(out + f->head_n, body, n + f->tail_n);
	return f->head_n + n + f->tail_n;
}

static void a_signature_has_one_encoding_only(void **state)
{
	static const struct form strict = {"strict", {0x30, 0}, 2, .zero_r = false};
	uint8_t sig[SIG_MAX];
	struct sign_key key;
	struct pair p;
	struct err e;
	size_t n;

	(void)state;
	make(SIG_ECDSA_P256, &key);
	assert_int_equal(sign_bytes(&key, MESSAGE, sig, &n, &e), 0);
	read_pair(sig, &p);
	n = encode(&strict, &p, sig);
	assert_int_equal(sig_verify(&key.pub, MESSAGE, sig, n, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		n = encode(&forms[i], &p, sig);
		if (sig_verify(&key.pub, MESSAGE, sig, n, &e) != -ERR_UNSIGNED)
			fail_msg("accepted: %s", forms[i].what);
	}
	sign_key_fini(&key);
}

static void numbers_out_of_range_are_refused(void **state)
{
	static const struct {
		uint8_t der[12];
		size_t n;
	} bad[] = {
		{{0x30, 6, 2, 1, 0, 2, 1, 0}, 8}, /* r = s = 0 */
		{{0x30, 6, 2, 1, 0, 2, 1, 1}, 8},
		{{0x30, 6, 2, 1, 1, 2, 1, 0}, 8},
		{{0x30, 6, 2, 1, 0xff, 2, 1, 1}, 8}, /* r = -1 */
		{{0x30, 5, 2, 0, 2, 1, 1, 0}, 7},    /* r without a byte */
		{{0x30, 3, 2, 1, 1}, 5},
		{{0x30, 0}, 2},
	};
	struct sign_key key;
	struct err e;

	(void)state;
	make(SIG_ECDSA_P256, &key);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			sig_verify(&key.pub, MESSAGE, bad[i].der, bad[i].n, &e), -ERR_UNSIGNED);
	sign_key_fini(&key);
}

/* ---- keys ---- */

static void schemes_are_known_by_name(void **state)
{
	static const struct {
		const char *keytype, *scheme;
		enum sig_scheme want;
	} rows[] = {
		{"ecdsa", "ecdsa-sha2-nistp256", SIG_ECDSA_P256},
		{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", SIG_ECDSA_P256},
		{"ecdsa", "ecdsa-sha2-nistp384", SIG_ECDSA_P384},
		{"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", SIG_ECDSA_P384},
		{"rsa", "rsassa-pss-sha256", SIG_RSA_PSS_SHA256},
		{"rsa", "rsa-pkcs1v15-sha256", SIG_UNKNOWN},
		{"rsa", "ecdsa-sha2-nistp256", SIG_UNKNOWN},
		{"ecdsa", "rsassa-pss-sha256", SIG_UNKNOWN},
		{"ed25519", "ed25519", SIG_ED25519},
		{"ed25519", "ed448", SIG_UNKNOWN},
		{"ecdsa", "ed25519", SIG_UNKNOWN},
		{"ed25519", "ecdsa-sha2-nistp256", SIG_UNKNOWN},
		{"", "", SIG_UNKNOWN},
		{"unknown", "unknown", SIG_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(sig_scheme_by_name(rows[i].keytype, rows[i].scheme), rows[i].want);
}

static void a_key_must_fit_its_scheme(void **state)
{
	struct {
		EVP_PKEY *pkey;
		const char *keytype, *scheme;
	} rows[] = {
		{EVP_EC_gen("P-384"), "ecdsa", "ecdsa-sha2-nistp256"},
		{EVP_EC_gen("P-256"), "ecdsa", "ecdsa-sha2-nistp384"},
		{EVP_EC_gen("secp256k1"), "ecdsa", "ecdsa-sha2-nistp256"},
		{EVP_RSA_gen(2048), "ecdsa", "ecdsa-sha2-nistp256"},
		{EVP_EC_gen("P-256"), "rsa", "rsassa-pss-sha256"},
		{EVP_RSA_gen(1024), "rsa", "rsassa-pss-sha256"},
	};
	char pem[SIG_PEM_MAX];
	struct pub_key key;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		public_pem(rows[i].pkey, pem);
		assert_int_equal(pub_key_parse(rows[i].keytype, rows[i].scheme, pem, &key, &e),
			-ERR_BAD_INPUT);
	}
}

static void text_that_is_no_key_is_refused(void **state)
{
	static const char *const bad[] = {"", "key",
		"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n"};
	char large[SIG_PEM_MAX + 1];
	struct pub_key key;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(pub_key_parse("ecdsa", "ecdsa-sha2-nistp256", bad[i], &key, &e),
			-ERR_BAD_INPUT);
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = 0;
	assert_int_equal(
		pub_key_parse("ecdsa", "ecdsa-sha2-nistp256", large, &key, &e), -ERR_TOO_LARGE);
}

static void an_unknown_scheme_never_verifies(void **state)
{
	struct pub_key key;
	struct err e;
	uint8_t sig[64] = {1};

	(void)state;
	assert_int_equal(pub_key_parse("ed448", "ed448", "8f1c", &key, &e), 0);
	assert_int_equal(key.scheme, SIG_UNKNOWN);
	assert_int_equal(sig_verify(&key, MESSAGE, sig, sizeof sig, &e), -ERR_UNSIGNED);
}

/* Neither line ends nor the older name of the key type make another person. */
static void a_key_is_the_same_in_every_form(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	char pem[SIG_PEM_MAX], wide[SIG_PEM_MAX];
	struct pub_key a, b;
	struct err e;
	size_t n = 0;

	(void)state;
	public_pem(pkey, pem);
	for (const char *p = pem; *p; p++) { /* the same PEM with other line ends */
		if (*p == '\n')
			wide[n++] = '\r';
		wide[n++] = *p;
	}
	wide[n] = 0;
	assert_int_equal(pub_key_parse("ecdsa", "ecdsa-sha2-nistp256", pem, &a, &e), 0);
	assert_int_equal(
		pub_key_parse("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", wide, &b, &e), 0);
	assert_true(sha256_eq(&a.spki, &b.spki));
}

/* ---- right key, right message, wrong parameters ---- */

enum which { KEY_P256, KEY_P384, KEY_RSA };

static const struct {
	const char *what;
	enum which key;
	const char *hash;
	int padding, salt;
	const char *mask; /* hash of the mask generation; NULL: the same */
	bool fits;
} variants[] = {
	{"PSS as it should be", KEY_RSA, "SHA256", RSA_PKCS1_PSS_PADDING, 32, NULL, true},
	{"PSS without salt", KEY_RSA, "SHA256", RSA_PKCS1_PSS_PADDING, 0, NULL, false},
	{"PSS with a short salt", KEY_RSA, "SHA256", RSA_PKCS1_PSS_PADDING, 31, NULL, false},
	{"PSS with all the salt there is room for", KEY_RSA, "SHA256", RSA_PKCS1_PSS_PADDING,
		RSA_PSS_SALTLEN_MAX, NULL, false},
	{"PSS masked by SHA-1", KEY_RSA, "SHA256", RSA_PKCS1_PSS_PADDING, 32, "SHA1", false},
	{"PSS masked by SHA-512", KEY_RSA, "SHA256", RSA_PKCS1_PSS_PADDING, 32, "SHA512", false},
	{"PSS over SHA-1", KEY_RSA, "SHA1", RSA_PKCS1_PSS_PADDING, 20, NULL, false},
	{"PSS over SHA-512", KEY_RSA, "SHA512", RSA_PKCS1_PSS_PADDING, 32, NULL, false},
	{"PKCS#1 v1.5", KEY_RSA, "SHA256", RSA_PKCS1_PADDING, 0, NULL, false},
	{"P-256 as it should be", KEY_P256, "SHA256", 0, 0, NULL, true},
	{"P-256 over SHA-1", KEY_P256, "SHA1", 0, 0, NULL, false},
	{"P-256 over SHA-224", KEY_P256, "SHA224", 0, 0, NULL, false},
	{"P-256 over SHA-384", KEY_P256, "SHA384", 0, 0, NULL, false},
	{"P-256 over SHA3-256", KEY_P256, "SHA3-256", 0, 0, NULL, false},
	{"P-384 as it should be", KEY_P384, "SHA384", 0, 0, NULL, true},
	{"P-384 over SHA-256", KEY_P384, "SHA256", 0, 0, NULL, false},
	{"P-384 over SHA-512", KEY_P384, "SHA512", 0, 0, NULL, false},
};

static void sign_variant(EVP_PKEY *pkey, size_t i, uint8_t *sig, size_t *n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;

	assert_int_equal(
		EVP_DigestSignInit_ex(ctx, &pctx, variants[i].hash, NULL, NULL, pkey, NULL), 1);
	if (variants[i].padding)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, variants[i].padding), 1);
	if (variants[i].padding == RSA_PKCS1_PSS_PADDING)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, variants[i].salt), 1);
	if (variants[i].mask)
		assert_int_equal(
			EVP_PKEY_CTX_set_rsa_mgf1_md_name(pctx, variants[i].mask, NULL), 1);
	*n = SIG_MAX;
	assert_int_equal(EVP_DigestSign(ctx, sig, n, (const uint8_t *)MESSAGE.p, MESSAGE.n), 1);
	EVP_MD_CTX_free(ctx);
}

static void a_scheme_has_one_set_of_parameters(void **state)
{
	static const char *const names[][2] = {{"ecdsa", "ecdsa-sha2-nistp256"},
		{"ecdsa", "ecdsa-sha2-nistp384"}, {"rsa", "rsassa-pss-sha256"}};
	EVP_PKEY *pkeys[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_RSA_gen(2048)};
	struct pub_key pub[ARRAY_LEN(pkeys)];
	char pem[SIG_PEM_MAX];
	uint8_t sig[SIG_MAX];
	struct err e;
	size_t n;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(pkeys); k++) {
		EVP_PKEY_up_ref(pkeys[k]);
		public_pem(pkeys[k], pem);
		assert_int_equal(pub_key_parse(names[k][0], names[k][1], pem, &pub[k], &e), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		sign_variant(pkeys[variants[i].key], i, sig, &n);
		if (sig_verify(&pub[variants[i].key], MESSAGE, sig, n, &e) !=
			(variants[i].fits ? 0 : -ERR_UNSIGNED))
			fail_msg("%s", variants[i].what);
	}
	for (size_t k = 0; k < ARRAY_LEN(pkeys); k++)
		EVP_PKEY_free(pkeys[k]);
}

/* ---- ed25519 ---- */

#define ED_KEY 32
#define ED_SIG 64

struct edwards {
	EVP_PKEY *pkey;
	char text[2 * ED_KEY + 1];
	struct pub_key pub;
	uint8_t sig[ED_SIG]; /* over MESSAGE */
};

static void edwards_sign(EVP_PKEY *pkey, struct str message, uint8_t sig[ED_SIG])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = ED_SIG;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, (const uint8_t *)message.p, message.n), 1);
	assert_int_equal(n, ED_SIG);
	EVP_MD_CTX_free(ctx);
}

static void edwards_new(struct edwards *k)
{
	uint8_t raw[ED_KEY];
	size_t n = sizeof raw;
	struct err e;

	k->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_non_null(k->pkey);
	assert_int_equal(EVP_PKEY_get_raw_public_key(k->pkey, raw, &n), 1);
	hex_encode(raw, n, k->text);
	if (pub_key_parse("ed25519", "ed25519", k->text, &k->pub, &e) < 0)
		fail_msg("%s", e.text);
	edwards_sign(k->pkey, MESSAGE, k->sig);
}

static void ed25519_signatures_are_verified(void **state)
{
	struct edwards key, other;
	uint8_t sig[SIG_MAX] = {0};
	struct err e;

	(void)state;
	edwards_new(&key);
	edwards_new(&other);
	assert_int_equal(sig_verify(&key.pub, MESSAGE, key.sig, ED_SIG, &e), 0);
	assert_int_equal(
		sig_verify(&key.pub, STR("what is signee"), key.sig, ED_SIG, &e), -ERR_UNSIGNED);
	assert_int_equal(sig_verify(&other.pub, MESSAGE, key.sig, ED_SIG, &e), -ERR_UNSIGNED);
	memcpy(sig, key.sig, ED_SIG);
	for (size_t n = 0; n < sizeof sig; n++)
		if (n != ED_SIG)
			assert_int_equal(sig_verify(&key.pub, MESSAGE, sig, n, &e), -ERR_UNSIGNED);
	for (size_t bit = 0; bit < 8 * ED_SIG; bit++) {
		sig[bit / 8] ^= (uint8_t)(1U << (bit % 8));
		assert_int_equal(sig_verify(&key.pub, MESSAGE, sig, ED_SIG, &e), -ERR_UNSIGNED);
		sig[bit / 8] ^= (uint8_t)(1U << (bit % 8));
	}
	edwards_sign(key.pkey, STR(""), sig);
	assert_int_equal(sig_verify(&key.pub, STR(""), sig, ED_SIG, &e), 0);
	EVP_PKEY_free(key.pkey);
	EVP_PKEY_free(other.pkey);
}

/* S and S plus the order of the group are the same number to the equation, but not to the rule:
 * with both, anybody could make a second signature out of one. */
static void an_ed25519_signature_has_one_form_only(void **state)
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	struct edwards key;
	unsigned carry = 0;
	struct err e;

	(void)state;
	edwards_new(&key);
	for (size_t i = 0; i < 32; i++) {
		carry += key.sig[32 + i] + order[i];
		key.sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_int_equal(sig_verify(&key.pub, MESSAGE, key.sig, ED_SIG, &e), -ERR_UNSIGNED);
	EVP_PKEY_free(key.pkey);
}

/* Under the neutral point, the signature "the neutral point, and zero" would fit any message. */
static void dishonest_ed25519_keys_are_refused(void **state)
{
	static const char *const bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 0 again */
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 1 again */
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"",
		"d7",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511",   /* 63 digits */
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a0", /* 65 */
		"x75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
	};
	struct pub_key key;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (pub_key_parse("ed25519", "ed25519", bad[i], &key, &e) != -ERR_BAD_INPUT)
			fail_msg("taken for a key: %s", bad[i]);
}

/* The first test vector of RFC 8032, 7.1: somebody else's signature, and the digest by which this
 * key would be counted, whichever case its digits have. */
static void an_ed25519_key_is_the_same_in_either_case(void **state)
{
	static const char lower[] =
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
	static const char signature[] =
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
		"c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
	struct pub_key a, b;
	char upper[sizeof lower];
	uint8_t sig[ED_SIG];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof lower; i++)
		upper[i] = (char)(lower[i] >= 'a' ? lower[i] - 'a' + 'A' : lower[i]);
	assert_int_equal(pub_key_parse("ed25519", "ed25519", lower, &a, &e), 0);
	assert_int_equal(pub_key_parse("ed25519", "ed25519", upper, &b, &e), 0);
	assert_true(sha256_eq(&a.spki, &b.spki));
	assert_int_equal(hex_decode(str_of(signature), sig, ED_SIG, &e), 0);
	assert_int_equal(sig_verify(&a, STR(""), sig, ED_SIG, &e), 0);
	assert_int_equal(sig_verify(&b, STR(""), sig, ED_SIG, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_library_signs_the_other_verifies),
		cmocka_unit_test(no_altered_bit_verifies),
		cmocka_unit_test(a_signature_has_one_encoding_only),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(schemes_are_known_by_name),
		cmocka_unit_test(a_key_must_fit_its_scheme),
		cmocka_unit_test(text_that_is_no_key_is_refused),
		cmocka_unit_test(an_unknown_scheme_never_verifies),
		cmocka_unit_test(a_key_is_the_same_in_every_form),
		cmocka_unit_test(a_scheme_has_one_set_of_parameters),
		cmocka_unit_test(ed25519_signatures_are_verified),
		cmocka_unit_test(an_ed25519_signature_has_one_form_only),
		cmocka_unit_test(dishonest_ed25519_keys_are_refused),
		cmocka_unit_test(an_ed25519_key_is_the_same_in_either_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
