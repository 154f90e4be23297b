/* The device authority: what it issues, what a device makes of it, and every request and
 * certificate that it refuses. */
#include "tests/lib/expect.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ident/ident_key.h"
#include "keys/device_ca.h"

#define NOW  ((int64_t)1800000000)
#define YEAR ((int64_t)365 * 86400)

static struct device_ca *ca, *other;

static int start(void **state)
{
	struct err e;

	(void)state;
	expect_ok(device_ca_create("ca", NOW, &e), &e);
	expect_ok(device_ca_create("other", NOW, &e), &e);
	expect_ok(device_ca_open("ca", &ca, &e), &e);
	expect_ok(device_ca_open("other", &other, &e), &e);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	device_ca_close(&ca);
	device_ca_close(&other);
	return 0;
}

/* What a device sends: its key in PEM and the request. */
static void request(const char *device, struct buf *out_key, struct buf *out)
{
	struct err e;

	expect_ok(ident_key_new(out_key, &e), &e);
	expect_ok(ident_request(buf_str(out_key), device, out, &e), &e);
}

static void issue(struct device_ca *by, struct str der, struct buf *out)
{
	struct csr csr CLEANUP(csr_fini) = {.pkey = NULL};
	struct err e;

	expect_ok(csr_decode(der, &csr, &e), &e);
	expect_ok(device_ca_issue(by, &csr, NOW, NOW + YEAR, out, &e), &e);
}

static void a_device_gets_a_certificate_for_its_own_key(void **state)
{
	BUF_AUTO key = {0}, csr = {0}, cert = {0}, bundle = {0}, pem = {0};
	struct csr read CLEANUP(csr_fini) = {.pkey = NULL};
	struct device_cert seen;
	struct str certs[1];
	int64_t from, until;
	struct err e;

	(void)state;
	request("node-1", &key, &csr);
	expect_ok(csr_decode(buf_str(&csr), &read, &e), &e);
	expect_text(read.device, "node-1");
	issue(ca, buf_str(&csr), &cert);
	expect_ok(device_ca_check(ca, buf_str(&cert), &seen, &e), &e);
	expect_text(seen.device, "node-1");
	assert_true(sha256_eq(&seen.key, &read.key));
	assert_int_equal(seen.until_s, NOW + YEAR);
	assert_true(seen.from_s < NOW && seen.from_s > NOW - 3600);
	certs[0] = buf_str(&cert);
	expect_ok(device_ca_bundle(certs, 1, &bundle, &e), &e);
	buf_add(&pem, key.p, key.n);
	expect_ok(ident_answer(buf_str(&bundle), buf_str(&key), "node-1", &pem, &e), &e);
	expect_ok(ident_life(buf_str(&pem), "node-1", &from, &until, &e), &e);
	assert_int_equal(from, seen.from_s);
	assert_int_equal(until, seen.until_s);
}

static void no_serial_number_comes_twice(void **state)
{
	BUF_AUTO key = {0}, csr = {0}, one = {0}, two = {0};
	struct device_cert a, b;
	struct err e;

	(void)state;
	request("node-1", &key, &csr);
	issue(ca, buf_str(&csr), &one);
	issue(ca, buf_str(&csr), &two);
	expect_ok(device_ca_check(ca, buf_str(&one), &a, &e), &e);
	expect_ok(device_ca_check(ca, buf_str(&two), &b, &e), &e);
	assert_false(sha256_eq(&a.digest, &b.digest));
}

/* ---- requests made by hand ---- */

struct forgery {
	const char *name;
	int type;          /* of the name's string */
	const char *group; /* NULL: RSA */
	const EVP_MD *(*md)(void);
	bool two_names, other_field, asks_for_more, other_signer;
	const char *piece; /* of the refusal, or NULL: taken */
};

static EVP_PKEY *make_key(const char *group)
{
	return group ? EVP_EC_gen(group) : EVP_RSA_gen(2048);
}

