#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/tele/tele_priv.h"

struct place {
	char dir[32];
	struct fs fs;
};

static int open_place(void **state)
{
	struct place *p = mem_new(sizeof *p);
	struct err e;

	strcpy(p->dir, "tele.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	expect_ok(fs_posix_open(p->dir, &p->fs, &e), &e);
	*state = p;
	return 0;
}

static int close_place(void **state)
{
	struct place *p = *state;

	fs_posix_close(&p->fs);
	mem_free(&p);
	return 0;
}

static void make(struct report *r, uint64_t seq, enum report_kind kind)
{
	report_init(r);
	r->seq = seq;
	r->kind = kind;
	r->at = 1700000000000;
	strcpy(r->hardware, "edge-1");
	strcpy(r->state, "idle");
}

static int put(struct place *p, uint64_t seq, enum report_kind kind, struct err *e)
{
	struct report r;
	int rc;

	make(&r, seq, kind);
	rc = tele_put(&p->fs, &r, e);
	report_fini(&r);
	return rc;
}

/* As put would, but without waiting for the disk each time. */
static void put_fast(struct place *p, uint64_t seq, enum report_kind kind)
{
	const struct tele_entry entry = {.seq = seq};
	char path[FS_PATH_MAX];
	BUF_AUTO text = {0};
	struct report r;
	struct err e;
	int fd;

	make(&r, seq, kind);
	report_encode(&r, &text);
	tele_folder_path(TELE_REPORTS, &entry, path);
	expect_ok(tele_folder_make(&p->fs, TELE_REPORTS, &e), &e);
	expect_ok(p->fs.ops->open(&p->fs, path, FS_CREATE, &fd, &e), &e);
	expect_ok(p->fs.ops->pwrite(&p->fs, fd, text.p, text.n, 0, &e), &e);
	expect_ok(p->fs.ops->close(&p->fs, fd, &e), &e);
	report_fini(&r);
}

static void put_ok(struct place *p, uint64_t seq, enum report_kind kind)
{
	struct err e;

	expect_ok(put(p, seq, kind, &e), &e);
}

static struct tele_folder list(struct place *p, const char *dir)
{
	struct tele_folder f;
	struct err e;

	expect_ok(tele_folder_list(&p->fs, dir, &f, &e), &e);
	return f;
}

static bool has(const struct tele_folder *f, uint64_t seq)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].seq == seq)
			return true;
	return false;
}

static void reports_wait_in_order(void **state)
{
	static const uint64_t seqs[] = {9, 10, 2, 100, 18446744073709551615U, 1};
	static const uint64_t sorted[] = {1, 2, 9, 10, 100, 18446744073709551615U};
	struct place *p = *state;
	FOLDER_AUTO f = {0};

	f = list(p, TELE_REPORTS);
	assert_int_equal(f.n, 0);
	for (size_t i = 0; i < ARRAY_LEN(seqs); i++)
		put_ok(p, seqs[i], REPORT_STATE);
	put_ok(p, 10, REPORT_OUTCOME);
	f = list(p, TELE_REPORTS);
	assert_int_equal(f.n, ARRAY_LEN(sorted));
	for (size_t i = 0; i < f.n; i++)
		assert_true(f.v[i].seq == sorted[i]);
}

static void what_is_stored_is_the_report(void **state)
{
	struct place *p = *state;
	BUF_AUTO text = {0};
	struct report r;
	struct err e;

	put_ok(p, 7, REPORT_REFUSED);
	expect_ok(fs_read_file(&p->fs, "reports/7.json", 4096, &text, &e), &e);
	report_init(&r);
	expect_ok(report_decode(buf_str(&text), &r, &e), &e);
	assert_int_equal(r.seq, 7);
	assert_int_equal(r.kind, REPORT_REFUSED);
	expect_text(r.hardware, "edge-1");
	report_fini(&r);
}

static void other_names_are_passed_over(void **state)
{
	static const char *const names[] = {"reports/.5.json.new", "reports/x.json", "reports/5",
		"reports/5.a.b.json", "reports/-1.json", "reports/99999999999999999999.json",
		"reports/5.txt", "reports/.json"};
	struct place *p = *state;
	FOLDER_AUTO f = {0};
	struct err e;

	put_ok(p, 5, REPORT_STATE);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		expect_ok(fs_write_file(&p->fs, names[i], "x", 1, 0644, &e), &e);
	f = list(p, TELE_REPORTS);
	assert_int_equal(f.n, 1);
	assert_true(f.v[0].seq == 5);
}

