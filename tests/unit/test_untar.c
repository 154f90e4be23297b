#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "agent/stage/stage.h"
#include "tests/lib/parcel.h"
#include "tests/lib/snapshot.h"

struct memory {
	const uint8_t *p;
	size_t n, at, step;
};

static int memory_open(
	void *self, const struct artifact *a, uint64_t from, void **out, struct err *e)
{
	(void)a;
	(void)e;
	((struct memory *)self)->at = from;
	*out = self;
	return 0;
}

static int memory_read(void *stream, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct memory *m = stream;

	(void)e;
	*out_n = MIN(MIN(n, m->step), m->n - m->at);
	memcpy(p, m->p + m->at, *out_n);
	m->at += *out_n;
	return 0;
}

static void memory_close(void *stream)
{
	(void)stream;
}

struct bed {
	char dir[32];
	struct fs fs;
	struct slots *slots;
	struct release r;
	struct memory memory;
	struct stage_in in;
	struct err e;
};

static int open_bed(void **state)
{
	static unsigned n;
	struct bed *b = calloc(1, sizeof *b);

	snprintf(b->dir, sizeof b->dir, "bed%u", n++);
	mkdir(b->dir, 0755);
	assert_int_equal(fs_posix_open(b->dir, &b->fs, &b->e), 0);
	assert_int_equal(slots_open(&b->fs, "dir", &b->slots, &b->e), 0);
	strcpy(b->r.id.s, "hostile");
	b->r.n_components = 1;
	b->memory.step = 1000;
	b->in = (struct stage_in){.slots = b->slots,
		.from = SLOT_NONE,
		.release = &b->r,
		.source = {.open = memory_open,
			.read = memory_read,
			.close = memory_close,
			.self = &b->memory}};
	*state = b;
	return 0;
}

static int close_bed(void **state)
{
	struct bed *b = *state;

	slots_close(&b->slots);
	fs_posix_close(&b->fs);
	free(b);
	return 0;
}

static int run(struct bed *b, const struct buf *artifact)
{
	struct sha256 content;

	b->memory.p = artifact->p;
	b->memory.n = artifact->n;
	return stage_run(&b->in, &content, &b->e);
}

static int run_entries(struct bed *b, const struct parcel_entry *v)
{
	BUF_AUTO artifact = {0};

	parcel_make_tar(&b->r.components[0], "x", "deep/x", v, COMPRESSION_NONE, &artifact);
	return run(b, &artifact);
}

#define NAME_100                                                                                   \
	"n123456789n123456789n123456789n123456789n123456789"                                       \
	"n123456789n123456789n123456789n123456789n123456789"
#define DEEP_8 "d/d/d/d/d/d/d/d/"

