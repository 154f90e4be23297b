/* Images of several pieces on two simulated devices: the power is cut, and the disk fails, at every
 * operation of an installation. Whatever the device keeps, sector by sector: the slot that runs is
 * as it was, the other one is VALID only with the signed image in it, and the next try succeeds. */
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
#include "tests/lib/expect.h"
#include "tests/lib/parcel.h"

#define ROOM  ((size_t)1536 * 1024)
#define IMAGE ((size_t)1100001)

static const char *const device[SLOT_COUNT] = {"dev-a", "dev-b"};
static struct crashfs *shelf;
static struct release first, second;
static char image[2][IMAGE];

static unsigned seeds(void)
{
	return getenv("BACKSTAY_LONG") ? 12 : 3;
}

static void make_release(struct release *r, const char *id, char *bytes, int salt)
{
	struct fs *fs = crashfs_fs(shelf);
	char name[SHA256_TEXT];
	BUF_AUTO artifact = {0};
	struct err e;

	for (size_t i = 0; i < IMAGE; i++)
		bytes[i] = (char)(i * 131 + (i >> 9) + (size_t)salt);
	strcpy(r->id.s, id);
	r->n_components = 1;
	parcel_make_raw(&r->components[0], "root", "root.img", (struct str){bytes, IMAGE},
		COMPRESSION_ZSTD, &artifact);
	sha256_format(&r->components[0].artifact.digest, name);
	expect_ok(fs_write_file(fs, name, artifact.p, artifact.n, 0644, &e), &e);
}

static struct sha256 document_of(const struct release *r)
{
	return (struct sha256){{(uint8_t)r->id.s[3]}};
}

static int open_slots(struct crashfs *c, struct slots **out, struct err *e)
{
	TRY(slots_open(crashfs_fs(c), "raw", out, e));
	return slots_set_devices(*out, crashfs_fs(c), device, e);
}

static int install(struct crashfs *c, unsigned slot, unsigned from, const struct release *r)
{
	struct stage_in in = {.slot = slot,
		.from = from,
		.release = r,
		.document = document_of(r),
		.source = stage_source_dir(crashfs_fs(shelf))};
	struct sha256 content;
	struct err e;

	TRY(open_slots(c, &in.slots, &e));
	int rc = stage_run(&in, &content, &e);
	slots_close(&in.slots);
	return rc;
}

static struct slot_view look(struct crashfs *c, unsigned slot)
{
	struct slot_view v;
	struct slots *s;
	struct err e;

	expect_ok(open_slots(c, &s, &e), &e);
	expect_ok(slots_driver(s)->look(s, slot, &v, &e), &e);
	slots_close(&s);
	return v;
}

/* The device is read beside the driver. */
static bool holds(struct crashfs *c, unsigned slot, const struct release *r)
{
	struct fs *fs = crashfs_fs(c);
	BUF_AUTO back = {0};
	struct err e;

	expect_ok(fs_read_file(fs, device[slot], ROOM, &back, &e), &e);
	assert_int_equal(back.n, ROOM);
	return memcmp(back.p, image[r == &second], IMAGE) == 0;
}

static void is_whole(struct crashfs *c, unsigned slot, const struct release *r, uint64_t at)
{
	struct sha256 want = document_of(r);
	struct slot_view v = look(c, slot);

	if (v.mark != SLOT_VALID || !holds(c, slot, r))
		fail_msg("at %llu: slot %u is %s and %s %s", (unsigned long long)at, slot,
			v.mark == SLOT_VALID ? "valid" : "invalid",
			holds(c, slot, r) ? "holds" : "does not hold", r->id.s);
	assert_memory_equal(v.document.b, want.b, sizeof want.b);
}

static struct crashfs *new_device(void)
{
	struct crashfs *c = crashfs_new();
	char *zeros = calloc(1, ROOM);
	struct err e;

	for (unsigned i = 0; i < SLOT_COUNT; i++)
		expect_ok(fs_write_file(crashfs_fs(c), device[i], zeros, ROOM, 0600, &e), &e);
	free(zeros);
	assert_int_equal(install(c, 0, SLOT_NONE, &first), 0);
	crashfs_settle(c);
	return c;
}

