#include "tests/lib/expect.h"

#include <string.h>

static void texts_compare_by_bytes(void **state)
{
	(void)state;
	assert_true(str_eq(STR(""), (struct str){NULL, 0}));
	assert_true(str_eq(STR("ab"), str_of("ab")));
	assert_false(str_eq(STR("ab"), STR("abc")));
	assert_false(str_eq(STR("ab"), STR("aB")));
	assert_true(str_is(STR("x"), "x"));
	assert_false(str_is(STR("x\0y"), "x"));
	assert_true(str_has_prefix(STR("slot-a"), "slot-"));
	assert_true(str_has_prefix(STR("slot"), ""));
	assert_false(str_has_prefix(STR("slo"), "slot"));
	assert_true(str_has_char("+-", '-'));
	assert_false(str_has_char("+-", 'x'));
	assert_false(str_has_char("+-", 0));
}

static void fields_are_split_off(void **state)
{
	static const struct {
		const char *text, *fields;
	} rows[] = {
		{"a,b,c", "[a][b][c]"},
		{"a", "[a]"},
		{"", "[]"},
		{",", "[][]"},
		{"a,,b,", "[a][][b][]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str rest = str_of(rows[i].text), field;
		BUF_AUTO got = {0};

		while (str_split(&rest, ',', &field))
			buf_addf(&got, "[%.*s]", (int)field.n, field.p);
		expect_text(buf_cstr(&got), rows[i].fields);
	}
}

static void blanks_are_trimmed(void **state)
{
	(void)state;
	assert_true(str_is(str_trim(STR(" \t a b\t ")), "a b"));
	assert_true(str_is(str_trim(STR(" \t ")), ""));
	assert_true(str_is(str_trim(STR("\na\n")), "\na\n"));
}

static void numbers_are_whole_and_bounded(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max, want;
		bool ok;
	} rows[] = {
		{"0", 0, 9, 0, true},
		{"007", 0, 9, 7, true},
		{"18446744073709551615", 0, UINT64_MAX, UINT64_MAX, true},
		{"18446744073709551616", 0, UINT64_MAX, 0, false},
		{"99999999999999999999", 0, UINT64_MAX, 0, false},
		{"111111111111111111111", 0, UINT64_MAX, 0, false},
		{"", 0, 9, 0, false},
		{"-1", 0, 9, 0, false},
		{"+1", 0, 9, 0, false},
		{" 1", 0, 9, 0, false},
		{"1 ", 0, 9, 0, false},
		{"1.0", 0, 9, 0, false},
		{"0x1", 0, 9, 0, false},
		{"10", 0, 9, 0, false},
		{"2", 3, 9, 0, false},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t got = 4711;
		int rc = str_to_u64(str_of(rows[i].text), rows[i].min, rows[i].max, &got, &e);

		if (rows[i].ok)
			expect_ok(rc, &e);
		else
			expect_err(rc, &e, ERR_BAD_INPUT, NULL, rows[i].text);
		assert_int_equal(got, rows[i].ok ? rows[i].want : 4711);
	}
}

static void copies_end_with_a_nul(void **state)
{
	char dst[4] = "xyz";
	struct err e;

	(void)state;
	expect_err(str_copy(STR("abcd"), dst, sizeof dst, &e), &e, ERR_TOO_LARGE, "at most 3", "");
	expect_err(str_copy(STR("a\0"), dst, sizeof dst, &e), &e, ERR_BAD_INPUT, "NUL", "");
	expect_text(dst, "xyz");
	expect_ok(str_copy(STR("abc"), dst, sizeof dst, &e), &e);
	expect_text(dst, "abc");
	expect_ok(str_copy((struct str){NULL, 0}, dst, sizeof dst, &e), &e);
	expect_text(dst, "");
}

static void foreign_bytes_become_printable(void **state)
{
	char dst[8];

	(void)state;
	expect_text(str_printable(STR("abcdefg"), dst, sizeof dst), "abcdefg");
	expect_text(str_printable(STR("abcdefgh"), dst, sizeof dst), "abcd...");
	expect_text(str_printable(STR("a\x1b[1m\n"), dst, sizeof dst), "a?[1m?");
	expect_text(str_printable(STR("\xc3\xa9\x7f"), dst, sizeof dst), "???");
	expect_text(str_printable(STR(""), dst, sizeof dst), "");
	expect_text(str_printable(STR("abcdef"), dst, 4), "...");
}

static void a_misspelled_name_is_guessed(void **state)
{
	static const char *const names[] = {"timeout_ms", "soak_ms", "name", "k"};
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"timeout_ms", "timeout_ms"},
		{"timeoutms", "timeout_ms"},
		{"timout_m", "timeout_ms"},
		{"timout_", NULL},
		{"soka_ms", "soak_ms"},
		{"nome", "name"},
		{"names", "name"},
		{"x", NULL}, /* one edit makes it "k", but that is all of it */
		{"", NULL},
		{"a name that is much longer than any name in use is", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = str_nearest(str_of(rows[i].text), names, ARRAY_LEN(names));

		expect_text(got ? got : "-", rows[i].want ? rows[i].want : "-");
	}
	assert_null(str_nearest(STR("name"), names, 0));
}

static void hexadecimal_goes_both_ways(void **state)
{
	static const char *const bad[] = {
		"", "0", "00a", "00aff", "00ag", "0/a0", "0:a0", "0@a0", "0`a0"};
	uint8_t b[2] = {0x5a, 0x5a};
	char text[5];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_err(hex_decode(str_of(bad[i]), b, 2, &e), &e, ERR_BAD_INPUT, NULL, bad[i]);
	assert_int_equal(b[0], 0x5a);
	expect_ok(hex_decode(STR("09aF"), b, 2, &e), &e);
	hex_encode(b, 2, text);
	expect_text(text, "09af");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_compare_by_bytes),
		cmocka_unit_test(fields_are_split_off),
		cmocka_unit_test(blanks_are_trimmed),
		cmocka_unit_test(numbers_are_whole_and_bounded),
		cmocka_unit_test(copies_end_with_a_nul),
		cmocka_unit_test(foreign_bytes_become_printable),
		cmocka_unit_test(a_misspelled_name_is_guessed),
		cmocka_unit_test(hexadecimal_goes_both_ways),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