static const struct {
	const char *why;
	struct parcel_entry v[4];
	enum err_code code;
} hostile[] = {
	{"absolute name", {{'0', "/etc/passwd", "root", 0}}, ERR_DENIED},
	{"name that goes up", {{'0', "../../etc/passwd", "root", 0}}, ERR_DENIED},
	{"name that goes up later", {{'0', "a/b/../../../x", "root", 0}}, ERR_DENIED},
	{"folder that goes up", {{'5', "..", NULL, 0}}, ERR_DENIED},
	{"character device", {{'3', "tty", NULL, 0}}, ERR_DENIED},
	{"block device", {{'4', "sda", NULL, 0}}, ERR_DENIED},
	{"FIFO", {{'6', "fifo", NULL, 0}}, ERR_DENIED},
	{"hard link out", {{'1', "a", "/etc/passwd", 0}}, ERR_DENIED},
	{"hard link inside", {{'0', "a", "x", 0}, {'1', "b", "a", 0}}, ERR_DENIED},
	{"setuid", {{'0', "su", "x", 04755}}, ERR_DENIED},
	{"setgid", {{'0', "sg", "x", 02755}}, ERR_DENIED},
	{"sticky", {{'5', "tmp", NULL, 01777}}, ERR_DENIED},
	{"link out", {{'2', "a", "../../../../etc", 0}}, ERR_DENIED},
	{"absolute link", {{'2', "a", "/etc", 0}}, ERR_DENIED},
	{"link out, then through it", {{'2', "a", "..", 0}, {'0', "a/b.status", "x", 0}},
		ERR_DENIED},
	{"through a link that stays inside",
		{{'5', "d", NULL, 0}, {'2', "a", "d", 0}, {'0', "a/f", "x", 0}}, ERR_DENIED},
	{"chain of links out",
		{{'5', "d", NULL, 0}, {'2', "d/up", "..", 0}, {'2', "m", "d/up/..", 0}},
		ERR_DENIED},
	{"file over a link", {{'2', "a", "b", 0}, {'0', "a", "x", 0}}, ERR_BAD_INPUT},
	{"file twice", {{'0', "a", "x", 0}, {'0', "./a", "y", 0}}, ERR_BAD_INPUT},
	{"file over a folder", {{'0', "a/b", "x", 0}, {'0', "a", "y", 0}}, ERR_BAD_INPUT},
	{"folder over a file", {{'0', "a", "x", 0}, {'5', "a", NULL, 0}}, ERR_BAD_INPUT},
	{"beneath a file", {{'0', "a", "x", 0}, {'0', "a/b", "y", 0}}, ERR_BAD_INPUT},
	{"empty part", {{'0', "a//b", "x", 0}}, ERR_BAD_INPUT},
	{"backslash", {{'0', "a\\b", "x", 0}}, ERR_BAD_INPUT},
	{"control character", {{'0', "a\x1b[31m", "x", 0}}, ERR_BAD_INPUT},
	{"long name", {{'0', NAME_100 "/" NAME_100 "/" NAME_100, "x", 0}}, ERR_TOO_LARGE},
	{"long link", {{'2', "a", NAME_100 "/" NAME_100 "/" NAME_100, 0}}, ERR_DENIED},
	{"deep name", {{'0', DEEP_8 DEEP_8 DEEP_8 DEEP_8 "f", "x", 0}}, ERR_BAD_INPUT},
};

static void hostile_archives_leave_nothing(void **state)
{
	struct bed *b = *state;
	BUF_AUTO before = {0};

	snapshot_take(b->dir, &before);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		BUF_AUTO after = {0};
		int rc = run_entries(b, hostile[i].v);

		if (rc != -(int)hostile[i].code)
			fail_msg("%s: %d (%s)", hostile[i].why, rc, b->e.text);
		assert_int_equal(fs_remove_tree(&b->fs, "slots/a/deep", &b->e), 0);
		snapshot_take(b->dir, &after);
		assert_string_equal(buf_cstr(&after), buf_cstr(&before));
	}
}

static const struct {
	const char *why;
	struct parcel_entry v[4];
} good[] = {
	{"nothing at all", {PARCEL_END}},
	{"an empty file", {{'0', "a", "", 0}}},
	{"the place itself, and parents unsaid",
		{{'5', "./", NULL, 0}, {'0', "./a/b/c", "x", 0755}}},
	{"a folder after what is in it", {{'0', "a/b", "x", 0}, {'5', "a/", NULL, 0}}},
	{"a link to what comes later", {{'2', "l", "a/b", 0}, {'0', "a/b", "x", 0}}},
	{"a link up, inside", {{'5', "a", NULL, 0}, {'2', "a/l", "../b", 0}, {'0', "b", "x", 0}}},
	{"long names", {{'0', NAME_100 "/" NAME_100 "/b", "x", 0},
			       {'2', "l", NAME_100 "/" NAME_100 "/b", 0}}},
	{"names of other alphabets", {{'0', "\xce\x9a\xce\x91-\xce\x92\x35", "x", 0},
					     {'2', "l", "\xce\x9a\xce\x91-\xce\x92\x35", 0}}},
	{"names of no alphabet", {{'0', "a\xff\xfe", "x", 0}}},
};