/* What runs is whole, and what is marked is. Then it must go on to a good end. */
static void judge(struct crashfs *c, int rc, const struct release *r, uint64_t at)
{
	is_whole(c, 0, &first, at);
	if (rc == 0 || look(c, 1).mark == SLOT_VALID)
		is_whole(c, 1, r, at);
	assert_int_equal(install(c, 1, 0, r), 0);
	is_whole(c, 1, r, at);
	is_whole(c, 0, &first, at);
}

static bool try_cut(
	const struct crashfs *image_of, const struct release *r, uint64_t cut, uint64_t seed)
{
	struct crashfs *c = crashfs_dup(image_of);

	crashfs_reset_ops(c);
	crashfs_cut_at(c, cut);
	int rc = install(c, 1, 0, r);
	bool was_cut = crashfs_is_cut(c);
	assert_true(was_cut || rc == 0);
	crashfs_reboot(c, seed);
	judge(c, rc, r, cut);
	crashfs_free(&c);
	return was_cut;
}

static void cut_everywhere(const struct release *r, const char *what)
{
	struct crashfs *c = new_device();
	unsigned tried = 0;
	uint64_t cut = 0;
	bool more = true;

	while (more) {
		cut++;
		for (uint64_t seed = 0; seed < seeds(); seed++, tried++)
			more = try_cut(c, r, cut, seed);
	}
	assert_true(cut > 15);
	printf("== %u power cuts while an image is %s, %llu operations\n", tried, what,
		(unsigned long long)cut - 1);
	crashfs_free(&c);
}

static void cut_while_it_is_written(void **state)
{
	(void)state;
	cut_everywhere(&second, "written");
}

/* The same image is in the other slot. */
static void cut_while_it_is_copied(void **state)
{
	(void)state;
	cut_everywhere(&first, "copied");
}

static void every_operation_may_fail(void **state)
{
	static const int sys[] = {EIO, ENOSPC, EROFS};
	struct crashfs *device_of = new_device();
	unsigned failed = 0;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(sys); k++) {
		int rc = -1;

		for (uint64_t n = 1; rc < 0; n++, failed++) {
			struct crashfs *c = crashfs_dup(device_of);

			crashfs_reset_ops(c);
			crashfs_fail_at(c, n, 1, sys[k]);
			rc = install(c, 1, 0, &second);
			if (rc < 0)
				assert_true(rc == -ERR_IO || rc == -ERR_NO_SPACE);
			assert_int_equal(crashfs_open_fds(c), 0);
			crashfs_fail_at(c, 0, 0, 0);
			judge(c, rc, &second, n);
			crashfs_free(&c);
		}
	}
	printf("== %u failed operations\n", failed);
	crashfs_free(&device_of);
}

/* The old image of the slot is replaced; a device that stays half written says so to nobody. */
static void a_second_cut_on_the_way_out(void **state)
{
	struct crashfs *device_of = new_device();
	bool more = true;

	(void)state;
	for (uint64_t cut = 2; more; cut += 3) {
		struct crashfs *c = crashfs_dup(device_of);

		crashfs_reset_ops(c);
		crashfs_cut_at(c, cut);
		(void)install(c, 1, 0, &second);
		more = crashfs_is_cut(c);
		crashfs_reboot(c, cut);
		crashfs_reset_ops(c);
		crashfs_cut_at(c, 4 + cut % 7);
		int rc = install(c, 1, 0, &second);
		crashfs_reboot(c, cut + 1);
		judge(c, rc, &second, cut);
		crashfs_free(&c);
	}
	crashfs_free(&device_of);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_while_it_is_written),
		cmocka_unit_test(cut_while_it_is_copied),
		cmocka_unit_test(every_operation_may_fail),
		cmocka_unit_test(a_second_cut_on_the_way_out),
	};

	shelf = crashfs_new();
	make_release(&first, "os-1", image[0], 0);
	make_release(&second, "os-2", image[1], 77);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	crashfs_free(&shelf);
	return failed;
}
