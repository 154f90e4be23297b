#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/tree.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void add(struct tree *t, enum tree_kind kind, const char *path, const char *target)
{
	struct tree_entry x = {.kind = kind,
		.path = mem_strdup(path),
		.target = target ? mem_strdup(target) : NULL};
	struct err e;

	if (kind == TREE_FILE)
		expect_ok(sha256_parse(STR(EMPTY), &x.digest, &e), &e);
	expect_ok(tree_add(t, &x, &e), &e);
	mem_free(&x.path);
	mem_free(&x.target);
}

static void a_tree_is_sorted_lines(void **state)
{
	struct tree t CLEANUP(tree_fini);
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	tree_init(&t);
	add(&t, TREE_LINK, "a/link", "b c");
	add(&t, TREE_FILE, "a/b c", NULL);
	add(&t, TREE_DIR, "a", NULL);
	add(&t, TREE_FILE, "a-b", NULL);
	t.v[3].executable = true;
	t.v[3].size = 7;
	add(&t, TREE_FILE, "B", NULL);
	expect_ok(tree_sort(&t, &e), &e);
	tree_encode(&t, &text);
	expect_text(buf_cstr(&text), "f 0644 0 " EMPTY " B\n"
				     "d a\n"
				     "f 0755 7 " EMPTY " a-b\n"
				     "f 0644 0 " EMPTY " a/b c\n"
				     "l 3 b c a/link\n");
	assert_non_null(tree_find(&t, "a/link"));
	expect_text(tree_find(&t, "a/link")->target, "b c");
	assert_null(tree_find(&t, "a/"));
	assert_null(tree_find(&t, ""));
}

static void lines_become_the_same_tree(void **state)
{
	static const char *const vectors[] = {"manifests/vectors/good/tree.mixed.txt",
		"manifests/vectors/good/tree.raw.txt", "manifests/vectors/good/tree.empty.txt"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct tree t CLEANUP(tree_fini) = {0};
		BUF_AUTO text = {0}, again = {0};

		source_read(vectors[i], &text);
		expect_ok(tree_decode(buf_str(&text), &t, &e), &e);
		tree_encode(&t, &again);
		expect_text(buf_cstr(&again), buf_cstr(&text));
	}
}

static void an_empty_tree_holds_nothing(void **state)
{
	struct tree t CLEANUP(tree_fini) = {0};
	struct err e;

	(void)state;
	expect_ok(tree_sort(&t, &e), &e);
	assert_null(tree_find(&t, "a"));
}

static void a_name_stands_once(void **state)
{
	struct tree t CLEANUP(tree_fini) = {0};
	struct err e;

	(void)state;
	add(&t, TREE_FILE, "b", NULL);
	add(&t, TREE_FILE, "a", NULL);
	add(&t, TREE_DIR, "b", NULL);
	expect_err(tree_sort(&t, &e), &e, ERR_BAD_INPUT, "b stands twice", "");
}

static void what_cannot_stand_in_a_line_is_not_added(void **state)
{
	char longest[LIMIT_TAR_NAME + 2];
	struct {
		enum tree_kind kind;
		const char *path, *target, *why;
	} rows[] = {
		{TREE_DIR, "a\nb", NULL, "control character"},
		{TREE_DIR, ".", NULL, "\".\" part"},
		{TREE_LINK, ".", "x", "\".\" part"},
		{TREE_FILE, "/a", NULL, "absolute"},
		{TREE_FILE, longest, NULL, "at most 256"},
		{TREE_LINK, "a", NULL, "target of 0 bytes"},
		{TREE_LINK, "a", "", "target of 0 bytes"},
		{TREE_LINK, "a", "x\ny", "control character in a link"},
		{TREE_LINK, "a", "x\x7f", "control character in a link"},
		{TREE_LINK, "a", longest, "target of 257 bytes"},
	};
	struct tree t CLEANUP(tree_fini) = {0};
	struct err e;

	(void)state;
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *path CLEANUP(mem_free) = mem_strdup(rows[i].path);
		char *target CLEANUP(mem_free) = mem_strdup(rows[i].target ? rows[i].target : "");
		struct tree_entry x = {
			rows[i].kind, .path = path, .target = rows[i].target ? target : NULL};

		expect_err(tree_add(&t, &x, &e), &e, ERR_BAD_INPUT, rows[i].why, rows[i].path);
	}
	assert_int_equal(t.n, 0);
}

