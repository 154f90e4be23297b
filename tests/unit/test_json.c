#include "tests/lib/expect.h"

#include <string.h>

#include "proto/wire/json.h"
#include "proto/wire/limits.h"

/* ---- what is refused, and where ---- */

static const struct {
	const char *text, *place;
} bad[] = {
	{"", "line 1, column 1"},
	{"   ", "line 1"},
	{"1", "line 1"}, /* a document is an object or an array */
	{"\"text\"", NULL},
	{"null", NULL},
	{"{\"a\":1,\"a\":2}", "duplicate"},
	{"{\"a\":{\"b\":1,\"b\":1}}", "duplicate"},
	{"{\"a\":1,\"\\u0061\":2}", "duplicate"},
	{"[1.5]", "line 1, column 2: a fraction"},
	{"[1.0]", "column 2: a fraction"},
	{"[1e5]", "column 2: a fraction or an exponent"},
	{"[1E5]", "column 2"},
	{"[1e+5]", "column 2"},
	{"[0e0]", "column 2"},
	{"[1e999]", "column 2"},
	{"{\"a\":\n  -0.5}", "line 2, column 3"},
	{"[9007199254740992]", "53 bits"},
	{"[-9007199254740992]", "53 bits"},
	{"[99999999999999999999999999]", "53 bits"},
	{"[-]", "whole number"},
	{"[--1]", "whole number"},
	{"[1-1]", "whole number"},
	{"[+1]", "invalid token"},
	{"[01]", "invalid token"},
	{"[-01]", NULL},
	{"[.5]", NULL},
	{"[NaN]", NULL},
	{"[Infinity]", NULL},
	{"[1] []", "end of file expected"},
	{"[1]\0", NULL},
	{"{}}", "end of file expected"},
	{"]", NULL},
	{"[1,]", NULL},
	{"[,1]", NULL},
	{"{,}", NULL},
	{"{\"a\"}", NULL},
	{"{\"a\":}", NULL},
	{"{a:1}", NULL},
	{"{'a':1}", NULL},
	{"[", NULL},
	{"{\"a\":[", NULL},
	{"[\"a", NULL},
	{"[\"a\\", NULL},
	{"[\"\\x\"]", NULL},
	{"[\"\\u12\"]", NULL},
	{"[\"\\u0000\"]", NULL},
	{"{\"\\u0000\":1}", NULL},
	{"[\"\\ud800\"]", NULL},
	{"[\"\\udc00\"]", NULL},
	{"[\"\\ud800\\u0041\"]", NULL},
	{"[\"\n\"]", NULL},
	{"[\"\t\"]", NULL},
	{"[\"\x01\"]", NULL},
	{"[\"\xff\"]", NULL},
	{"[\"\xc0\x80\"]", NULL},         /* an overlong NUL */
	{"[\"\xed\xa0\x80\"]", NULL},     /* a surrogate as UTF-8 */
	{"[\"\xf4\x90\x80\x80\"]", NULL}, /* beyond the last code point */
	{"[\"\xc3\"]", NULL},
	{"\xef\xbb\xbf[]", NULL},
	{"[tru]", NULL},
	{"[True]", NULL},
	{"/* */[]", NULL},
	{"[1] // no", NULL},
};

static void what_is_not_strict_is_refused(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_t *j = NULL;
		/* The row that ends in a NUL means that NUL. */
		size_t n = strlen(bad[i].text) + (strcmp(bad[i].text, "[1]") == 0);

		expect_err(json_read((struct str){bad[i].text, n}, 1000, &j, &e), &e, ERR_BAD_INPUT,
			bad[i].place, bad[i].text);
		assert_null(j);
		assert_true(str_has_prefix(str_of(e.text), "line "));
	}
}

/* An error text goes to logs and terminals, so nothing of the input may be in it. */
static void errors_do_not_carry_the_input(void **state)
{
	struct err e;
	json_t *j;

	(void)state;
	expect_err(
		json_read(STR("[\x1b]0;evil\x07]"), 100, &j, &e), &e, ERR_BAD_INPUT, NULL, "esc");
	assert_null(strstr(e.text, "evil"));
	for (const char *p = e.text; *p; p++)
		assert_true(*p >= 0x20 && *p < 0x7f);
}

