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
		{"ed25519", "ed25519", SIG_UNKNOWN},
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
	assert_int_equal(pub_key_parse("ed25519", "ed25519", "8f1c", &key, &e), 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