/* Fills the queue with one kind but for some places, and looks who has to go when another comes. */
static const struct {
	enum report_kind most;
	uint64_t seq[3]; /* exceptions; 0: none */
	enum report_kind kind[3];
	uint64_t victim; /* 0: none, and the newcomer is refused */
} evictions[] = {
	{REPORT_STATE, {0}, {0}, 1},
	{REPORT_STATE, {1, 2}, {REPORT_OUTCOME, REPORT_REFUSED}, 3},
	{REPORT_OUTCOME, {200}, {REPORT_PROGRESS}, 200},
	{REPORT_OUTCOME, {3, 200}, {REPORT_HELLO, REPORT_STATE}, 200},
	{REPORT_REFUSED, {30, 31}, {REPORT_HELLO, REPORT_HELLO}, 30},
	{REPORT_OUTCOME, {0}, {0}, 0},
};

static void fill(struct place *p, size_t row)
{
	for (uint64_t seq = 1; seq <= TELE_QUEUE_MAX; seq++) {
		enum report_kind kind = evictions[row].most;

		for (int i = 0; i < 3; i++)
			if (evictions[row].seq[i] == seq)
				kind = evictions[row].kind[i];
		put_fast(p, seq, kind);
	}
}

static void check_eviction(size_t row)
{
	FOLDER_AUTO f = {0};
	struct place *p;
	void *state;
	struct err e;

	open_place(&state);
	p = state;
	fill(p, row);
	if (evictions[row].victim)
		expect_ok(put(p, 1000, REPORT_OUTCOME, &e), &e);
	else
		expect_err(
			put(p, 1000, REPORT_OUTCOME, &e), &e, ERR_NO_SPACE, "256", "only outcomes");
	f = list(p, TELE_REPORTS);
	assert_int_equal(f.n, TELE_QUEUE_MAX);
	assert_int_equal(has(&f, 1000), evictions[row].victim != 0);
	assert_false(evictions[row].victim && has(&f, evictions[row].victim));
	/* One that is there already needs no place. */
	expect_ok(put(p, f.v[5].seq, REPORT_OUTCOME, &e), &e);
	close_place(&state);
}

static void a_full_queue_spares_outcomes(void **state)
{
	(void)state;
	for (size_t row = 0; row < ARRAY_LEN(evictions); row++)
		check_eviction(row);
}

static void a_damaged_report_gives_way_first(void **state)
{
	struct place *p = *state;
	FOLDER_AUTO f = {0};
	struct err e;

	for (uint64_t seq = 1; seq <= TELE_QUEUE_MAX; seq++)
		put_fast(p, seq, REPORT_OUTCOME);
	expect_ok(fs_write_file(&p->fs, "reports/77.json", "{\"half", 6, 0644, &e), &e);
	put_ok(p, 1000, REPORT_OUTCOME);
	f = list(p, TELE_REPORTS);
	assert_false(has(&f, 77));
}

static void a_queue_that_cannot_be_written_says_so(void **state)
{
	struct place *p = *state;
	struct err e;

	expect_ok(fs_write_file(&p->fs, "reports", "x", 1, 0644, &e), &e);
	assert_true(put(p, 1, REPORT_STATE, &e) < 0);
	assert_true(e.code != ERR_OK && e.text[0]);
}

/* ---- dossiers ---- */

static void dossier(struct place *p, unsigned n)
{
	char txn[TXN_TEXT], text[40];
	struct err e;

	snprintf(txn, sizeof txn, "%032x", n);
	snprintf(text, sizeof text, "{\"n\":%u}", n);
	expect_ok(dossier_save(&p->fs, txn, str_of(text), &e), &e);
}

static void the_newest_dossiers_are_kept(void **state)
{
	struct place *p = *state;
	char txn[TXN_TEXT], text[40];
	struct err e;

	for (unsigned n = 100; n > 60; n--) /* their names are in no order */
		dossier(p, n * 7919);
	for (unsigned n = 100; n > 60; n--) {
		BUF_AUTO got = {0};
		int rc;

		snprintf(txn, sizeof txn, "%032x", n * 7919);
		snprintf(text, sizeof text, "{\"n\":%u}", n * 7919);
		rc = dossier_load(&p->fs, txn, &got, &e);
		assert_int_equal(rc, n <= 60 + DOSSIER_MAX ? 0 : -(int)ERR_NOT_FOUND);
		if (rc == 0)
			expect_text(buf_cstr(&got), text);
	}
}

