#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys/conf.h"

struct values {
	char name[8];
	uint64_t tries;
	bool tls;
	ms_t poll;
	uint64_t limit;
	char owned_by_the_caller[8];
};

#define ROW(section, key, type, field, min, max, def)                                              \
	{                                                                                          \
		section, key, type, offsetof(struct values, field),                                \
			sizeof((struct values *)0)->field, min, max, def, "Help of " key "."       \
	}

static const struct conf_row rows[] = {
	ROW("agent", "name", CONF_TEXT, name, 0, 0, NULL),
	ROW("agent", "tries", CONF_UINT, tries, 1, 9, "3"),
	ROW("agent", "poll", CONF_SPAN, poll, 1000, 86400000, "5min"),
	ROW("server", "tls", CONF_BOOL, tls, 0, 0, "yes"),
	ROW("server", "limit", CONF_SIZE, limit, 0, 0, "16M"),
};

static int parse(const char *text, struct values *out, struct buf *problems, struct err *e)
{
	return conf_parse("f", str_of(text), rows, ARRAY_LEN(rows), out, problems, e);
}

static void defaults_fill_what_is_not_given(void **state)
{
	struct values v = {.owned_by_the_caller = "mine"};
	BUF_AUTO problems = {0};
	struct err e;

	(void)state;
	expect_ok(parse("[agent]\nname = a\n", &v, &problems, &e), &e);
	expect_text(v.name, "a");
	assert_int_equal(v.tries, 3);
	assert_int_equal(v.poll, MINUTE(5));
	assert_true(v.tls);
	assert_int_equal(v.limit, 16 << 20);
	expect_text(v.owned_by_the_caller, "mine");
	assert_int_equal(problems.n, 0);
}

static const struct {
	const char *text;
	uint64_t tries, limit;
	ms_t poll;
	bool tls;
} good[] = {
	{"[agent]\nname=a", 3, 16 << 20, 300000, true},
	{"[agent]\r\nname = a\r\ntries=9\r\n", 9, 16 << 20, 300000, true},
	{"# c\n; c\n\n[agent] ; c\nname : a\n  tries = 1 ; c\n", 1, 16 << 20, 300000, true},
	{"[server]\ntls=off\nlimit=0\n[agent]\nname=a\n[server]\n", 3, 0, 300000, false},
	{"\xef\xbb\xbf[agent]\nname=a\npoll=1500ms\n", 3, 16 << 20, 1500, true},
	{"[agent]\nname=a\npoll= 2 s\n[server]\ntls=no\nlimit=7", 3, 7, 2000, false},
	{"[agent]\nname=a\npoll=1h\n[server]\ntls=0\nlimit=3K", 3, 3072, 3600000, false},
	{"[agent]\nname=a\npoll=1d\n[server]\ntls=false\nlimit=2G", 3, 2ULL << 30, 86400000, false},
	{"[agent]\nname=a\npoll=3min\n[server]\ntls=true\nlimit=1T", 3, 1ULL << 40, 180000, true},
	{"[agent]\nname=a\n[server]\ntls=1", 3, 16 << 20, 300000, true},
	{"[agent]\nname=a\n[server]\ntls=on", 3, 16 << 20, 300000, true},
};

static void values_are_read(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct values v = {0};
		BUF_AUTO problems = {0};

		expect_ok(parse(good[i].text, &v, &problems, &e), &e);
		expect_text(v.name, "a");
		assert_int_equal(v.tries, good[i].tries);
		assert_int_equal(v.limit, good[i].limit);
		assert_int_equal(v.poll, good[i].poll);
		assert_int_equal(v.tls, good[i].tls);
	}
}

