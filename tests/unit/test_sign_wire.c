/* What crosses the socket of the process that signs, and what its log is made of. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/signd/book.h"
#include "server/signd/core/ask.h"
#include "server/signd/core/reply.h"
#include "tests/lib/crashfs.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEX32 "00112233445566778899aabbccddeeff"
#define WANT                                                                                       \
	"\"want\":{\"targets\":{\"has\":1},\"snapshot\":{\"has\":1,\"due\":true},\"timestamp\":{\"has\":1}}"
#define LIVES  "\"life_s\":60,\"timestamp_life_s\":60"
#define DEVICE "\"ask\":\"director\",\"device\":\"lane-1\""
#define TARGET "\"path\":\"toy/toy-1.json\",\"digest\":\"" HEX64 "\""

/* ---- asks ---- */

static struct ask *ask_of(const char *text, int *out_rc, struct err *e)
{
	struct ask *a = mem_new(sizeof *a);

	*out_rc = ask_parse(str_of(text), a, e);
	return a;
}

static const char *const good[] = {
	"{\"ask\":\"look\"}",
	"{" DEVICE ",\"order\":\"nothing\"," WANT "," LIVES "}",
	"{" DEVICE ",\"campaign\":\"spring\",\"order\":\"install\"," TARGET "," WANT "," LIVES
	",\"offline\":true}",
	"{\"ask\":\"time\",\"device\":\"lane-1\",\"nonce\":\"" HEX32 "\"}",
	"{\"ask\":\"image\"," TARGET "," WANT "," LIVES
	",\"files\":[{\"role\":\"root\",\"bytes\":\"{\\n}\"}]}",
};

static void what_is_written_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		BUF_AUTO once = {0}, twice = {0};
		struct ask *a, *b;
		struct err e;
		int rc;

		a = ask_of(good[i], &rc, &e);
		expect_ok(rc, &e);
		ask_format(a, &once);
		b = ask_of(buf_cstr(&once), &rc, &e);
		expect_ok(rc, &e);
		ask_format(b, &twice);
		expect_text(buf_cstr(&twice), buf_cstr(&once));
		ask_fini(a);
		ask_fini(b);
		mem_free(&a);
		mem_free(&b);
	}
}

