#include "tests/lib/expect.h"

#include <string.h>

#include "proto/wire/base64.h"
#include "proto/wire/decimal.h"
#include "proto/wire/json.h"

/* ---- comparing ---- */

static const struct {
	const char *a;
	int order;
	const char *b;
} ordered[] = {
	{"0", 0, "-0.000"},
	{"0", 0, "0e99"},
	{"45", 0, "45.0"},
	{"45", 0, "4.5e1"},
	{"45", 0, "450E-1"},
	{"45", 0, "0.0045e+4"},
	{"45.00000000000000000001", 1, "45"},
	{"44.99999999999999999999", -1, "45"},
	{"9007199254740993", 1, "9007199254740992"},
	{"0.1", 1, "0.09999999999999999999999"},
	{"47", 1, "45"},
	{"5", -1, "45"},
	{"0.5", -1, "1"},
	{"0.05", -1, "0.5"},
	{"-1", -1, "0"},
	{"-1", -1, "1"},
	{"-45.5", -1, "-45"},
	{"-0.1", 1, "-0.2"},
	{"1e999", 1, "9e998"},
	{"1e-999", 1, "0"},
	{"100", 0, "1e2"},
};

static void numbers_are_compared_exactly(void **state)
{
	struct decimal a, b;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ordered); i++) {
		expect_ok(decimal_parse(str_of(ordered[i].a), &a, &e), &e);
		expect_ok(decimal_parse(str_of(ordered[i].b), &b, &e), &e);
		if (decimal_compare(&a, &b) != ordered[i].order ||
			decimal_compare(&b, &a) != -ordered[i].order)
			fail_msg("%s against %s", ordered[i].a, ordered[i].b);
	}
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = {"", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "e1",
		"1.2.3", "0x10", "NaN", "Infinity", " 1", "1 ", "1,5", "--1", "1e1.5"};
	struct decimal d;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		expect_err(decimal_parse(str_of(bad[i]), &d, &e), &e, ERR_BAD_INPUT, NULL, bad[i]);
		assert_false(decimal_is(str_of(bad[i])));
	}
	expect_err(decimal_parse(STR("1e1000"), &d, &e), &e, ERR_TOO_LARGE, NULL, "exponent");
	expect_err(decimal_parse(STR("0.0000000000000000000000000000000000000001"), &d, &e), &e,
		ERR_TOO_LARGE, NULL, "length");
}

/* ---- documents of other makers ---- */

static const struct {
	const char *text, *kept; /* NULL: refused */
} foreign[] = {
	{"[1]", "[1]"},
	{"[-0]", "[0]"},
	{"[44.7]", "[{\"x-decimal\":\"44.7\"}]"},
	{"[-1.5e-3]", "[{\"x-decimal\":\"-1.5e-3\"}]"},
	{"{\"a\":9007199254740993}", "{\"a\":{\"x-decimal\":\"9007199254740993\"}}"},
	{"{\"a\":\"44.7\",\"b\":[0.5,2]}", "{\"a\":\"44.7\",\"b\":[{\"x-decimal\":\"0.5\"},2]}"},
	{"[\"\\\"4.5\\\\\",1e9]", "[\"\\\"4.5\\\\\",{\"x-decimal\":\"1e9\"}]"},
	{"[1.]", NULL},
	{"[01.5]", NULL},
	{"[.5]", NULL},
	{"[1e]", NULL},
	{"[--1.5]", NULL},
	{"{1.5:1}", NULL},
	{"{\"a\":1,\"a\":2}", NULL},
	{"[1.5", NULL},
	{"[NaN]", NULL},
	{"[1.5] 2", NULL},
	{"[\"\\ud800\"]", NULL},
};

static void fractions_of_others_are_kept_as_their_text(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		JSON_AUTO *j = NULL;
		BUF_AUTO text = {0};
		int rc = json_read_foreign(str_of(foreign[i].text), 4096, &j, &e);

		if (!foreign[i].kept) {
			expect_err(rc, &e, ERR_BAD_INPUT, NULL, foreign[i].text);
			continue;
		}
		expect_ok(rc, &e);
		json_write(j, &text);
		expect_text(buf_cstr(&text), foreign[i].kept);
	}
}

/* ---- base64: the vectors of RFC 4648, section 10, and what is not the one form ---- */

static void base64_is_one_form(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Zg", "Zg=", "Z", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9v",
		"Zm9v\n", "====", "=", "Z===", "ab+_", "a-/b", "Zm9\xc3"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		BUF_AUTO text = {0}, back = {0};

		base64_encode(str_of(pairs[i][0]), &text);
		expect_text(buf_cstr(&text), pairs[i][1]);
		expect_ok(base64_decode(buf_str(&text), &back, &e), &e);
		expect_text(buf_cstr(&back), pairs[i][0]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		BUF_AUTO kept = {0};

		buf_add_str(&kept, "kept");
		expect_err(
			base64_decode(str_of(bad[i]), &kept, &e), &e, ERR_BAD_INPUT, NULL, bad[i]);
		expect_text(buf_cstr(&kept), "kept");
	}
}

static void base64_takes_both_alphabets(void **state)
{
	BUF_AUTO standard = {0}, url_safe = {0};
	struct err e;

	(void)state;
	expect_ok(base64_decode(STR("+//+"), &standard, &e), &e);
	expect_ok(base64_decode(STR("-__-"), &url_safe, &e), &e);
	assert_true(str_eq(buf_str(&standard), buf_str(&url_safe)));
	assert_memory_equal(standard.p, "\xfb\xff\xfe", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_compared_exactly),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(fractions_of_others_are_kept_as_their_text),
		cmocka_unit_test(base64_is_one_form),
		cmocka_unit_test(base64_takes_both_alphabets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