static const struct {
	const char *text, *problems;
} bad[] = {
	{"", "f: name is missing in section [agent]\n"},
	{"[agent]\nname = 12345678\n", "f:2: name: 8 bytes, at most 7 fit\n"},
	{"[agent]\nname=a\nname=b\n", "f:3: name stands in line 2 already\n"},
	{"[agent]\nname=a\n  name=b\n", "f:3: name stands in line 2 already\n"},
	{"[agent]\nname=a\ntrys=1\n", "f:3: unknown key trys, is tries meant?\n"},
	{"[agent]\nname=a\ncolour=red\n", "f:3: unknown key colour\n"},
	{"[agent]\nname=a\n[sever]\nport=1\n", "f:4: unknown section [sever]\n"},
	{"name=b\n[agent]\nname=a\n", "f:1: unknown section []\n"},
	{"[agent]\nname=a\ntries=0\n", "f:3: tries: not between 1 and 9\n"},
	{"[agent]\nname=a\ntries=-1\n", "f:3: tries: not a whole number: -1\n"},
	{"[agent]\nname=a\ntries=\n", "f:3: tries: not a whole number\n"},
	{"[agent]\nname=a\npoll=5\n", "f:3: poll: the unit is one of ms, s, min, h, d\n"},
	{"[agent]\nname=a\npoll=5 weeks\n", "f:3: poll: the unit is one of ms, s, min, h, d\n"},
	{"[agent]\nname=a\npoll=0\n", "f:3: poll: not between 1000 and 86400000 ms\n"},
	{"[agent]\nname=a\npoll=s\n", "f:3: poll: not a whole number\n"},
	{"[agent]\nname=a\npoll=1.5s\n", "f:3: poll: the unit is one of ms, s, min, h, d\n"},
	{"[agent]\nname=a\npoll=9223372036854775807d\n", "f:3: poll: too large\n"},
	{"[agent]\nname=a\npoll=99999999999999999999s\n",
		"f:3: poll: not a whole number: 99999999999999999999\n"},
	{"[agent]\nname=a\n[server]\nlimit=5k\n",
		"f:4: limit: the unit is one of K, M, G, T, or none for bytes\n"},
	{"[agent]\nname=a\n[server]\nlimit=9000000T\n", "f:4: limit: too large\n"},
	{"[agent]\nname=a\n[server]\ntls=maybe\n", "f:4: tls: yes or no is wanted\n"},
	{"[agent]\nname=a\nnonsense\n", "f:3: neither [section] nor key = value\n"},
	{"[agent]\nname=a\n[server\n", "f:3: neither [section] nor key = value\n"},
	{"[agent]\nname=a\n\x01\n",
		"f:3: a control character\nf: name is missing in section [agent]\n"},
	/* Every mistake is told at once. */
	{"[agent\n[agent]\nname=a\nx\ntries=0\ny\npoll=x\n",
		"f:1: neither [section] nor key = value\n"
		"f:4: neither [section] nor key = value\n"
		"f:6: neither [section] nor key = value\n"
		"f:5: tries: not between 1 and 9\n"
		"f:7: poll: not a whole number\n"},
};

static void mistakes_are_told_with_their_lines(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct values v = {.name = "old"};
		BUF_AUTO problems = {0};

		expect_err(
			parse(bad[i].text, &v, &problems, &e), &e, ERR_CONFIG, "f: ", bad[i].text);
		expect_text(buf_cstr(&problems), bad[i].problems);
		expect_text(v.name, "old");
		assert_int_equal(v.tries, 0);
	}
}

static void files_lines_and_mistakes_are_bounded(void **state)
{
	BUF_AUTO text = {0}, problems = {0};
	struct values v;
	struct err e;
	unsigned lines = 0;

	(void)state;
	buf_add_str(&text, "[agent]\nname=a\n# ");
	for (int i = 2; i < 190; i++)
		buf_add_char(&text, 'x');
	buf_add_str(&text, "\n");
	expect_ok(parse(buf_cstr(&text), &v, &problems, &e), &e);
	text.p[text.n - 1] = 'x';
	buf_add_str(&text, "\n");
	expect_err(parse(buf_cstr(&text), &v, &problems, &e), &e, ERR_CONFIG, "1 mistake", "");
	expect_text(buf_cstr(&problems), "f:3: a line of more than 190 bytes\n");

	buf_clear(&text);
	buf_clear(&problems);
	for (int i = 0; i < 500; i++)
		buf_add_str(&text, i % 2 ? "x\n" : "y = z\n");
	expect_err(parse(buf_cstr(&text), &v, &problems, &e), &e, ERR_CONFIG, "mistakes", "");
	for (size_t i = 0; i < problems.n; i++)
		lines += problems.p[i] == '\n';
	assert_int_equal(lines, 50);

	buf_clear(&problems);
	while (text.n <= 64 * 1024)
		buf_add_str(&text, "# filled up\n");
	expect_err(parse(buf_cstr(&text), &v, &problems, &e), &e, ERR_CONFIG, NULL, "");
	assert_true(str_has_prefix(buf_str(&problems), "f: more than 65536 bytes\n"));
}