static void entries_are_bounded(void **state)
{
	struct tree t CLEANUP(tree_fini) = {0};
	struct err e;
	char path[16];
	struct tree_entry x = {TREE_DIR, .path = path};

	(void)state;
	for (int i = 0; i < LIMIT_TAR_ENTRIES; i++) {
		snprintf(path, sizeof path, "%d", i);
		expect_ok(tree_add(&t, &x, &e), &e);
	}
	expect_err(tree_add(&t, &x, &e), &e, ERR_TOO_LARGE, "more than 200000", "");
	expect_ok(tree_sort(&t, &e), &e);
	assert_non_null(tree_find(&t, "199999"));
}

static const struct {
	const char *text, *why;
} bad[] = {
	{"d a", "the last line is cut off"},
	{"\n", "line 1: cut off"},
	{"d a\n\n", "line 2: cut off"},
	{"d\n", "line 1: cut off"},
	{"d \n", "line 1: an empty path"},
	{"x a\n", "no kind of entry"},
	{" d a\n", "no kind of entry"},
	{"dd a\n", "no kind of entry"},
	{"d /a\n", "absolute"},
	{"d ../a\n", "\"..\" part"},
	{"d .\n", "\".\" part"},
	{"d a\r\n", "control"},
	{"d b\nd a\n", "line 2: not in order"},
	{"d a\nd a\n", "line 2: not in order"},
	{"d a/b\n", "its folder is not listed"},
	{"f 0644 0 " EMPTY " a\nd a/b\n", "line 2: its folder is not listed"},
	{"l 1 b a\nd a/b\n", "line 2: its folder is not listed"},
	{"f 0644 0 " EMPTY "\n", "cut off"},
	{"f 0644 0\n", "cut off"},
	{"f 0644\n", "cut off"},
	{"f\n", "cut off"},
	{"f 0600 0 " EMPTY " a\n", "a mode other than"},
	{"f 644 0 " EMPTY " a\n", "a mode other than"},
	{"f 0644 -1 " EMPTY " a\n", "whole number"},
	{"f 0644 00 " EMPTY " a\n", "leading zero"},
	{"f 0644 68719476737 " EMPTY " a\n", "not between"},
	{"f 0644 0 e3b0 a\n", "sha256"},
	{"f 0644 0 E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 a\n",
		"capitals"},
	{"f 0644 0 " EMPTY " .\nf 0644 0 " EMPTY " a\n", "line 2: more than the one file"},
	{"d +\nf 0644 0 " EMPTY " .\n", "line 2: more than the one file"},
	{"l 1 b\n", "not as long"},
	{"l 2 b a\n", "not as long"},
	{"l 1 bb a\n", "not as long"},
	{"l 0  a\n", "target of 0 bytes"},
	{"l 01 b a\n", "leading zero"},
	{"l 257 b a\n", "not between"},
	{"l 9999999999999999999 b a\n", "not between"},
	{"l 99999999999999999999 b a\n", "whole number"},
	{"l 1 b ../a\n", "\"..\" part"},
	{"l 1\n", "cut off"},
	{"l\n", "cut off"},
	{"d aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		NULL},
};

static void other_lines_are_refused(void **state)
{
	struct tree t CLEANUP(tree_fini) = {0};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int rc = tree_decode(str_of(bad[i].text), &t, &e);

		if (bad[i].why)
			expect_err(rc, &e, ERR_BAD_INPUT, bad[i].why, bad[i].text);
		else
			expect_err(rc, &e, ERR_TOO_LARGE, NULL, bad[i].text);
		assert_null(t.v);
	}
	expect_err(tree_decode(STR("d a\0b\n"), &t, &e), &e, ERR_BAD_INPUT, "NUL", "");
	expect_err(tree_decode(STR("l 1 \0 a\n"), &t, &e), &e, ERR_BAD_INPUT, "NUL", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_is_sorted_lines),
		cmocka_unit_test(lines_become_the_same_tree),
		cmocka_unit_test(an_empty_tree_holds_nothing),
		cmocka_unit_test(a_name_stands_once),
		cmocka_unit_test(what_cannot_stand_in_a_line_is_not_added),
		cmocka_unit_test(entries_are_bounded),
		cmocka_unit_test(other_lines_are_refused),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