static const struct {
	const char *text;
	enum err_code code;
	const char *piece;
} bad[] = {
	{"", ERR_BAD_INPUT, NULL},
	{"[]", ERR_BAD_INPUT, "object"},
	{"{}", ERR_BAD_INPUT, "ask"},
	{"{\"ask\":\"sign\"}", ERR_BAD_INPUT, "ask"},
	{"{\"ask\":\"look\",\"bytes\":\"x\"}", ERR_BAD_INPUT, "bytes"},
	{"{\"ask\":\"look\"}x", ERR_BAD_INPUT, NULL},
	{"{\"ask\":\"look\",\"ask\":\"look\"}", ERR_BAD_INPUT, NULL},
	{"{" DEVICE ",\"order\":\"nothing\"," LIVES "}", ERR_BAD_INPUT, "want"},
	{"{" DEVICE ",\"order\":\"nothing\"," WANT "}", ERR_BAD_INPUT, "life_s"},
	{"{" DEVICE ",\"order\":\"nothing\"," TARGET "," WANT "," LIVES "}", ERR_BAD_INPUT,
		"order"},
	{"{" DEVICE ",\"order\":\"install\"," WANT "," LIVES "}", ERR_BAD_INPUT, "order"},
	{"{" DEVICE ",\"order\":\"wipe\"," TARGET "," WANT "," LIVES "}", ERR_BAD_INPUT, "order"},
	{"{\"ask\":\"director\",\"device\":\"../x\",\"order\":\"nothing\"," WANT "," LIVES "}",
		ERR_BAD_INPUT, "device"},
	{"{\"ask\":\"director\",\"device\":\"\",\"order\":\"nothing\"," WANT "," LIVES "}",
		ERR_BAD_INPUT, "device"},
	{"{" DEVICE ",\"order\":\"install\",\"path\":\"../x.json\",\"digest\":\"" HEX64 "\"," WANT
	 "," LIVES "}",
		ERR_BAD_INPUT, "path"},
	{"{" DEVICE ",\"order\":\"install\",\"path\":\"toy/x.json\",\"digest\":\"00\"," WANT
	 "," LIVES "}",
		ERR_BAD_INPUT, "digest"},
	{"{" DEVICE ",\"order\":\"install\",\"path\":\"toy/x.json\"," WANT "," LIVES "}",
		ERR_BAD_INPUT, "digest"},
	{"{" DEVICE ",\"order\":\"nothing\",\"version\":7," WANT "," LIVES "}", ERR_BAD_INPUT,
		"version"},
	{"{" DEVICE ",\"order\":\"nothing\",\"want\":{\"targets\":{\"has\":-1}}," LIVES "}",
		ERR_BAD_INPUT, "has"},
	{"{" DEVICE ",\"order\":\"nothing\",\"want\":{\"targets\":{\"has\":1.0}}," LIVES "}",
		ERR_BAD_INPUT, NULL},
	{"{" DEVICE ",\"order\":\"nothing\",\"want\":{\"root\":{\"has\":1}}," LIVES "}",
		ERR_BAD_INPUT, "root"},
	{"{" DEVICE ",\"order\":\"nothing\"," WANT ",\"life_s\":0,\"timestamp_life_s\":60}",
		ERR_BAD_INPUT, "life_s"},
	{"{\"ask\":\"time\",\"device\":\"lane-1\",\"nonce\":\"00\"}", ERR_BAD_INPUT, "nonce"},
	{"{\"ask\":\"time\",\"device\":\"lane-1\"}", ERR_BAD_INPUT, "nonce"},
	{"{\"ask\":\"image\"," WANT "," LIVES "}", ERR_BAD_INPUT, "files"},
	{"{\"ask\":\"image\"," WANT "," LIVES ",\"files\":[{\"role\":\"a/b\",\"bytes\":\"\"}]}",
		ERR_BAD_INPUT, "role"},
	{"{\"ask\":\"image\"," WANT "," LIVES ",\"files\":[{\"role\":\"root\",\"bytes\":7}]}",
		ERR_BAD_INPUT, "bytes"},
	{"{\"ask\":\"image\"," WANT "," LIVES
	 ",\"files\":[{\"role\":\"root\",\"bytes\":\"\\u0000\"}]}",
		ERR_BAD_INPUT, NULL},
};

static void what_is_malformed_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e;
		int rc;
		struct ask *a = ask_of(bad[i].text, &rc, &e);

		expect_err(rc, &e, bad[i].code, bad[i].piece, bad[i].text);
		assert_null(a->doc);
		mem_free(&a);
	}
}

static void too_many_files_are_refused(void **state)
{
	BUF_AUTO text = {0};
	struct ask *a;
	struct err e;
	int rc;

	(void)state;
	buf_add_str(&text, "{\"ask\":\"image\"," WANT "," LIVES ",\"files\":[");
	for (unsigned i = 0; i <= LIMIT_SIGN_FILES; i++)
		buf_addf(&text, "%s{\"role\":\"r%u\",\"bytes\":\"\"}", i ? "," : "", i);
	buf_add_str(&text, "]}");
	a = ask_of(buf_cstr(&text), &rc, &e);
	expect_err(rc, &e, ERR_TOO_LARGE, "files", "one more than fits");
	mem_free(&a);
}

/* ---- replies ---- */

static void a_reply_comes_back_whole(void **state)
{
	struct signed_file f = {.role = "targets", .version = 7, .expires_s = 1790000000};
	struct reply *r = mem_new(sizeof *r), *got = mem_new(sizeof *got);
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	memset(r, 0, sizeof *r);
	buf_add_str(&f.bytes, "{\"signed\": \"\xc3\xbc\n\"}");
	reply_add(r, &f);
	r->line = 12;
	r->made = 1;
	reply_format(r, &text);
	expect_ok(reply_parse(buf_str(&text), got, &e), &e);
	assert_int_equal(got->n, 1);
	assert_int_equal(got->line, 12);
	assert_int_equal(got->files[0].version, 7);
	assert_true(str_eq(buf_str(&got->files[0].bytes), buf_str(&f.bytes)));
	assert_ptr_equal(reply_find(got, "targets"), &got->files[0]);
	assert_null(reply_find(got, "root"));
	buf_fini(&f.bytes);
	reply_fini(r);
	reply_fini(got);
	mem_free(&r);
	mem_free(&got);
}