static void a_wrong_default_is_a_mistake(void **state)
{
	static const struct conf_row wrong[] = {
		ROW("a", "b", CONF_UINT, tries, 1, 9, "12"),
	};
	BUF_AUTO problems = {0};
	struct values v;
	struct err e;

	(void)state;
	expect_err(conf_parse("f", STR(""), wrong, 1, &v, &problems, &e), &e, ERR_CONFIG, "f", "");
	expect_text(buf_cstr(&problems), "f: default of a.b: not between 1 and 9\n");
}

/* ---- files ---- */

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int load(const char *path, struct values *out, struct buf *problems, struct err *e)
{
	return conf_load(path, rows, ARRAY_LEN(rows), out, sizeof *out, problems, e);
}

static void later_files_win(void **state)
{
	struct values v = {0};
	BUF_AUTO problems = {0};
	struct err e;

	(void)state;
	put("a.conf", "[agent]\nname=main\ntries=1\n");
	mkdir("a.conf.d", 0755);
	put("a.conf.d/10-first.conf", "[agent]\ntries=2\npoll=10s\n");
	put("a.conf.d/20-second.conf", "[agent]\ntries=4\n");
	put("a.conf.d/.hidden.conf", "nonsense");
	put("a.conf.d/30-other.txt", "nonsense");
	put("a.conf.d/.conf", "nonsense");
	expect_ok(load("a.conf", &v, &problems, &e), &e);
	expect_text(v.name, "main");
	assert_int_equal(v.tries, 4);
	assert_int_equal(v.poll, 10000);
	put("a.conf.d/40-wrong.conf", "[agent]\ntries=44\n");
	expect_err(load("a.conf", &v, &problems, &e), &e, ERR_CONFIG, "a.conf: 1 mistake", "");
	expect_text(buf_cstr(&problems), "a.conf.d/40-wrong.conf:2: tries: not between 1 and 9\n");
	assert_int_equal(v.tries, 4);
	unlink("a.conf.d/40-wrong.conf");
	unlink("a.conf");
	buf_clear(&problems);
	expect_err(load("a.conf", &v, &problems, &e), &e, ERR_CONFIG, NULL, "");
	expect_text(buf_cstr(&problems), "a.conf: name is missing in section [agent]\n");
}

/* ---- the three roots ---- */

static const char *const roots[] = {"usr", "run", "etc", NULL};

static int find(struct values *out, struct conf_trace *trace, struct buf *problems, struct err *e)
{
	struct conf_place place = {.name = "a.conf", .roots = roots};

	return conf_find(&place, rows, ARRAY_LEN(rows), out, sizeof *out, trace, problems, e);
}

static const struct {
	const char *what;
	struct {
		const char *path, *text; /* text NULL: a link to /dev/null */
	} file[4];
	const char *name; /* NULL: the reading fails */
	uint64_t tries;
	const char *said; /* who said the number, or the problems */
} trees[] = {
	{"the vendor's file alone", {{"usr/a.conf", "[agent]\nname=usr\ntries=1\n"}}, "usr", 1,
		"usr/a.conf:3"},
	{"one main file, of the strongest root",
		{{"usr/a.conf", "[agent]\nname=usr\ntries=1\n"},
			{"etc/a.conf", "[agent]\nname=etc\n"}},
		"etc", 3, NULL},
	{"this boot's before the vendor's",
		{{"usr/a.conf", "[agent]\nname=usr\ntries=1\n"},
			{"run/a.conf", "[agent]\nname=run\ntries=2\n"}},
		"run", 2, "run/a.conf:3"},
	{"a drop-in of the weakest root over the strongest main file",
		{{"etc/a.conf", "[agent]\nname=etc\ntries=1\n"},
			{"usr/a.conf.d/1.conf", "[agent]\n\ntries=9\n"}},
		"etc", 9, "usr/a.conf.d/1.conf:3"},
	{"drop-ins in order of name, whatever their roots",
		{{"etc/a.conf.d/10.conf", "[agent]\nname=etc\ntries=1\n"},
			{"usr/a.conf.d/20.conf", "[agent]\ntries=2\n"},
			{"run/a.conf.d/15.conf", "[agent]\ntries=3\n"}},
		"etc", 2, "usr/a.conf.d/20.conf:2"},
	{"of one name the strongest alone",
		{{"usr/a.conf.d/1.conf", "[agent]\nname=usr\ntries=1\n"},
			{"run/a.conf.d/1.conf", "[agent]\nname=run\n"},
			{"etc/a.conf.d/1.conf", "[agent]\nname=etc\n"}},
		"etc", 3, NULL},
	{"an empty file masks, mistakes and all",
		{{"etc/a.conf", "[agent]\nname=etc\n"}, {"usr/a.conf.d/1.conf", "nonsense\n"},
			{"etc/a.conf.d/1.conf", ""}},
		"etc", 3, NULL},
	{"so does a link to /dev/null",
		{{"etc/a.conf", "[agent]\nname=etc\n"},
			{"run/a.conf.d/1.conf", "[agent]\ntries=1\n"},
			{"etc/a.conf.d/1.conf", NULL}},
		"etc", 3, NULL},
	{"and a main file", {{"usr/a.conf", "[agent]\nname=usr\ntries=1\n"}, {"etc/a.conf", NULL}},
		NULL, 0, "a.conf: name is missing in section [agent]\n"},
	{"mistakes are told where they stand",
		{{"etc/a.conf", "[agent]\nname=etc\n"},
			{"run/a.conf.d/1.conf", "[agent]\ntries=0\n"},
			{"usr/a.conf.d/2.conf", "[agent]\nnames=b\n"}},
		NULL, 0,
		"run/a.conf.d/1.conf:2: tries: not between 1 and 9\n"
		"usr/a.conf.d/2.conf:2: unknown key names, is name meant?\n"},
	{"nothing at all", {{0}}, NULL, 0, "a.conf: name is missing in section [agent]\n"},
};