static void ask_for_more(X509_REQ *r)
{
	STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();

	sk_X509_EXTENSION_push(
		all, X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE"));
	sk_X509_EXTENSION_push(
		all, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:server"));
	X509_REQ_add_extensions(r, all);
	sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
}

static void forge(const struct forgery *f, struct buf *out)
{
	EVP_PKEY *key = make_key(f->group), *signer = f->other_signer ? make_key(f->group) : key;
	int field = f->other_field ? NID_organizationName : NID_commonName, n;
	X509_REQ *r = X509_REQ_new();
	X509_NAME *name = X509_REQ_get_subject_name(r);
	uint8_t *der = NULL;

	X509_NAME_add_entry_by_NID(
		name, field, f->type, (const uint8_t *)f->name, (int)strlen(f->name), -1, 0);
	if (f->two_names)
		X509_NAME_add_entry_by_NID(
			name, NID_commonName, f->type, (const uint8_t *)"node-2", -1, -1, 0);
	X509_REQ_set_pubkey(r, key);
	if (f->asks_for_more)
		ask_for_more(r);
	X509_REQ_sign(r, signer, f->md());
	n = i2d_X509_REQ(r, &der);
	buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	X509_REQ_free(r);
	if (signer != key)
		EVP_PKEY_free(signer);
	EVP_PKEY_free(key);
}

static const struct forgery forgeries[] = {
	{"node-1", MBSTRING_UTF8, "P-256", EVP_sha256, false, false, false, false, NULL},
	{"node-1", MBSTRING_UTF8, "P-256", EVP_sha256, false, false, true, false, NULL},
	{"node-1", MBSTRING_UTF8, "P-256", EVP_sha256, false, false, false, true, "own key"},
	{"node-1", MBSTRING_UTF8, "P-256", EVP_sha256, true, false, false, false, "common name"},
	{"node-1", MBSTRING_UTF8, "P-256", EVP_sha256, false, true, false, false, "common name"},
	{"node-1", MBSTRING_UTF8, "P-256", EVP_sha384, false, false, false, false, "SHA-256"},
	{"node-1", MBSTRING_UTF8, "P-256", EVP_sha1, false, false, false, false, "SHA-256"},
	{"node-1", MBSTRING_UTF8, "P-384", EVP_sha256, false, false, false, false, "P-256"},
	{"node-1", MBSTRING_UTF8, "secp256k1", EVP_sha256, false, false, false, false, "P-256"},
	{"node-1", MBSTRING_UTF8, NULL, EVP_sha256, false, false, false, false, "P-256"},
	{"node-1", V_ASN1_BMPSTRING, "P-256", EVP_sha256, false, false, false, false, "type"},
	{"", MBSTRING_UTF8, "P-256", EVP_sha256, false, false, false, false, "subject"},
	{"../etc", MBSTRING_UTF8, "P-256", EVP_sha256, false, false, false, false, "subject"},
	{"a b", MBSTRING_UTF8, "P-256", EVP_sha256, false, false, false, false, "subject"},
	{"0123456789012345678901234567890123456789012345678", MBSTRING_UTF8, "P-256", EVP_sha256,
		false, false, false, false, "subject"},
};

static void a_request_is_what_it_must_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forgeries); i++) {
		struct csr csr CLEANUP(csr_fini) = {.pkey = NULL};
		char what[64];
		BUF_AUTO der = {0};
		struct err e;

		snprintf(what, sizeof what, "request %zu", i);
		forge(&forgeries[i], &der);
		if (forgeries[i].piece)
			expect_err(csr_decode(buf_str(&der), &csr, &e), &e, ERR_BAD_INPUT,
				forgeries[i].piece, what);
		else
			expect_ok(csr_decode(buf_str(&der), &csr, &e), &e);
		assert_int_equal(csr.pkey != NULL, forgeries[i].piece == NULL);
	}
}

/* What the request asks for beyond name and key is not in the certificate. */
static void nothing_else_is_taken_over(void **state)
{
	BUF_AUTO der = {0}, cert = {0};
	struct device_cert seen;
	struct err e;
	const uint8_t *p;
	X509 *x;

	(void)state;
	forge(&forgeries[1], &der);
	issue(ca, buf_str(&der), &cert);
	expect_ok(device_ca_check(ca, buf_str(&cert), &seen, &e), &e);
	p = cert.p;
	x = d2i_X509(NULL, &p, (long)cert.n);
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(X509_get_ext_by_NID(x, NID_subject_alt_name, -1), -1);
	assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_CLIENT);
	X509_free(x);
}

/* Each single bit that is turned, each byte that is missing or too much. */
static void a_damaged_request_is_refused(void **state)
{
	BUF_AUTO key = {0}, good = {0}, longer = {0};
	struct csr csr = {.pkey = NULL};
	struct err e;

	(void)state;
	request("node-1", &key, &good);
	for (size_t i = 0; i < good.n; i++) {
		good.p[i] ^= (uint8_t)(1U << (i % 8));
		if (csr_decode(buf_str(&good), &csr, &e) == 0)
			fail_msg("byte %zu may be anything", i);
		good.p[i] ^= (uint8_t)(1U << (i % 8));
	}
	for (size_t n = 0; n < good.n; n++)
		assert_true(csr_decode((struct str){(char *)good.p, n}, &csr, &e) < 0);
	buf_add(&longer, good.p, good.n);
	buf_add_char(&longer, 0);
	expect_err(csr_decode(buf_str(&longer), &csr, &e), &e, ERR_BAD_INPUT, "after", "longer");
	while (longer.n <= CSR_MAX)
		buf_add_char(&longer, 0);
	expect_err(csr_decode(buf_str(&longer), &csr, &e), &e, ERR_TOO_LARGE, NULL, "large");
}