static void size_and_depth_are_bounded(void **state)
{
	char deep[2 * (LIMIT_JSON_DEPTH + 1) + 1];
	BUF_AUTO deeper = {0};
	struct err e;
	json_t *j = NULL;

	(void)state;
	expect_err(json_read(STR("[1, 2]"), 5, &j, &e), &e, ERR_TOO_LARGE, "6 bytes", "size");
	memset(deep, '[', LIMIT_JSON_DEPTH);
	memset(deep + LIMIT_JSON_DEPTH, ']', LIMIT_JSON_DEPTH);
	expect_ok(json_read((struct str){deep, 2 * LIMIT_JSON_DEPTH}, 100, &j, &e), &e);
	json_release(&j);
	assert_null(j);
	memset(deep, '[', LIMIT_JSON_DEPTH + 1);
	memset(deep + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
	expect_err(json_read((struct str){deep, sizeof deep - 1}, 100, &j, &e), &e, ERR_BAD_INPUT,
		"column 33: nested too deep", "deep");
	for (int i = 0; i < 100000; i++)
		buf_add_str(&deeper, "{\"a\":");
	expect_err(json_read(buf_str(&deeper), deeper.n, &j, &e), &e, ERR_BAD_INPUT,
		"nested too deep", "very deep");
	/* Brackets in text are no nesting. */
	expect_ok(
		json_read(STR("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"]"), 100, &j, &e),
		&e);
	json_release(&j);
}

/* ---- writing ---- */

static const struct {
	const char *text, *canonical, *line;
} forms[] = {
	{"{}", "{}", "{}"},
	{"[ ]", "[]", "[]"},
	{"{\"b\" : 1, \"a\" : [true, false, null]}", "{\"a\":[true,false,null],\"b\":1}",
		"{\"b\":1,\"a\":[true,false,null]}"},
	{"[9007199254740991, -9007199254740991, 0, -0]", "[9007199254740991,-9007199254740991,0,0]",
		"[9007199254740991,-9007199254740991,0,0]"},
	{"[\"\\\"\\\\\\/\\n\\u001f\\u007f\"]", "[\"\\\"\\\\/\n\x1f\x7f\"]",
		"[\"\\\"\\\\/\\u000a\\u001f\\u007f\"]"},
	{"[\"\\u00e9\\ud83d\\ude00\"]", "[\"\xc3\xa9\xf0\x9f\x98\x80\"]",
		"[\"\xc3\xa9\xf0\x9f\x98\x80\"]"},
	/* By code point: U+FF5E before U+1F600, though its UTF-16 form would sort behind. */
	{"{\"\\ud83d\\ude00\":1,\"\\uff5e\":2,\"z\":3,\"Z\":4,\"\":5,\"aa\":6,\"a\":7}",
		"{\"\":5,\"Z\":4,\"a\":7,\"aa\":6,\"z\":3,\"\xef\xbd\x9e\":2,\"\xf0\x9f\x98\x80\":1}",
		"{\"\xf0\x9f\x98\x80\":1,\"\xef\xbd\x9e\":2,\"z\":3,\"Z\":4,\"\":5,\"aa\":6,\"a\":7}"},
	{"{\"q\\\"\":{\"y\":{},\"x\":[[],[{}]]}}", "{\"q\\\"\":{\"x\":[[],[{}]],\"y\":{}}}",
		"{\"q\\\"\":{\"y\":{},\"x\":[[],[{}]]}}"},
};

static void one_value_has_one_canonical_form(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		BUF_AUTO canonical = {0}, line = {0}, again = {0};
		JSON_AUTO *j = NULL, *k = NULL;

		expect_ok(json_read(str_of(forms[i].text), 1000, &j, &e), &e);
		json_canonical(j, &canonical);
		json_write(j, &line);
		expect_text(buf_cstr(&canonical), forms[i].canonical);
		expect_text(buf_cstr(&line), forms[i].line);
		expect_ok(json_read(buf_str(&line), 1000, &k, &e), &e);
		json_canonical(k, &again);
		expect_text(buf_cstr(&again), forms[i].canonical);
	}
}

/* ---- members ---- */

static const char *const colours[] = {"red", "green", "blue"};

static json_t *sample(void)
{
	struct err e;
	json_t *j = NULL;

	expect_ok(
		json_read(
			STR("{\"o\":{},\"a\":[1,2,3],\"t\":\"text\",\"n\":7,\"neg\":-1,\"yes\":true,"
			    "\"no\":false,\"nul\":null,\"c\":\"green\",\"id\":\"ocr-4\",\"ctl\":\"a\\u001bb\","
			    "\"bell\":\"\\u007f\",\"empty\":\"\",\"x-note\":1}"),
			1000, &j, &e),
		&e);
	return j;
}

static void members_of_the_wrong_type_are_named(void **state)
{
	JSON_AUTO *j = sample();
	const json_t *sub = NULL;
	char text[5] = "old";
	uint64_t n = 4711;
	unsigned choice = 4711;
	bool flag = true;
	struct err e;

	(void)state;
	expect_err(json_obj(j, "w", "none", &sub, &e), &e, ERR_BAD_INPUT, "w.none is missing", "");
	expect_err(json_obj(j, "w", "a", &sub, &e), &e, ERR_BAD_INPUT, "w.a: an object", "");
	expect_err(
		json_arr(j, "w", "none", 9, &sub, &e), &e, ERR_BAD_INPUT, "w.none is missing", "");
	expect_err(json_arr(j, "w", "o", 9, &sub, &e), &e, ERR_BAD_INPUT, "w.o: an array", "");
	expect_err(json_arr(j, "w", "a", 2, &sub, &e), &e, ERR_TOO_LARGE, "at most 2", "");
	expect_err(json_text(j, "w", "none", text, 5, &e), &e, ERR_BAD_INPUT, "missing", "");
	expect_err(json_text(j, "w", "n", text, 5, &e), &e, ERR_BAD_INPUT, "w.n: text", "");
	expect_err(json_text(j, "w", "nul", text, 5, &e), &e, ERR_BAD_INPUT, "w.nul: text", "");
	expect_err(json_text(j, "w", "t", text, 4, &e), &e, ERR_TOO_LARGE, "w.t: 4 bytes", "");
	expect_err(json_text(j, "w", "ctl", text, 5, &e), &e, ERR_BAD_INPUT, "control", "");
	expect_err(json_text_opt(j, "w", "bell", text, 5, &e), &e, ERR_BAD_INPUT, "control", "");
	expect_err(json_u64(j, "w", "none", 0, 9, &n, &e), &e, ERR_BAD_INPUT, "missing", "");
	expect_err(json_u64(j, "w", "t", 0, 9, &n, &e), &e, ERR_BAD_INPUT, "a whole number", "");
	expect_err(
		json_u64(j, "w", "neg", 0, 9, &n, &e), &e, ERR_BAD_INPUT, "-1 is not between", "");
	expect_err(json_u64(j, "w", "n", 8, 9, &n, &e), &e, ERR_BAD_INPUT, "between 8 and 9", "");
	expect_err(json_u64_opt(j, "w", "n", 0, 6, &n, &e), &e, ERR_BAD_INPUT, "7 is not", "");
	expect_err(json_bool_opt(j, "w", "n", &flag, &e), &e, ERR_BAD_INPUT, "true or false", "");
	expect_err(json_choice(j, "w", "none", colours, 3, &choice, &e), &e, ERR_BAD_INPUT,
		"missing", "");
	expect_err(
		json_choice(j, "w", "n", colours, 3, &choice, &e), &e, ERR_BAD_INPUT, "text", "");
	expect_err(json_choice_opt(j, "w", "t", colours, 3, &choice, &e), &e, ERR_BAD_INPUT,
		"\"text\" is none of: red, green, blue", "");
	assert_null(sub);
	expect_text(text, "old");
	assert_int_equal(n, 4711);
	assert_int_equal(choice, 4711);
	assert_true(flag);
}

static void members_are_read(void **state)
{
	JSON_AUTO *j = sample();
	const json_t *sub = NULL;
	char text[5] = "old";
	uint64_t n = 1;
	unsigned choice = 0;
	bool flag = true;
	struct err e;

	(void)state;
	expect_ok(json_obj(j, "w", "o", &sub, &e), &e);
	assert_true(json_is_object(sub));
	expect_ok(json_arr(j, "w", "a", 3, &sub, &e), &e);
	assert_int_equal(json_array_size(sub), 3);
	expect_ok(json_text_opt(j, "w", "none", text, 5, &e), &e);
	expect_text(text, "old");
	expect_ok(json_text_opt(j, "w", "t", text, 5, &e), &e);
	expect_text(text, "text");
	expect_ok(json_text(j, "w", "empty", text, 5, &e), &e);
	expect_text(text, "");
	expect_ok(json_u64_opt(j, "w", "none", 0, 9, &n, &e), &e);
	assert_int_equal(n, 1);
	expect_ok(json_u64_opt(j, "w", "n", 7, 7, &n, &e), &e);
	assert_int_equal(n, 7);
	expect_ok(json_bool_opt(j, "w", "none", &flag, &e), &e);
	assert_true(flag);
	expect_ok(json_bool_opt(j, "w", "no", &flag, &e), &e);
	assert_false(flag);
	expect_ok(json_bool_opt(j, "w", "yes", &flag, &e), &e);
	assert_true(flag);
	expect_ok(json_choice_opt(j, "w", "none", colours, 3, &choice, &e), &e);
	assert_int_equal(choice, 0);
	expect_ok(json_choice_opt(j, "w", "c", colours, 3, &choice, &e), &e);
	assert_int_equal(choice, 1);
}

#define DIGEST "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void ids_spans_and_digests_are_members(void **state)
{
	JSON_AUTO *j = sample();
	struct sha256 d = {0};
	char id[ID_TEXT_MAX] = "old", hex[SHA256_TEXT];
	ms_t span = 5;
	struct err e;

	(void)state;
	json_object_set_new(j, "digest", json_string(DIGEST));
	json_object_set_new(j, "capitals", json_string("BA" DIGEST));
	json_object_set_new(j, "long", json_integer((json_int_t)LIMIT_SPAN_MS + 1));
	expect_ok(json_id_opt(j, "w", "none", id, &e), &e);
	expect_err(json_id(j, "w", "none", id, &e), &e, ERR_BAD_INPUT, "w.none is missing", "");
	expect_err(json_id(j, "w", "empty", id, &e), &e, ERR_BAD_INPUT, "w.empty: 0", "");
	expect_text(id, "old");
	expect_ok(json_id_opt(j, "w", "id", id, &e), &e);
	expect_text(id, "ocr-4");
	expect_ok(json_span_opt(j, "w", "none", 0, &span, &e), &e);
	assert_int_equal(span, 5);
	expect_err(json_span_opt(j, "w", "long", 0, &span, &e), &e, ERR_BAD_INPUT, "w.long", "");
	expect_err(json_span_opt(j, "w", "n", 8, &span, &e), &e, ERR_BAD_INPUT, "w.n", "");
	expect_ok(json_span_opt(j, "w", "n", 7, &span, &e), &e);
	assert_int_equal(span, 7);
	expect_ok(json_digest_opt(j, "w", "none", &d, &e), &e);
	expect_err(json_digest(j, "w", "none", &d, &e), &e, ERR_BAD_INPUT, "missing", "");
	expect_err(json_digest(j, "w", "t", &d, &e), &e, ERR_BAD_INPUT, "w.t: sha256: 4 hex", "");
	expect_err(json_digest(j, "w", "capitals", &d, &e), &e, ERR_TOO_LARGE, "w.capitals", "");
	json_object_set_new(j, "capitals",
		json_string("BA"
			    "7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	expect_err(json_digest(j, "w", "capitals", &d, &e), &e, ERR_BAD_INPUT, "capitals", "");
	assert_true(sha256_is_zero(&d));
	expect_ok(json_digest_opt(j, "w", "digest", &d, &e), &e);
	sha256_format(&d, hex);
	expect_text(hex, DIGEST);
}

static void unknown_members_are_refused(void **state)
{
	static const char *const known[] = {"name", "timeout_ms", NULL};
	static const char *const none[] = {NULL};
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"{}", NULL},
		{"{\"name\":1,\"x-anything\":2,\"timeout_ms\":3}", NULL},
		{"{\"nam\":1}", "w: unknown member \"nam\", is \"name\" meant?"},
		{"{\"name\":1,\"timeout\":1}", "unknown member \"timeout\""},
		{"{\"tim\\u001bout_ms\":1}", "\"tim?out_ms\", is \"timeout_ms\" meant?"},
		{"{\"X-name\":1}", "unknown member"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		JSON_AUTO *j = NULL;
		int rc;

		expect_ok(json_read(str_of(rows[i].text), 100, &j, &e), &e);
		rc = json_only(j, "w", known, &e);
		if (rows[i].want)
			expect_err(rc, &e, ERR_BAD_INPUT, rows[i].want, rows[i].text);
		else
			expect_ok(rc, &e);
		rc = json_only(j, "w", none, &e);
		assert_int_equal(rc<0, i> 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_strict_is_refused),
		cmocka_unit_test(errors_do_not_carry_the_input),
		cmocka_unit_test(size_and_depth_are_bounded),
		cmocka_unit_test(one_value_has_one_canonical_form),
		cmocka_unit_test(members_of_the_wrong_type_are_named),
		cmocka_unit_test(members_are_read),
		cmocka_unit_test(ids_spans_and_digests_are_members),
		cmocka_unit_test(unknown_members_are_refused),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
