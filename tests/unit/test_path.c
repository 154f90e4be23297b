#include "tests/lib/expect.h"

#include "proto/wire/path.h"

static void paths_stay_beneath(void **state)
{
	static const struct {
		const char *path, *why;
	} rows[] = {
		{"a", NULL},
		{"a/b/c", NULL},
		{"...", NULL},
		{"a/..b/c..", NULL},
		{"with blank/\xc3\xa9", NULL},
		{"~/x", NULL},
		{"", "an empty path"},
		{"/", "absolute"},
		{"/a", "absolute"},
		{"a/", "empty part"},
		{"a//b", "empty part"},
		{".", "\".\" part"},
		{"..", "\"..\" part"},
		{"a/..", "\"..\" part"},
		{"../a", "\"..\" part"},
		{"a/./b", "\".\" part"},
		{"a\\b", "backslash"},
		{"..\\a", "backslash"},
		{"a\nb", "control"},
		{"a\x7f", "control"},
		{"abcdefghijklmnopqrstuvwxyz", "26 bytes, at most 20"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int rc = path_check(str_of(rows[i].path), 20, &e);

		if (rows[i].why)
			expect_err(rc, &e, ERR_BAD_INPUT, rows[i].why, rows[i].path);
		else
			expect_ok(rc, &e);
	}
	expect_err(path_check(STR("a\0b"), 20, &e), &e, ERR_BAD_INPUT, "control", "NUL");
}

static void depth_is_bounded(void **state)
{
	BUF_AUTO path = {0};
	struct err e;

	(void)state;
	for (int i = 1; i < LIMIT_TAR_DEPTH; i++)
		buf_add_str(&path, "d/");
	buf_add_str(&path, "f");
	expect_ok(path_check(buf_str(&path), 256, &e), &e);
	buf_add_str(&path, "/f");
	expect_err(path_check(buf_str(&path), 256, &e), &e, ERR_BAD_INPUT, "32 parts", "deep");
}

static void overlapping_is_equal_or_inside(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{"a", "a", true},
		{"a", "a/b", true},
		{"a/b", "a/b/c/d", true},
		{"a", "ab", false},
		{"a", "b", false},
		{"a/b", "a/c", false},
		{"a/b", "a/bc", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(path_overlaps(rows[i].a, rows[i].b), rows[i].overlap);
		assert_int_equal(path_overlaps(rows[i].b, rows[i].a), rows[i].overlap);
	}
}

static void quoted_text_is_plain(void **state)
{
	static const struct {
		const char *text, *alone, *slashes;
	} rows[] = {
		{"", "", ""},
		{"aZ09-._~", "aZ09-._~", "aZ09-._~"},
		{"a/b", "a%2Fb", "a/b"},
		{"?#%&+ ", "%3F%23%25%26%2B%20", "%3F%23%25%26%2B%20"},
		{"../\\", "..%2F%5C", "../%5C"},
		{"\n\x7f\xff", "%0A%7F%FF", "%0A%7F%FF"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		BUF_AUTO alone = {0}, slashes = {0};

		path_quote(str_of(rows[i].text), false, &alone);
		path_quote(str_of(rows[i].text), true, &slashes);
		assert_string_equal(buf_cstr(&alone), rows[i].alone);
		assert_string_equal(buf_cstr(&slashes), rows[i].slashes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_stay_beneath),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(overlapping_is_equal_or_inside),
		cmocka_unit_test(quoted_text_is_plain),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
