#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "keys/request.h"

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DOCUMENT                                                                                   \
	STR("{\"format\": 1, \"id\": \"ocr-1\", \"product\": \"ocr\", \"version\": \"1\", "        \
	    "\"components\": [{\"name\": \"m\", \"kind\": \"model\", \"path\": \"m\", "            \
	    "\"artifact\": {\"digest\": \"" DIGEST "\", \"length\": 0, \"tree\": \"" DIGEST        \
	    "\"}}]}")

static struct sign_key key;
static struct release_terms terms = {.n_hardware = 2,
	.hardware = {"edge-x86", "edge-arm"},
	.counter = 4,
	.n_rollback_to = 2,
	.rollback_to = {{"ocr-0"}, {"ocr-00"}},
	.evidence = {1, {{"urn:backstay:consent:v1", 5, {{7}}}}}};

static int key_made(void **state)
{
	struct err e;

	(void)state;
	return sign_key_new("creator-1", SIG_ECDSA_P256, &key, &e);
}

static int key_gone(void **state)
{
	(void)state;
	sign_key_fini(&key);
	return 0;
}

static void a_request_says_what_was_asked(void **state)
{
	BUF_AUTO bytes = {0};
	struct request r;
	struct err e = {0};

	(void)state;
	assert_int_equal(request_encode(DOCUMENT, &terms, &key, &bytes, &e), 0);
	if (request_decode(buf_str(&bytes), &r, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(r.path, "ocr/ocr-1.json");
	assert_int_equal(r.terms.n_hardware, 2);
	assert_string_equal(r.terms.hardware[1], "edge-arm");
	assert_int_equal(r.terms.counter, 4);
	assert_int_equal(r.terms.n_rollback_to, 2);
	assert_string_equal(r.terms.rollback_to[1].s, "ocr-00");
	assert_int_equal(r.terms.evidence.n, 1);
	assert_int_equal(r.terms.evidence.v[0].length, 5);
	assert_true(sha256_eq(&r.terms.evidence.v[0].hash, &terms.evidence.v[0].hash));
	assert_true(sha256_eq(&r.terms.creator, &key.pub.spki));
	assert_int_equal(request_check_document(&r, DOCUMENT, &e), 0);
	assert_int_equal(request_check_document(&r, STR("{}"), &e), -ERR_ALTERED);
}

/* Signs a part that a case has changed. */
static int decode_changed(const char *member, json_t *value, struct err *e)
{
	const struct sign_key *keys[] = {&key};
	BUF_AUTO bytes = {0}, changed = {0};
	JSON_AUTO *file = NULL;
	struct request r;
	json_t *part;

	assert_int_equal(request_encode(DOCUMENT, &terms, &key, &bytes, e), 0);
	assert_int_equal(json_read(buf_str(&bytes), LIMIT_REQUEST_BYTES, &file, e), 0);
	part = json_object_get(file, "signed");
	if (value)
		json_object_set_new(part, member, value);
	else
		json_object_del(part, member);
	assert_int_equal(sign_meta(part, keys, 1, &changed, e), 0);
	return request_decode(buf_str(&changed), &r, e);
}

static json_t *many(unsigned n)
{
	json_t *list = json_array();

	while (n--)
		json_array_append_new(list, json_string("edge"));
	return list;
}

static void what_is_no_request_is_refused(void **state)
{
	const struct {
		const char *member;
		json_t *value; /* NULL: missing */
		enum err_code want;
	} cases[] = {
		{"_type", json_string("targets"), ERR_BAD_INPUT},
		{"_type", NULL, ERR_BAD_INPUT},
		{"format", json_integer(2), ERR_BAD_INPUT},
		{"path", json_string("../ocr-1.json"), ERR_BAD_INPUT},
		{"path", json_string("/ocr-1.json"), ERR_BAD_INPUT},
		{"path", json_integer(1), ERR_BAD_INPUT},
		{"length", json_integer(0), ERR_BAD_INPUT},
		{"length", json_integer(LIMIT_RELEASE_BYTES + 1), ERR_BAD_INPUT},
		{"sha256", json_string("00"), ERR_BAD_INPUT},
		{"sha256", NULL, ERR_BAD_INPUT},
		{"hardware", json_array(), ERR_BAD_INPUT},
		{"hardware", json_pack("[i]", 1), ERR_BAD_INPUT},
		{"hardware", json_pack("[s]", "a b"), ERR_BAD_INPUT},
		{"hardware", many(LIMIT_HARDWARE_IDS + 1), ERR_TOO_LARGE},
		{"evidence", json_integer(0), ERR_BAD_INPUT},
		{"counter", json_integer(0), ERR_BAD_INPUT},
		{"counter", json_string("4"), ERR_BAD_INPUT},
		{"rollbackTo", many(LIMIT_ROLLBACK_TO + 1), ERR_TOO_LARGE},
		{"rollbackTo", NULL, ERR_BAD_INPUT},
		{"creator", NULL, ERR_BAD_INPUT},
		{"creator", json_pack("{s:s}", "keytype", "ecdsa"), ERR_BAD_INPUT},
		{"creator",
			json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ecdsa", "scheme",
				"ecdsa-sha2-nistp256", "keyval", "public", "no key"),
			ERR_BAD_INPUT},
		{"creator",
			json_pack("{s:s, s:s, s:{s:s}}", "keytype", "odd", "scheme", "odd",
				"keyval", "public", "of an unknown scheme"),
			ERR_UNSIGNED},
		{"surprise", json_true(), ERR_BAD_INPUT},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (decode_changed(cases[i].member, cases[i].value, &e) != -(int)cases[i].want)
			fail_msg("case %zu, %s: not as expected: %s", i, cases[i].member, e.text);
}

static void another_signature_is_refused(void **state)
{
	BUF_AUTO bytes = {0}, other = {0};
	JSON_AUTO *file = NULL;
	const struct sign_key *keys[1];
	struct sign_key stranger;
	struct request r;
	struct err e;

	(void)state;
	assert_int_equal(sign_key_new("creator-2", SIG_ECDSA_P256, &stranger, &e), 0);
	keys[0] = &stranger;
	assert_int_equal(request_encode(DOCUMENT, &terms, &key, &bytes, &e), 0);
	assert_int_equal(json_read(buf_str(&bytes), LIMIT_REQUEST_BYTES, &file, &e), 0);
	assert_int_equal(sign_meta(json_object_get(file, "signed"), keys, 1, &other, &e), 0);
	assert_int_equal(request_decode(buf_str(&other), &r, &e), -ERR_UNSIGNED);
	buf_clear(&other);
	assert_int_equal(sign_meta(json_object_get(file, "signed"), keys, 0, &other, &e), 0);
	assert_int_equal(request_decode(buf_str(&other), &r, &e), -ERR_BAD_INPUT);
	for (size_t cut = 0; cut + 1 < bytes.n; cut += 7)
		assert_int_equal(
			request_decode((struct str){(char *)bytes.p, cut}, &r, &e), -ERR_BAD_INPUT);
	sign_key_fini(&stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_says_what_was_asked),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(another_signature_is_refused),
	};

	return cmocka_run_group_tests(tests, key_made, key_gone);
}