static void tree_make(size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(roots) - 1; k++) {
		char path[32];

		snprintf(path, sizeof path, "%s/a.conf.d", roots[k]);
		mkdir(roots[k], 0755);
		mkdir(path, 0755);
	}
	for (size_t k = 0; k < ARRAY_LEN(trees[i].file) && trees[i].file[k].path; k++)
		if (trees[i].file[k].text)
			put(trees[i].file[k].path, trees[i].file[k].text);
		else
			assert_int_equal(symlink("/dev/null", trees[i].file[k].path), 0);
}

static void tree_clear(size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(trees[i].file) && trees[i].file[k].path; k++)
		assert_int_equal(unlink(trees[i].file[k].path), 0);
}

static void the_roots_are_read_as_systemd_does(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		struct conf_trace trace CLEANUP(conf_trace_fini) = {{0}};
		struct values v = {0};
		BUF_AUTO problems = {0};

		tree_make(i);
		if (!trees[i].name) {
			expect_err(find(&v, &trace, &problems, &e), &e, ERR_CONFIG,
				"a.conf: ", trees[i].what);
			expect_text(buf_cstr(&problems), trees[i].said);
		} else {
			expect_ok(find(&v, &trace, &problems, &e), &e);
			expect_text(v.name, trees[i].name);
			assert_int_equal(v.tries, trees[i].tries);
			expect_text(trace.said[1] ? trace.said[1] : "-",
				trees[i].said ? trees[i].said : "-");
		}
		tree_clear(i);
	}
}

static void drop_ins_are_bounded(void **state)
{
	BUF_AUTO problems = {0};
	struct values v = {0};
	char path[32];
	struct err e;

	(void)state;
	mkdir("many.conf.d", 0755);
	put("many.conf", "[agent]\nname=a\n");
	for (int i = 0; i < 64; i++) {
		snprintf(path, sizeof path, "many.conf.d/%02d.conf", i);
		put(path, "");
	}
	expect_ok(load("many.conf", &v, &problems, &e), &e);
	put("many.conf.d/64.conf", "");
	expect_err(
		load("many.conf", &v, &problems, &e), &e, ERR_CONFIG, "many.conf: 1 mistake", "");
	expect_text(buf_cstr(&problems), "many.conf.d: the 65th drop-in: too many\n");
}

static void long_help_is_broken_into_lines(void **state)
{
	static const struct conf_row row[] = {{"a", "b", CONF_UINT, 0, 0, 0, 0, "1",
		"One two three four five six seven eight nine ten eleven twelve thirteen fourteen "
		"fifteen sixteen seventeen eighteen nineteen twenty, and so on until it would be more "
		"than the reader takes in a line of a hundred and ninety bytes."}};
	BUF_AUTO text = {0}, problems = {0};
	uint64_t v = 7;
	struct err e;

	(void)state;
	conf_dump(row, 1, &v, NULL, &text);
	expect_text(buf_cstr(&text),
		"[a]\n"
		"# One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen\n"
		"# seventeen eighteen nineteen twenty, and so on until it would be more than the reader takes in a\n"
		"# line of a hundred and ninety bytes.\n"
		"b = 7\n");
	expect_ok(conf_parse("f", buf_str(&text), row, 1, &v, &problems, &e), &e);
}

