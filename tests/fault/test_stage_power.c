/* The power is cut at every operation of an installation, and the disk keeps more or less of what
 * was not synced. Whatever it keeps: the slot that runs is as it was, the other one is VALID only
 * with the whole release in it, and the next try succeeds. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/stage/stage.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/parcel.h"

#define SEEDS 4U

static const struct parcel_entry same[] = {
	{'0', "lib/libocr.so", "the same in both releases", 0755},
	{'2', "lib/current", "libocr.so", 0},
	PARCEL_END,
};
static const struct parcel_entry old[] = {{'0', "eng/weights", "old weights", 0}, PARCEL_END};
static const struct parcel_entry new[] = {
	{'0', "eng/weights", "new weights", 0},
	{'0', "ell/weights", "more weights", 0},
	{'5', "empty", NULL, 0},
	PARCEL_END,
};

/* ---- a source in memory ---- */

struct shelf {
	unsigned n;
	struct {
		struct sha256 digest;
		struct buf bytes;
	} v[8];
	size_t at, which;
	uint64_t begun, served; /* where the last reading began; bytes so far */
};

static int shelf_open(
	void *self, const struct artifact *a, uint64_t from, void **out, struct err *e)
{
	struct shelf *s = self;

	for (unsigned i = 0; i < s->n; i++) {
		if (!sha256_eq(&s->v[i].digest, &a->digest))
			continue;
		s->which = i;
		s->at = from;
		*out = s;
		s->begun = from;
		return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "no such artifact");
}

static int shelf_read(void *stream, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct shelf *s = stream;
	const struct buf *b = &s->v[s->which].bytes;

	(void)e;
	*out_n = MIN(n, b->n - s->at);
	memcpy(p, b->p + s->at, *out_n);
	s->at += *out_n;
	s->served += *out_n;
	return 0;
}

static void shelf_close(void *stream)
{
	(void)stream;
}

static struct shelf shelf;
static struct release first, second;
static char raw[150000];

static struct buf *place(void)
{
	return &shelf.v[shelf.n].bytes;
}

static void placed(const struct component *c)
{
	shelf.v[shelf.n++].digest = c->artifact.digest;
}

static void make_releases(void)
{
	for (size_t i = 0; i < sizeof raw; i++)
		raw[i] = (char)(i * 131 + (i >> 9));
	strcpy(first.id.s, "ocr-1");
	strcpy(second.id.s, "ocr-2");
	first.n_components = 2;
	second.n_components = 3;
	parcel_make_tar(&first.components[0], "lib", "code", same, COMPRESSION_ZSTD, place());
	second.components[0] = first.components[0];
	placed(&first.components[0]);
	parcel_make_tar(
		&first.components[1], "model", "models/ocr", old, COMPRESSION_ZSTD, place());
	placed(&first.components[1]);
	parcel_make_tar(
		&second.components[1], "model", "models/ocr", new, COMPRESSION_ZSTD, place());
	placed(&second.components[1]);
	parcel_make_raw(&second.components[2], "image", "images/net.bin",
		(struct str){raw, sizeof raw}, COMPRESSION_ZSTD, place());
	placed(&second.components[2]);
}

/* ---- installing on a simulated disk ---- */

static struct sha256 document_of(const struct release *r)
{
	return (struct sha256){{(uint8_t)r->id.s[4]}};
}

static int install(struct crashfs *c, unsigned slot, unsigned from, const struct release *r)
{
	struct stage_in in = {.slot = slot,
		.from = from,
		.release = r,
		.document = document_of(r),
		.source = {.open = shelf_open,
			.read = shelf_read,
			.close = shelf_close,
			.self = &shelf},
		.foothold_every = (uint64_t)64 * 1024};
	struct sha256 content;
	struct err e;

	TRY(slots_open(crashfs_fs(c), "dir", &in.slots, &e));
	slots_set_note_every(in.slots, 0);
	int rc = stage_run(&in, &content, &e);
	slots_close(&in.slots);
	return rc;
}

static struct slot_view look(struct crashfs *c, unsigned slot)
{
	struct slots *s;
	struct slot_view v;
	struct err e;