static void a_certificate_of_others_is_refused(void **state)
{
	BUF_AUTO key = {0}, csr = {0}, theirs = {0}, ours = {0};
	struct device_cert seen;
	struct err e;

	(void)state;
	request("node-1", &key, &csr);
	issue(other, buf_str(&csr), &theirs);
	expect_err(device_ca_check(ca, buf_str(&theirs), &seen, &e), &e, ERR_DENIED,
		"not issued here", "another authority");
	expect_err(device_ca_check(ca, device_ca_der(ca), &seen, &e), &e, ERR_DENIED, "device",
		"the authority itself");
	expect_err(device_ca_check(ca, STR("x"), &seen, &e), &e, ERR_BAD_INPUT, NULL, "no DER");
	issue(ca, buf_str(&csr), &ours);
	for (size_t i = 0; i < ours.n; i++) {
		ours.p[i] ^= 4;
		if (device_ca_check(ca, buf_str(&ours), &seen, &e) == 0)
			fail_msg("byte %zu may be anything", i);
		ours.p[i] ^= 4;
	}
}

/* ---- the device's side ---- */

static void an_answer_for_somebody_else_is_not_stored(void **state)
{
	BUF_AUTO key = {0}, csr = {0}, cert = {0}, bundle = {0}, stranger = {0}, none = {0},
		 two = {0}, pem = {0};
	struct str certs[2];
	struct err e;

	(void)state;
	request("node-1", &key, &csr);
	issue(ca, buf_str(&csr), &cert);
	certs[0] = certs[1] = buf_str(&cert);
	expect_ok(device_ca_bundle(certs, 1, &bundle, &e), &e);
	expect_ok(device_ca_bundle(certs, 0, &none, &e), &e);
	expect_ok(device_ca_bundle(certs, 2, &two, &e), &e);
	expect_ok(ident_key_new(&stranger, &e), &e);
	expect_err(ident_answer(buf_str(&bundle), buf_str(&stranger), "node-1", &pem, &e), &e,
		ERR_ALTERED, "another key", "another key");
	expect_err(ident_answer(buf_str(&bundle), buf_str(&key), "node-2", &pem, &e), &e,
		ERR_ALTERED, "node-2", "another name");
	expect_err(ident_answer(buf_str(&none), buf_str(&key), "node-1", &pem, &e), &e, ERR_ALTERED,
		"one certificate", "none");
	expect_err(ident_answer(buf_str(&two), buf_str(&key), "node-1", &pem, &e), &e, ERR_ALTERED,
		"one certificate", "two");
	expect_err(ident_answer(buf_str(&cert), buf_str(&key), "node-1", &pem, &e), &e, ERR_ALTERED,
		"PKCS#7", "bare");
	expect_err(ident_answer(STR(""), buf_str(&key), "node-1", &pem, &e), &e, ERR_ALTERED,
		"PKCS#7", "empty");
	for (size_t n = 0; n < bundle.n; n += 7)
		assert_true(ident_answer((struct str){(char *)bundle.p, n}, buf_str(&key), "node-1",
				    &pem, &e) < 0);
	assert_int_equal(pem.n, 0);
}

/* ---- the folder ---- */

static void a_folder_that_does_not_fit_together_is_refused(void **state)
{
	struct device_ca *bad = NULL;
	struct err e;

	(void)state;
	expect_err(device_ca_create("ca", NOW, &e), &e, ERR_CONFLICT, NULL, "twice");
	assert_int_equal(system("cp -r ca mixed && cp other/device-ca.crt mixed/"), 0);
	expect_err(device_ca_open("mixed", &bad, &e), &e, ERR_CONFIG, "not of the key", "mixed");
	assert_int_equal(system("cp -r ca open && chmod 644 open/device-ca.pem"), 0);
	expect_err(device_ca_open("open", &bad, &e), &e, ERR_DENIED, NULL, "readable");
	assert_int_equal(system("cp -r ca bare && rm bare/device-ca.crt"), 0);
	expect_err(device_ca_open("bare", &bad, &e), &e, ERR_NOT_FOUND, NULL, "bare");
	expect_err(device_ca_open("nowhere", &bad, &e), &e, ERR_NOT_FOUND, NULL, "nowhere");
	assert_null(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_gets_a_certificate_for_its_own_key),
		cmocka_unit_test(no_serial_number_comes_twice),
		cmocka_unit_test(a_request_is_what_it_must_be),
		cmocka_unit_test(nothing_else_is_taken_over),
		cmocka_unit_test(a_damaged_request_is_refused),
		cmocka_unit_test(a_certificate_of_others_is_refused),
		cmocka_unit_test(an_answer_for_somebody_else_is_not_stored),
		cmocka_unit_test(a_folder_that_does_not_fit_together_is_refused),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