static void a_refusal_comes_back_as_itself(void **state)
{
	struct reply *r = mem_new(sizeof *r);
	BUF_AUTO text = {0};
	struct err why, e;

	(void)state;
	(void)err_set(&why, ERR_ROLLED_BACK, "counter \x01 1");
	reply_format_err(&why, &text);
	expect_err(
		reply_parse(buf_str(&text), r, &e), &e, ERR_ROLLED_BACK, "counter ? 1", "refusal");
	mem_free(&r);
}

#define VERSION_0                                                                                  \
	("{\"line\":1,\"made\":1,\"files\":[{\"role\":\"targets\",\"version\":0,"                  \
	 "\"expires_s\":1,\"bytes\":\"\"}]}")

static void a_reply_that_is_malformed_is_refused(void **state)
{
	static const char *const texts[] = {"", "{}", "7", "{\"error\":\"ok\",\"reason\":\"\"}",
		"{\"error\":\"denied\"}", "{\"line\":1,\"made\":1,\"files\":[{}]}",
		"{\"line\":1,\"made\":99,\"files\":[]}", VERSION_0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct reply *r = mem_new(sizeof *r);
		struct err e;

		expect_err(reply_parse(str_of(texts[i]), r, &e), &e, ERR_BAD_INPUT, NULL, texts[i]);
		mem_free(&r);
	}
}

/* ---- the log ---- */

static struct chain_note note_of(unsigned i)
{
	struct chain_note n = {.at = 1790000000000 + i, .version = i + 1};

	snprintf(n.peer, sizeof n.peer, "uid=1000 pid=7");
	snprintf(n.what, sizeof n.what, "director-targets");
	snprintf(n.device, sizeof n.device, "lane-%u", i);
	n.digest.b[0] = (uint8_t)(i + 1);
	if (i % 2)
		(void)err_set(&n.why, ERR_BUSY, "budget");
	return n;
}

static void write_lines(unsigned n, struct chain *at, struct buf *out)
{
	*at = (struct chain){.n = 0};
	for (unsigned i = 0; i < n; i++) {
		struct chain_note note = note_of(i);

		chain_add(at, &note, out);
	}
}

static int check_lines(struct str text, struct chain *at, struct err *e)
{
	struct str line;

	*at = (struct chain){.n = 0};
	while (text.n && str_split(&text, '\n', &line))
		TRY(chain_check(at, line, e));
	return 0;
}

static void every_flipped_bit_is_found(void **state)
{
	BUF_AUTO text = {0};
	struct chain at, got;
	struct err e;

	(void)state;
	write_lines(3, &at, &text);
	expect_ok(check_lines(buf_str(&text), &got, &e), &e);
	assert_memory_equal(&got, &at, sizeof at);
	for (size_t i = 0; i < 8 * text.n; i++) {
		text.p[i / 8] ^= (uint8_t)(1U << i % 8);
		if (check_lines(buf_str(&text), &got, &e) == 0 && memcmp(&got, &at, sizeof at) == 0)
			fail_msg("bit %zu of byte %zu", i % 8, i / 8);
		text.p[i / 8] ^= (uint8_t)(1U << i % 8);
	}
}