static void a_dump_says_who_said_it(void **state)
{
	struct conf_trace trace CLEANUP(conf_trace_fini) = {{0}};
	BUF_AUTO problems = {0}, text = {0};
	struct values v = {0};
	struct err e;

	(void)state;
	tree_make(3);
	expect_ok(find(&v, &trace, &problems, &e), &e);
	conf_dump(rows, 2, &v, &trace, &text);
	expect_text(buf_cstr(&text), "[agent]\n"
				     "# Help of name.\n# (etc/a.conf:2)\nname = etc\n"
				     "# Help of tries.\n# (usr/a.conf.d/1.conf:3)\ntries = 9\n");
	tree_clear(3);
}

static void a_file_that_cannot_be_read_is_a_mistake(void **state)
{
	BUF_AUTO big = {0}, problems = {0};
	struct values v;
	struct err e;

	(void)state;
	mkdir("folder.conf", 0755);
	expect_err(load("folder.conf", &v, &problems, &e), &e, ERR_CONFIG, NULL, "");
	assert_true(str_has_prefix(buf_str(&problems), "folder.conf: cannot be read\n"));
	buf_clear(&problems);
	put("file", "");
	expect_err(load("file/x.conf", &v, &problems, &e), &e, ERR_CONFIG, NULL, "");
	assert_true(str_has_prefix(buf_str(&problems), "file/x.conf: Not a directory\n"));
	buf_clear(&problems);
	while (big.n <= 64 * 1024)
		buf_add_str(&big, "# filled up\n");
	put("big.conf", buf_cstr(&big));
	expect_err(load("big.conf", &v, &problems, &e), &e, ERR_CONFIG, NULL, "");
	assert_true(str_has_prefix(buf_str(&problems), "big.conf: more than 65536 bytes\n"));
}

/* ---- writing ---- */

static void a_dump_reads_back(void **state)
{
	static const struct values cases[] = {
		{"edge-7", 3, true, 300000, 16 << 20, ""},
		{"a", 1, false, 1500, 0, ""},
		{"", 9, false, 86400000, 1, ""},
		{"b", 2, true, 3600000, (1ULL << 40) + 1024, ""},
		{";c", 2, true, 61000, 1ULL << 40, ""},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct values v = {0};
		BUF_AUTO text = {0}, problems = {0};

		conf_dump(rows, ARRAY_LEN(rows), &cases[i], NULL, &text);
		expect_ok(parse(buf_cstr(&text), &v, &problems, &e), &e);
		expect_text(v.name, cases[i].name);
		assert_int_equal(v.tries, cases[i].tries);
		assert_int_equal(v.tls, cases[i].tls);
		assert_int_equal(v.poll, cases[i].poll);
		assert_int_equal(v.limit, cases[i].limit);
	}
}

static void a_dump_is_for_people(void **state)
{
	static const struct values v = {"edge-7", 3, true, 90000, 16 << 20, ""};
	BUF_AUTO text = {0};

	(void)state;
	conf_dump(rows, ARRAY_LEN(rows), &v, NULL, &text);
	expect_text(buf_cstr(&text), "[agent]\n"
				     "# Help of name.\nname = edge-7\n"
				     "# Help of tries.\ntries = 3\n"
				     "# Help of poll.\npoll = 90s\n"
				     "\n[server]\n"
				     "# Help of tls.\ntls = yes\n"
				     "# Help of limit.\nlimit = 16M\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_fill_what_is_not_given),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(mistakes_are_told_with_their_lines),
		cmocka_unit_test(files_lines_and_mistakes_are_bounded),
		cmocka_unit_test(a_wrong_default_is_a_mistake),
		cmocka_unit_test(later_files_win),
		cmocka_unit_test(the_roots_are_read_as_systemd_does),
		cmocka_unit_test(drop_ins_are_bounded),
		cmocka_unit_test(long_help_is_broken_into_lines),
		cmocka_unit_test(a_dump_says_who_said_it),
		cmocka_unit_test(a_file_that_cannot_be_read_is_a_mistake),
		cmocka_unit_test(a_dump_reads_back),
		cmocka_unit_test(a_dump_is_for_people),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
