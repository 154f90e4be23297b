/* A transfer that was cut off goes on where the slot has noted it, and never where that is not the
 * signed thing. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/stage/stage.h"
#include "proto/trust/digest.h"
#include "tests/lib/parcel.h"

#define BIG   ((size_t)5 * 1024 * 1024 + 777)
#define FRAME ((size_t)192 * 1024)
/* From one edge of the writer to the next, a foothold each 256 KiB, a frame, and what is read
 * ahead. */
#define AGAIN ((uint64_t)1792 * 1024)

static char noise[BIG + 1], small[3][9001];

/* Entries between which cuts may fall: many small files before and behind a large one. */
static const struct parcel_entry entries[] = {
	{'5', "bin", NULL, 0},
	{'0', "bin/run", small[0], 0755},
	{'0', "empty", "", 0},
	{'0', "model/eng", noise, 0},
	{'0', "model/ell", small[1], 0},
	{'2', "model/now", "eng", 0},
	{'0', "tools/deep/er/probe", noise + BIG / 2, 0755},
	{'0', "tools/last", small[2], 0},
	PARCEL_END,
};

/* A server that breaks off after so many bytes, and counts. */
struct bed {
	char dir[32];
	struct fs fs;
	struct release r;
	struct buf bytes;
	struct stage_in in;
	struct sha256 content;
	struct err e;
	uint64_t at, from; /* of the reading that runs; from: where it began */
	uint64_t served, limit;
	unsigned opened;
	bool lies_when_resumed;
	const char *kind; /* of the slots */
};

static int memory_open(
	void *self, const struct artifact *a, uint64_t from, void **out, struct err *e)
{
	struct bed *b = self;

	(void)a;
	(void)e;
	b->at = b->from = from;
	b->opened++;
	*out = b;
	return 0;
}

static int memory_read(void *stream, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct bed *b = stream;

	n = MIN(n, b->bytes.n - b->at);
	if (b->at - b->from + n > b->limit)
		n = (size_t)(b->limit - (b->at - b->from));
	if (n == 0 && b->at < b->bytes.n)
		return err_set(e, ERR_NET, "cut off");
	memcpy(p, b->bytes.p + b->at, n);
	if (b->lies_when_resumed && b->from > 0)
		memset(p, 7, n);
	b->at += n;
	b->served += n;
	*out_n = n;
	return 0;
}

static void memory_close(void *stream)
{
	(void)stream;
}

static void make_frames(const struct buf *plain, size_t frame, struct buf *out)
{
	for (size_t at = 0; at < plain->n; at += frame)
		parcel_zstd((struct str){(const char *)plain->p + at, MIN(frame, plain->n - at)}, 1,
			0, out);
}

/* The component as it is packed by `release create`, with smaller frames. */
static void pack(struct bed *b, enum archive_form form, enum compression how, size_t frame)
{
	struct component *c = &b->r.components[0];
	BUF_AUTO plain = {0};
	BUF_AUTO unused = {0};

	if (form == ARCHIVE_TAR) {
		parcel_make_tar(c, "ocr", "models/ocr", entries, how, &unused);
		parcel_tar(&plain, entries);
	} else {
		parcel_make_raw(c, "ocr", "models/ocr", (struct str){noise, BIG}, how, &unused);
		buf_add(&plain, noise, BIG);
	}
	buf_clear(&b->bytes);
	if (how == COMPRESSION_ZSTD)
		make_frames(&plain, frame, &b->bytes);
	else
		buf_add(&b->bytes, plain.p, plain.n);
	c->artifact.length = b->bytes.n;
	digest_of(b->bytes.p, b->bytes.n, &c->artifact.digest);
}

static void make_noise(char *p, size_t n)
{
	static uint32_t seed = 1;

	for (size_t i = 0; i < n; i++)
		p[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24 | 1);
	p[n] = '\0';
}

static const char *in(const struct bed *b, const char *path)
{
	static char full[256];

	snprintf(full, sizeof full, "%s/%s", b->dir, path);
	return full;
}

static const char *const devices[] = {"device-a", "device-b"};

static void make_device(const struct bed *b, const char *name)
{
	FILE *f = fopen(in(b, name), "w");

	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), 8 << 20), 0);
	fclose(f);
}

static int open_bed(void **state)
{
	static unsigned n;
	struct bed *b = calloc(1, sizeof *b);

	snprintf(b->dir, sizeof b->dir, "resume%u", n++);
	mkdir(b->dir, 0755);
	expect_ok(fs_posix_open(b->dir, &b->fs, &b->e), &b->e);
	strcpy(b->r.id.s, "ocr-1");
	b->r.n_components = 1;
	b->kind = "dir";
	make_device(b, devices[0]);
	make_device(b, devices[1]);
	b->in = (struct stage_in){.from = SLOT_NONE,
		.release = &b->r,
		.document = {{7}},
		.foothold_every = 256 * 1024,
		.source = {.kind = "memory",
			.open = memory_open,
			.read = memory_read,
			.close = memory_close,
			.self = b}};
	pack(b, ARCHIVE_TAR, COMPRESSION_ZSTD, FRAME);
	*state = b;
	return 0;
}