static void a_line_that_is_missing_twice_or_elsewhere_is_found(void **state)
{
	static const unsigned orders[][4] = {
		{1, 2, 3, 9}, {0, 2, 3, 9}, {0, 0, 1, 2}, {0, 2, 1, 3}};
	BUF_AUTO text = {0};
	struct chain at;
	struct err e;

	(void)state;
	write_lines(4, &at, &text);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct str rest = buf_str(&text), lines[4];
		BUF_AUTO other = {0};

		for (unsigned k = 0; k < 4; k++)
			assert_true(str_split(&rest, '\n', &lines[k]));
		for (unsigned k = 0; k < 4 && orders[i][k] < 4; k++) {
			buf_add(&other, lines[orders[i][k]].p, lines[orders[i][k]].n);
			buf_add_char(&other, '\n');
		}
		expect_err(check_lines(buf_str(&other), &at, &e), &e, ERR_ALTERED, NULL, "order");
	}
}

/* ---- the log on a disk ---- */

static void add(struct book *b, unsigned from, unsigned n)
{
	struct chain_note notes[4];
	struct err e;

	for (unsigned i = 0; i < n; i++)
		notes[i] = note_of(from + i);
	expect_ok(book_add(b, notes, n, &e), &e);
}

static void a_log_goes_on_where_it_was(void **state)
{
	struct crashfs *disk = crashfs_new();
	struct chain known = {.n = 0};
	struct book b;
	struct err e;

	(void)state;
	expect_ok(book_open(&b, crashfs_fs(disk), "log", &known, &e), &e);
	add(&b, 0, 3);
	known = b.at;
	add(&b, 3, 2);
	book_close(&b);
	crashfs_settle(disk);
	expect_ok(book_open(&b, crashfs_fs(disk), "log", &known, &e), &e);
	assert_int_equal(b.at.n, 5);
	known = b.at;
	known.size++;
	book_close(&b);
	expect_err(book_open(&b, crashfs_fs(disk), "log", &known, &e), &e, ERR_ALTERED, "bytes",
		"shorter than known");
	known.size--;
	known.last.b[0] ^= 1;
	expect_err(book_open(&b, crashfs_fs(disk), "log", &known, &e), &e, ERR_ALTERED, "line 5",
		"another one");
	assert_int_equal(crashfs_open_fds(disk), 0);
	crashfs_free(&disk);
}

/* Opens, adds two lines twice, and says how far it had come when the power went. */
static struct chain write_until_cut(struct fs *fs, const struct chain *known)
{
	struct chain_note notes[2] = {note_of(0), note_of(1)};
	struct chain done = *known;
	struct book b;
	struct err e;

	if (book_open(&b, fs, "log", known, &e) < 0)
		return done;
	done = b.at;
	for (unsigned i = 0; i < 2 && book_add(&b, notes, 2, &e) == 0; i++)
		done = b.at;
	book_close(&b);
	return done;
}

static void a_cut_loses_no_line_that_was_told(void **state)
{
	const struct chain none = {.n = 0};
	unsigned cuts = 0;

	(void)state;
	for (uint64_t n = 1;; n++)
		for (uint64_t seed = 0; seed < 6; seed++) {
			struct crashfs *disk = crashfs_new();
			struct chain done;
			struct book b;
			struct err e;
			bool is_cut;

			crashfs_cut_at(disk, n);
			done = write_until_cut(crashfs_fs(disk), &none);
			is_cut = crashfs_is_cut(disk);
			crashfs_reboot(disk, seed);
			expect_ok(book_open(&b, crashfs_fs(disk), "log", &done, &e), &e);
			assert_true(b.at.n >= done.n);
			add(&b, 9, 1);
			book_close(&b);
			crashfs_free(&disk);
			if (!is_cut) {
				printf("== %u cuts of a log that is written\n", cuts);
				return;
			}
			cuts++;
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_malformed_is_refused),
		cmocka_unit_test(too_many_files_are_refused),
		cmocka_unit_test(a_reply_comes_back_whole),
		cmocka_unit_test(a_refusal_comes_back_as_itself),
		cmocka_unit_test(a_reply_that_is_malformed_is_refused),
		cmocka_unit_test(every_flipped_bit_is_found),
		cmocka_unit_test(a_line_that_is_missing_twice_or_elsewhere_is_found),
		cmocka_unit_test(a_log_goes_on_where_it_was),
		cmocka_unit_test(a_cut_loses_no_line_that_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