	assert_int_equal(slots_open(crashfs_fs(c), "dir", &s, &e), 0);
	assert_int_equal(slots_driver(s)->look(s, slot, &v, &e), 0);
	slots_close(&s);
	return v;
}

/* VALID is a promise about every byte on the disk. */
static void is_whole(struct crashfs *c, unsigned slot, const struct release *r, uint64_t cut)
{
	struct sha256 want = document_of(r), content;
	struct slot_view v = look(c, slot);
	struct slots *s;
	struct err e;

	assert_int_equal(v.mark, SLOT_VALID);
	assert_memory_equal(v.document.b, want.b, sizeof want.b);
	assert_int_equal(slots_open(crashfs_fs(c), "dir", &s, &e), 0);
	if (slots_driver(s)->seal(s, slot, r, &want, &content, &e) < 0)
		fail_msg("cut at %llu: slot %u is VALID, but %s", (unsigned long long)cut, slot,
			e.text);
	slots_close(&s);
}

static struct crashfs *device_with_first(void)
{
	struct crashfs *c = crashfs_new();

	assert_int_equal(install(c, 0, SLOT_NONE, &first), 0);
	crashfs_settle(c);
	return c;
}

/* One cut, one disk. Returns false when the installation was over before. */
static bool try_cut(const struct crashfs *device, uint64_t cut, uint64_t seed)
{
	struct crashfs *c = crashfs_dup(device);
	int rc;

	crashfs_reset_ops(c);
	crashfs_cut_at(c, cut);
	rc = install(c, 1, 0, &second);
	bool was_cut = crashfs_is_cut(c);
	assert_true(was_cut || rc == 0);
	crashfs_reboot(c, seed);
	is_whole(c, 0, &first, cut);
	if (rc == 0 || look(c, 1).mark == SLOT_VALID)
		is_whole(c, 1, &second, cut);
	assert_int_equal(install(c, 1, 0, &second), 0);
	is_whole(c, 1, &second, cut);
	is_whole(c, 0, &first, cut);
	crashfs_free(&c);
	return was_cut;
}

static void cut_at_every_operation(void **state)
{
	struct crashfs *device = device_with_first();
	unsigned tried = 0;
	uint64_t cut = 0;
	bool more = true;

	(void)state;
	while (more) {
		cut++;
		for (uint64_t seed = 0; seed < SEEDS; seed++, tried++)
			more = try_cut(device, cut, seed);
	}
	assert_true(cut > 50);
	printf("== %u power cuts in an installation of %llu operations\n", tried,
		(unsigned long long)cut - 1);
	crashfs_free(&device);
}

/* The second release is there, half or whole; the power is cut while a third takes its place. */
/* ---- a transfer that goes on ---- */

#define LARGE ((size_t)2200 * 1024)
/* From one edge of the writer to the next, a foothold, and a piece that is under way. */
#define AGAIN ((uint64_t)1152 * 1024)

static char large[LARGE + 1];
static struct release third;

static void make_third(void)
{
	static const struct parcel_entry files[] = {
		{'0', "bin/serve", "#!/bin/sh\n", 0755},
		{'0', "weights", large, 0},
		{'0', "words", "a few", 0},
		PARCEL_END,
	};
	uint32_t noise = 1;

	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)((noise = noise * 1664525 + 1013904223) >> 24 | 1);
	strcpy(third.id.s, "ocr-3");
	third.n_components = 1;
	parcel_make_tar(
		&third.components[0], "model", "models/ocr", files, COMPRESSION_NONE, place());
	placed(&third.components[0]);
}

/* Whatever the disk keeps: what was noted is not fetched again, and what comes of both parts is the
 * whole. Returns false when the installation was over before the cut. */