static int close_bed(void **state)
{
	struct bed *b = *state;

	fs_posix_close(&b->fs);
	buf_fini(&b->bytes);
	free(b);
	return 0;
}

/* One life of an agent, that may have so many bytes. */
static int live(struct bed *b, uint64_t limit)
{
	b->limit = limit;
	expect_ok(slots_open(&b->fs, b->kind, &b->in.slots, &b->e), &b->e);
	expect_ok(slots_set_devices(b->in.slots, &b->fs, devices, &b->e), &b->e);
	slots_set_note_every(b->in.slots, 0);
	slots_set_threads(b->in.slots, b->in.overlap ? 2 : 1);
	int rc = stage_run(&b->in, &b->content, &b->e);

	slots_close(&b->in.slots);
	return rc;
}

static void forget(struct bed *b)
{
	struct err e;

	expect_ok(fs_remove_tree(&b->fs, "slots", &e), &e);
	b->served = 0;
	b->opened = 0;
}

/* To the end, whatever has happened, and nothing is left over. */
static void ends_well(struct bed *b)
{
	expect_ok(live(b, UINT64_MAX), &b->e);
	assert_int_equal(access(in(b, "slots/a.ocr.part"), F_OK), -1);
	assert_int_equal(access(in(b, "slots/a.status"), F_OK), 0);
}

/* ---- */

static void cut_once(struct bed *b, uint64_t cut)
{
	forget(b);
	expect_err(live(b, cut), &b->e, ERR_NET, "cut off", "cut");
	b->served = 0;
	ends_well(b);
	if (b->served > b->bytes.n - MIN(cut, b->bytes.n) + AGAIN)
		fail_msg("cut at %llu of %zu: %llu bytes were fetched afterwards",
			(unsigned long long)cut, b->bytes.n, (unsigned long long)b->served);
}

static void a_cut_anywhere_costs_a_bounded_part(void **state)
{
	static const struct {
		enum archive_form form;
		enum compression how;
		const char *kind;
	} rows[] = {{ARCHIVE_TAR, COMPRESSION_ZSTD, "dir"}, {ARCHIVE_RAW, COMPRESSION_ZSTD, "dir"},
		{ARCHIVE_TAR, COMPRESSION_NONE, "dir"}, {ARCHIVE_RAW, COMPRESSION_NONE, "dir"},
		{ARCHIVE_RAW, COMPRESSION_ZSTD, "raw"}};
	struct bed *b = *state;
	unsigned cuts = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		b->kind = rows[i].kind;
		pack(b, rows[i].form, rows[i].how, FRAME);
		/* At borders, where there are some, and off them. */
		for (uint64_t cut = 0; cut < b->bytes.n; cut += 563 * 1024, cuts++) {
			b->in.overlap = cuts % 2 == 0;
			cut_once(b, cut);
		}
	}
	printf("== %u cuts in a component of %zu bytes\n", cuts, b->bytes.n);
}

/* Each life gets a little; all of them together get little more than the whole. */
static void many_cuts_end_after_all(void **state)
{
	struct bed *b = *state;
	unsigned lives = 1;

	while (live(b, 5 * 1024 * 1024 / 2) < 0) {
		assert_int_equal(b->e.code, ERR_NET);
		assert_true(lives++ < 20);
	}
	assert_int_equal(b->opened, lives);
	assert_true(b->served < b->bytes.n + lives * AGAIN);
}

static void one_frame_is_brought_anew(void **state)
{
	struct bed *b = *state;

	pack(b, ARCHIVE_RAW, COMPRESSION_ZSTD, BIG);
	expect_err(live(b, b->bytes.n - 1), &b->e, ERR_NET, NULL, "one frame");
	assert_int_equal(access(in(b, "slots/a.ocr.part"), F_OK), -1);
	ends_well(b);
	assert_int_equal(b->from, 0);
}

/* ---- what was noted is not what is there ---- */

static void damage(const char *path, long at)
{
	struct stat st;
	FILE *f;
	int c;

	assert_int_equal(stat(path, &st), 0);
	chmod(path, 0644);
	f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, at < 0 ? st.st_size + at : at, SEEK_SET);
	c = fgetc(f);
	fseek(f, -1, SEEK_CUR);
	fputc(c ^ 1, f);
	fclose(f);
	chmod(path, st.st_mode);
}

static void cut_late(struct bed *b)
{
	forget(b);
	expect_err(live(b, b->bytes.n - 100), &b->e, ERR_NET, NULL, "cut late");
	assert_int_equal(access(in(b, "slots/a.ocr.part"), F_OK), 0);
}