static void a_dossier_can_be_told_again(void **state)
{
	struct place *p = *state;
	char txn[TXN_TEXT];
	BUF_AUTO got = {0};
	FOLDER_AUTO f = {0};
	struct err e;

	dossier(p, 1);
	dossier(p, 2);
	snprintf(txn, sizeof txn, "%032x", 1);
	expect_ok(dossier_save(&p->fs, txn, STR("{}"), &e), &e);
	f = list(p, "dossiers");
	assert_int_equal(f.n, 2);
	expect_ok(dossier_load(&p->fs, txn, &got, &e), &e);
	expect_text(buf_cstr(&got), "{}");
	expect_err(dossier_load(&p->fs, "../../etc/passwd", &got, &e), &e, ERR_NOT_FOUND,
		"no dossier", "path");
}

/* ---- history ---- */

static const struct {
	ms_t wall;
	const char *line, *stored;
} lines[] = {
	{0, "idle", "1970-01-01T00:00:00.000Z idle\n"},
	{1700000000999, "staging: ocr-2", "2023-11-14T22:13:20.999Z staging: ocr-2\n"},
	{1700000001000, "two\nlines\tand \x1b[31mred",
		"2023-11-14T22:13:21.000Z two lines and  [31mred\n"},
	{1700000002000, "", "2023-11-14T22:13:22.000Z \n"},
};

static void history_is_a_line_per_event(void **state)
{
	struct place *p = *state;
	BUF_AUTO want = {0};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		expect_ok(history_add(&p->fs, lines[i].wall, lines[i].line, &e), &e);
		buf_add_str(&want, lines[i].stored);
	}
	for (unsigned n = 0; n <= 6; n++) {
		BUF_AUTO got = {0};
		size_t skip = 0;

		for (size_t i = 0; i + n < ARRAY_LEN(lines); i++)
			skip += strlen(lines[i].stored);
		expect_ok(history_read(&p->fs, n, &got, &e), &e);
		expect_text(buf_cstr(&got), buf_cstr(&want) + skip);
	}
}

static void no_history_is_no_error(void **state)
{
	struct place *p = *state;
	BUF_AUTO got = {0};
	struct err e;

	expect_ok(history_read(&p->fs, 10, &got, &e), &e);
	assert_int_equal(got.n, 0);
}

static void half_a_line_is_left_alone(void **state)
{
	struct place *p = *state;
	BUF_AUTO got = {0};
	struct err e;

	expect_ok(fs_write_file(&p->fs, "history.log", "whole\nhal", 9, 0644, &e), &e);
	expect_ok(history_add(&p->fs, 0, "next", &e), &e);
	expect_ok(history_read(&p->fs, 10, &got, &e), &e);
	expect_text(buf_cstr(&got), "whole\nhal\n1970-01-01T00:00:00.000Z next\n");
}

static void history_is_rotated(void **state)
{
	struct place *p = *state;
	char line[HISTORY_LINE_MAX + 50];
	BUF_AUTO got = {0};
	struct fs_stat now, before;
	struct err e;

	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = 0;
	for (int i = 0; i < 300; i++) {
		char number[16];

		snprintf(number, sizeof number, "%09d ", i);
		memcpy(line, number, 10);
		expect_ok(history_add(&p->fs, 0, line, &e), &e);
	}
	expect_ok(p->fs.ops->stat(&p->fs, "history.log", &now, &e), &e);
	expect_ok(p->fs.ops->stat(&p->fs, "history.log.1", &before, &e), &e);
	assert_true(now.size < HISTORY_BYTES / 2);
	assert_true(
		before.size >= HISTORY_BYTES && before.size < HISTORY_BYTES + 2 * HISTORY_LINE_MAX);
	/* What is read goes over the cut. */
	expect_ok(history_read(&p->fs, 100, &got, &e), &e);
	assert_int_equal(got.n, 100 * (HISTORY_LINE_MAX + 26));
	assert_memory_equal(got.p + 25, "000000200", 9);
}

#define PLACE_TEST(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(reports_wait_in_order),
		PLACE_TEST(what_is_stored_is_the_report),
		PLACE_TEST(other_names_are_passed_over),
		cmocka_unit_test(a_full_queue_spares_outcomes),
		PLACE_TEST(a_damaged_report_gives_way_first),
		PLACE_TEST(a_queue_that_cannot_be_written_says_so),
		PLACE_TEST(the_newest_dossiers_are_kept),
		PLACE_TEST(a_dossier_can_be_told_again),
		PLACE_TEST(history_is_a_line_per_event),
		PLACE_TEST(no_history_is_no_error),
		PLACE_TEST(half_a_line_is_left_alone),
		PLACE_TEST(history_is_rotated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