static void harmless_archives_are_taken(void **state)
{
	static const size_t steps[] = {1000, 1, 511, 1 << 20};
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
			b->memory.step = steps[k];
			if (run_entries(b, good[i].v) < 0)
				fail_msg("%s: %s", good[i].why, b->e.text);
			assert_int_equal(slots_driver(b->slots)->invalidate(b->slots, 0, &b->e), 0);
			assert_int_equal(fs_remove_tree(&b->fs, "slots/a/deep", &b->e), 0);
		}
	}
}

static void a_cut_archive_is_refused(void **state)
{
	struct bed *b = *state;
	static char body[4000];

	memset(body, 'b', sizeof body - 1);
	for (size_t n = 1; n < 2 * 512 + sizeof body; n += 97) {
		BUF_AUTO tar = {0};
		BUF_AUTO artifact = {0};

		parcel_tar(&tar, (struct parcel_entry[]){
					 {'0', "a", "x", 0}, {'0', "b", body, 0}, PARCEL_END});
		parcel_make_tar(&b->r.components[0], "x", "deep/x",
			(struct parcel_entry[]){
				{'0', "a", "x", 0}, {'0', "b", body, 0}, PARCEL_END},
			COMPRESSION_NONE, &artifact);
		buf_clear(&artifact);
		parcel_wrap(&b->r.components[0], (struct str){(char *)tar.p, n}, COMPRESSION_NONE,
			&artifact);
		assert_true(run(b, &artifact) < 0);
		assert_true(b->e.code == ERR_BAD_INPUT || b->e.code == ERR_ALTERED);
	}
}

static void what_is_no_archive_is_refused(void **state)
{
	static const char *const other[] = {"PK\003\004", "\x1f\x8b\x08", "070701", "!<arch>\n",
		"hello, this is some text that is longer than a magic number"};
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		BUF_AUTO artifact = {0};
		BUF_AUTO bytes = {0};

		buf_add_str(&bytes, other[i]);
		memset(buf_reserve(&bytes, 2000), 0x55, 2000);
		bytes.n += 2000;
		parcel_make_tar(&b->r.components[0], "x", "deep/x",
			(struct parcel_entry[]){PARCEL_END}, COMPRESSION_NONE, &artifact);
		buf_clear(&artifact);
		parcel_wrap(&b->r.components[0], buf_str(&bytes), COMPRESSION_NONE, &artifact);
		assert_int_equal(run(b, &artifact), -ERR_BAD_INPUT);
	}
}

/* More than a device takes, though each of them is harmless. */
static void too_many_entries_are_refused(void **state)
{
	struct bed *b = *state;
	BUF_AUTO tar = {0};
	BUF_AUTO artifact = {0};
	char name[32];

	slots_close(&b->slots);
	assert_int_equal(slots_open(&b->fs, "null", &b->slots, &b->e), 0);
	b->in.slots = b->slots;
	for (unsigned i = 0; i <= LIMIT_TAR_ENTRIES; i++) {
		snprintf(name, sizeof name, "%u", i);
		parcel_tar_entry(&tar, &(struct parcel_entry){'5', name, NULL, 0});
	}
	b->memory.step = 1 << 20;
	parcel_make_tar(&b->r.components[0], "x", "deep/x", (struct parcel_entry[]){PARCEL_END},
		COMPRESSION_NONE, &artifact);
	buf_clear(&artifact);
	parcel_wrap(&b->r.components[0], buf_str(&tar), COMPRESSION_NONE, &artifact);
	assert_int_equal(run(b, &artifact), -ERR_TOO_LARGE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(hostile_archives_leave_nothing),
		CASE(harmless_archives_are_taken),
		CASE(a_cut_archive_is_refused),
		CASE(what_is_no_archive_is_refused),
		CASE(too_many_entries_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