static void what_was_damaged_is_brought_anew(void **state)
{
	static const struct {
		const char *path;
		long at;
	} rows[] = {
		{"slots/a/models/ocr/model/eng", 1234567},
		{"slots/a/models/ocr/bin/run", 3},
		{"slots/a/models/ocr/tools/deep/er/probe", 0},
		{"slots/a.ocr.part", 0},
		{"slots/a.ocr.part", 150},
		{"slots/a.ocr.part", 400},
	};
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cut_late(b);
		damage(in(b, rows[i].path), rows[i].at);
		ends_well(b);
		assert_int_equal(b->from, 0);
	}
}

static void an_image_that_was_damaged_is_brought_anew(void **state)
{
	struct bed *b = *state;

	b->kind = "raw";
	pack(b, ARCHIVE_RAW, COMPRESSION_ZSTD, FRAME);
	cut_late(b);
	damage(in(b, devices[0]), 1234567);
	ends_well(b);
	assert_int_equal(b->from, 0);
}

/* The last note alone is damaged: the one before it still holds. */
static void a_torn_note_is_none(void **state)
{
	struct bed *b = *state;
	struct stat st;

	cut_late(b);
	assert_int_equal(stat(in(b, "slots/a.ocr.part"), &st), 0);
	damage(in(b, "slots/a.ocr.part"), -2);
	ends_well(b);
	assert_true(b->from > 0);
	for (off_t n = st.st_size - 1; n > 0; n -= 173) {
		cut_late(b);
		assert_int_equal(truncate(in(b, "slots/a.ocr.part"), n), 0);
		ends_well(b);
	}
}

static void touch(const struct bed *b, const char *path)
{
	FILE *f = fopen(in(b, path), "w");

	assert_non_null(f);
	fputs("left over", f);
	fclose(f);
}

static void what_no_note_speaks_of_is_removed(void **state)
{
	struct bed *b = *state;

	cut_late(b);
	mkdir(in(b, "slots/a/models/ocr/zz"), 0755);
	touch(b, "slots/a/models/ocr/zz/stray");
	touch(b, "slots/a/models/ocr/bin/stray");
	touch(b, "slots/a/stray");
	ends_well(b);
	assert_true(b->from > 0);
}

static void another_artifact_begins_at_its_beginning(void **state)
{
	struct bed *b = *state;

	cut_late(b);
	pack(b, ARCHIVE_TAR, COMPRESSION_ZSTD, FRAME / 2);
	ends_well(b);
	assert_int_equal(b->from, 0);
	cut_late(b);
	strcpy(b->r.components[0].name, "other");
	expect_ok(live(b, UINT64_MAX), &b->e);
	assert_int_equal(b->from, 0);
	assert_int_equal(access(in(b, "slots/a.ocr.part"), F_OK), -1);
}

/* Who serves the rest may lie, and so may he who served the first part: the whole is brought once
 * more before it is called altered. */
static void parts_that_do_not_fit_are_brought_once_more(void **state)
{
	struct bed *b = *state;

	b->lies_when_resumed = true;
	for (int overlap = 0; overlap < 2; overlap++) {
		b->in.overlap = overlap;
		cut_late(b);
		b->opened = 0;
		ends_well(b);
		assert_int_equal(b->opened, 2);
		assert_int_equal(b->from, 0);
	}
}

static void room_is_counted_without_what_is_there(void **state)
{
	struct bed *b = *state;
	uint64_t all, rest, room;

	expect_ok(slots_open(&b->fs, "dir", &b->in.slots, &b->e), &b->e);
	const struct slot_driver *d = slots_driver(b->in.slots);
	expect_ok(d->cost(b->in.slots, 0, SLOT_NONE, &b->r, &all, &room, &b->e), &b->e);
	slots_close(&b->in.slots);
	cut_late(b);
	expect_ok(slots_open(&b->fs, "dir", &b->in.slots, &b->e), &b->e);
	expect_ok(d->cost(b->in.slots, 0, SLOT_NONE, &b->r, &rest, &room, &b->e), &b->e);
	slots_close(&b->in.slots);
	assert_true(rest < all / 2);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)
	const struct CMUnitTest tests[] = {
		CASE(a_cut_anywhere_costs_a_bounded_part),
		CASE(many_cuts_end_after_all),
		CASE(one_frame_is_brought_anew),
		CASE(what_was_damaged_is_brought_anew),
		CASE(an_image_that_was_damaged_is_brought_anew),
		CASE(a_torn_note_is_none),
		CASE(what_no_note_speaks_of_is_removed),
		CASE(another_artifact_begins_at_its_beginning),
		CASE(parts_that_do_not_fit_are_brought_once_more),
		CASE(room_is_counted_without_what_is_there),
	};

	make_noise(noise, BIG);
	for (size_t i = 0; i < ARRAY_LEN(small); i++)
		make_noise(small[i], sizeof small[i] - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
