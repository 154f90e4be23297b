#include "tests/lib/expect.h"

#include <string.h>

#include "proto/trust/dsse.h"
#include "proto/wire/base64.h"
#include "tests/lib/witness.h"

/* ---- the specification's own vector (protocol.md): its signature is raw r and s, ours are DER
 * ---- */

static const char spec_key[] = "-----BEGIN PUBLIC KEY-----\n"
			       "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ805D3eqNZywjCI19lInBJOp7YMr\n"
			       "CrzAH3CVTAOQ0jgMeCvVTiaRJaRPRDOv8UMs6U4SvKc6pnrIDOoSYI3fdA==\n"
			       "-----END PUBLIC KEY-----\n";
static const char spec_sig[] = "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJ"
			       "PcIAriEGAHTVeCUjW2JIZA==";

static size_t der_integer(const uint8_t *v, uint8_t *out)
{
	size_t skip = 0, pad;

	while (skip < 31 && v[skip] == 0)
		skip++;
	pad = v[skip] >> 7;
	out[0] = 2;
	out[1] = (uint8_t)(32 - skip + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, v + skip, 32 - skip);
	return 2 + pad + 32 - skip;
}

static void the_vector_of_the_specification_holds(void **state)
{
	BUF_AUTO raw = {0}, pae = {0};
	struct pub_key key;
	uint8_t der[80] = {0x30};
	struct err e;
	size_t n;

	(void)state;
	dsse_pae(STR("http://example.com/HelloWorld"), STR("hello world"), &pae);
	expect_text(buf_cstr(&pae), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
	expect_ok(base64_decode(str_of(spec_sig), &raw, &e), &e);
	assert_int_equal(raw.n, 64);
	n = der_integer(raw.p, der + 2);
	n += der_integer(raw.p + 32, der + 2 + n);
	der[1] = (uint8_t)n;
	expect_ok(pub_key_parse("ecdsa", "ecdsa-sha2-nistp256", spec_key, &key, &e), &e);
	expect_ok(sig_verify(&key, buf_str(&pae), der, n + 2, &e), &e);
	expect_err(sig_verify(&key, buf_str(&pae), raw.p, raw.n, &e), &e, ERR_UNSIGNED, NULL,
		"raw r and s");
}

static void lengths_keep_type_and_payload_apart(void **state)
{
	BUF_AUTO a = {0}, b = {0};

	(void)state;
	dsse_pae(STR("a"), STR("b c"), &a);
	dsse_pae(STR("a 3 b"), STR("c"), &b);
	assert_false(str_eq(buf_str(&a), buf_str(&b)));
	buf_clear(&a);
	dsse_pae(STR(""), (struct str){"\0\n", 2}, &a);
	assert_int_equal(a.n, 14);
	assert_memory_equal(a.p, "DSSEv1 0  2 \0\n", 14);
}

/* ---- counting ---- */

struct envelope {
	struct witness w;
	struct buf text;
	struct dsse d;
	struct pub_key lab, lab_2, builder;
};

static int envelope_open(void **state)
{
	struct envelope *v = mem_new(sizeof *v);
	BUF_AUTO predicate = {0}, statement = {0};
	const struct sign_key *keys[2];
	struct err e;

	memset(v, 0, sizeof *v);
	witness_init(&v->w);
	keys[0] = &v->w.keys[WITNESS_LAB];
	keys[1] = &v->w.lab_2;
	witness_predicate(PREDICATE_TEST_RESULT, "44", 1790000000, &predicate);
	witness_statement(predicate_type(PREDICATE_TEST_RESULT), buf_str(&predicate),
		&(struct sha256){{1}}, &statement);
	expect_ok(attest_sign(buf_str(&statement), keys, 2, &v->text, &e), &e);
	expect_ok(dsse_parse(buf_str(&v->text), LIMIT_ENVELOPE_BYTES, &v->d, &e), &e);
	v->lab = v->w.keys[WITNESS_LAB].pub;
	v->lab_2 = v->w.lab_2.pub;
	v->builder = v->w.keys[WITNESS_BUILDER].pub;
	*state = v;
	return 0;
}

static int envelope_close(void **state)
{
	struct envelope *v = *state;

	witness_fini(&v->w);
	buf_fini(&v->text);
	dsse_fini(&v->d);
	mem_free(&v);
	return 0;
}

static void distinct_keys_are_counted(void **state)
{
	struct envelope *v = *state;
	struct pub_key both[] = {v->lab, v->lab_2}, twice[] = {v->lab, v->lab},
		       other[] = {v->builder};
	struct err e;

	assert_int_equal(v->d.n, 2);
	expect_ok(dsse_verify(&v->d, both, 2, 1, &e), &e);
	expect_ok(dsse_verify(&v->d, both, 2, 2, &e), &e);
	expect_ok(dsse_verify(&v->d, twice, 2, 1, &e), &e);
	expect_err(dsse_verify(&v->d, twice, 2, 2, &e), &e, ERR_UNSIGNED, "1 of 2",
		"one key that is listed twice");
	expect_err(dsse_verify(&v->d, both, 2, 3, &e), &e, ERR_UNSIGNED, "2 of 3", "threshold 3");
	expect_err(dsse_verify(&v->d, other, 1, 1, &e), &e, ERR_UNSIGNED, "0 of 1", "no such key");
	expect_err(dsse_verify(&v->d, both, 2, 0, &e), &e, ERR_UNSIGNED, NULL, "threshold 0");
	expect_err(dsse_verify(&v->d, NULL, 0, 1, &e), &e, ERR_UNSIGNED, NULL, "no keys");
}

static void a_signature_counts_once_however_often_it_stands(void **state)
{
	struct envelope *v = *state;
	struct pub_key both[] = {v->lab, v->lab_2};
	struct err e;

	v->d.sigs[1] = v->d.sigs[0];
	expect_ok(dsse_verify(&v->d, both, 2, 1, &e), &e);
	expect_err(dsse_verify(&v->d, both, 2, 2, &e), &e, ERR_UNSIGNED, "1 of 2",
		"one signature twice");
}

static void every_changed_byte_is_found(void **state)
{
	struct envelope *v = *state;
	struct err e;

	for (size_t i = 0; i < v->d.payload.n; i += 7) {
		v->d.payload.p[i] ^= 1;
		expect_err(
			dsse_verify(&v->d, &v->lab, 1, 1, &e), &e, ERR_UNSIGNED, NULL, "payload");
		v->d.payload.p[i] ^= 1;
	}
	expect_ok(dsse_verify(&v->d, &v->lab, 1, 1, &e), &e);
}

/* The same bytes in the other alphabet, and without the key ids, which decide nothing. */
static void the_writer_chooses_the_alphabet(void **state)
{
	struct envelope *v = *state;
	BUF_AUTO text = {0};
	JSON_AUTO *j = NULL;
	DSSE_AUTO d = {.n = 0};
	struct err e;

	expect_ok(json_read(buf_str(&v->text), v->text.n, &j, &e), &e);
	json_object_del(json_array_get(json_object_get(j, "signatures"), 0), "keyid");
	json_object_set_new(json_array_get(json_object_get(j, "signatures"), 1), "keyid",
		json_string("somebody else"));
	json_object_set_new(j, "comment", json_string("ignored"));
	json_write(j, &text);
	for (size_t i = 0; i < text.n; i++)
		text.p[i] = text.p[i] == '+' ? '-' : text.p[i];
	for (size_t i = 0; i < text.n; i++) /* but not that of the payload type */
		if (text.p[i] == '/' && memcmp(text.p + i, "/vnd", 4) != 0)
			text.p[i] = '_';
	for (size_t i = 0; i + 9 < text.n; i++)
		if (memcmp(text.p + i, "in-toto-json", 12) == 0)
			text.p[i + 7] = '+';
	expect_ok(dsse_parse(buf_str(&text), text.n, &d, &e), &e);
	expect_ok(dsse_verify(&d, (struct pub_key[]){v->lab, v->lab_2}, 2, 2, &e), &e);
}

static void further_signatures_are_added(void **state)
{
	struct envelope *v = *state;
	const struct sign_key *keys[] = {&v->w.keys[WITNESS_LAB], &v->w.keys[WITNESS_BUILDER]};
	BUF_AUTO more = {0};
	DSSE_AUTO d = {.n = 0};
	struct err e;

	expect_ok(attest_sign_more(buf_str(&v->text), keys, 2, &more, &e), &e);
	expect_ok(dsse_parse(buf_str(&more), more.n, &d, &e), &e);
	assert_int_equal(d.n, 3);
	expect_ok(dsse_verify(&d, (struct pub_key[]){v->lab, v->lab_2, v->builder}, 3, 3, &e), &e);
}

static void nobody_signs_what_nobody_can_read(void **state)
{
	struct envelope *v = *state;
	const struct sign_key *key = &v->w.keys[WITNESS_LAB];
	BUF_AUTO out = {0};
	struct err e;

	expect_err(attest_sign(STR("{\"_type\":\"link\"}"), &key, 1, &out, &e), &e, ERR_BAD_INPUT,
		"_type", "a link");
	expect_err(attest_sign(STR("hello"), &key, 1, &out, &e), &e, ERR_BAD_INPUT, NULL, "text");
	assert_int_equal(out.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vector_of_the_specification_holds),
		cmocka_unit_test(lengths_keep_type_and_payload_apart),
		cmocka_unit_test_setup_teardown(
			distinct_keys_are_counted, envelope_open, envelope_close),
		cmocka_unit_test_setup_teardown(a_signature_counts_once_however_often_it_stands,
			envelope_open, envelope_close),
		cmocka_unit_test_setup_teardown(
			every_changed_byte_is_found, envelope_open, envelope_close),
		cmocka_unit_test_setup_teardown(
			the_writer_chooses_the_alphabet, envelope_open, envelope_close),
		cmocka_unit_test_setup_teardown(
			further_signatures_are_added, envelope_open, envelope_close),
		cmocka_unit_test_setup_teardown(
			nobody_signs_what_nobody_can_read, envelope_open, envelope_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