static bool go_on_after(const struct crashfs *device, uint64_t cut, uint64_t seed, bool twice)
{
	struct crashfs *c = crashfs_dup(device);
	uint64_t length = third.components[0].artifact.length;

	shelf.served = 0;
	crashfs_reset_ops(c);
	crashfs_cut_at(c, cut);
	int rc = install(c, 1, 0, &third);
	bool was_cut = crashfs_is_cut(c);
	assert_true(was_cut || rc == 0);
	crashfs_reboot(c, seed);
	if (twice) {
		crashfs_cut_at(c, cut / 2);
		(void)!install(c, 1, 0, &third);
		crashfs_reboot(c, seed + 1);
	}
	is_whole(c, 0, &first, cut);
	assert_int_equal(install(c, 1, 0, &third), 0);
	is_whole(c, 1, &third, cut);
	if (shelf.served > length + (1 + twice) * AGAIN)
		fail_msg("cut at %llu: %llu bytes for an artifact of %llu", (unsigned long long)cut,
			(unsigned long long)shelf.served, (unsigned long long)length);
	crashfs_free(&c);
	return was_cut;
}

static void a_transfer_goes_on_after_every_cut(void **state)
{
	struct crashfs *device = device_with_first();
	unsigned tried = 0;
	bool more = true;
	uint64_t cut = 0;

	(void)state;
	while (more) {
		cut++;
		for (uint64_t seed = 0; seed < 2; seed++, tried++)
			more = go_on_after(device, cut, cut % 3 == 0 ? cut : seed, cut % 4 == 0);
	}
	assert_true(cut > 40);
	printf("== %u power cuts in a transfer, at most %u KiB fetched again after each\n", tried,
		(unsigned)(AGAIN / 1024));
	crashfs_free(&device);
}

static void cut_while_a_valid_slot_is_replaced(void **state)
{
	struct crashfs *device = device_with_first();
	bool more = true;

	(void)state;
	assert_int_equal(install(device, 1, 0, &second), 0);
	crashfs_settle(device);
	for (uint64_t cut = 1; more; cut++) {
		for (uint64_t seed = 0; seed < 2; seed++) {
			struct crashfs *c = crashfs_dup(device);

			crashfs_reset_ops(c);
			crashfs_cut_at(c, cut);
			int rc = install(c, 0, 1, &second);
			more = crashfs_is_cut(c);
			assert_true(more || rc == 0);
			crashfs_reboot(c, seed);
			is_whole(c, 1, &second, cut);
			if (look(c, 0).mark == SLOT_VALID)
				is_whole(c, 0, look(c, 0).release.s[4] == '1' ? &first : &second,
					cut);
			crashfs_free(&c);
		}
	}
	crashfs_free(&device);
}

/* Every operation fails once, with no power cut: a typed error, and the next try succeeds. */
static void every_operation_may_fail(void **state)
{
	static const int sys[] = {EIO, ENOSPC};
	struct crashfs *device = device_with_first();

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(sys); k++) {
		int rc = -1;

		for (uint64_t n = 1; rc < 0; n++) {
			struct crashfs *c = crashfs_dup(device);

			crashfs_reset_ops(c);
			crashfs_fail_at(c, n, 1, sys[k]);
			rc = install(c, 1, 0, &second);
			if (rc < 0)
				assert_true(rc == -ERR_IO || rc == -ERR_NO_SPACE);
			assert_int_equal(crashfs_open_fds(c), 0);
			crashfs_fail_at(c, 0, 0, 0);
			is_whole(c, 0, &first, n);
			assert_int_equal(install(c, 1, 0, &second), 0);
			is_whole(c, 1, &second, n);
			crashfs_free(&c);
		}
	}
	crashfs_free(&device);
}

static void every_way_to_share_a_file(void **state)
{
	static const enum crashfs_clone how[] = {CRASHFS_LINK, CRASHFS_REFLINK, CRASHFS_NO_CLONE};
	struct crashfs *device = device_with_first();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(how); i++) {
		struct crashfs *c = crashfs_dup(device);
		bool more = true;

		crashfs_set_clone(c, how[i]);
		for (uint64_t cut = 1; more; cut += 3)
			more = try_cut(c, cut, cut);
		crashfs_free(&c);
	}
	crashfs_free(&device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_operation),
		cmocka_unit_test(a_transfer_goes_on_after_every_cut),
		cmocka_unit_test(cut_while_a_valid_slot_is_replaced),
		cmocka_unit_test(every_operation_may_fail),
		cmocka_unit_test(every_way_to_share_a_file),
	};

	make_releases();
	make_third();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (unsigned i = 0; i < shelf.n; i++)
		buf_fini(&shelf.v[i].bytes);
	return failed;
}
