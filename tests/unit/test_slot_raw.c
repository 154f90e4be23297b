/* Raw slots on files of fixed size: what is written, what is refused, what is noticed. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/slot/slot.h"
#include "tests/lib/expect.h"
#include "tests/lib/parcel.h"

#define ROOM ((size_t)3 * 1024 * 1024)

static const struct sha256 document = {{1, 2, 3}};
static const struct parcel_entry files[] = {{'0', "a", "b", 0}, PARCEL_END};

struct bed {
	char dir[32];
	struct fs fs, here; /* home, and what the devices' paths begin at */
	struct slots *slots;
	const struct slot_driver *d;
	struct release r;
	char *image;
	size_t n;
	struct slot_part part;
	struct err e;
};

static void make_device(const struct bed *b, const char *name, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "%s/%s", b->dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

static void set_devices(struct bed *b, const char *one, const char *two)
{
	char path[2][64];

	snprintf(path[0], sizeof path[0], "/%s/%s", b->dir, one);
	snprintf(path[1], sizeof path[1], "/%s/%s", b->dir, two);
	expect_ok(slots_set_devices(b->slots, &b->here, (const char *[]){path[0], path[1]}, &b->e),
		&b->e);
}

static void make_image(struct bed *b, size_t n)
{
	BUF_AUTO ignored = {0};

	free(b->image);
	b->image = malloc(n + 1);
	b->n = n;
	for (size_t i = 0; i < n; i++)
		b->image[i] = (char)(i * 7 + (i >> 8) + (i >> 13));
	b->r.n_components = 1;
	parcel_make_raw(&b->r.components[0], "root", "root.img", (struct str){b->image, n},
		COMPRESSION_NONE, &ignored);
}

static int open_bed(void **state)
{
	static unsigned n;
	struct bed *b = calloc(1, sizeof *b);

	snprintf(b->dir, sizeof b->dir, "raw%u", n++);
	mkdir(b->dir, 0755);
	expect_ok(fs_posix_open(b->dir, &b->fs, &b->e), &b->e);
	expect_ok(fs_posix_open(".", &b->here, &b->e), &b->e);
	expect_ok(slots_open(&b->fs, "raw", &b->slots, &b->e), &b->e);
	b->d = slots_driver(b->slots);
	strcpy(b->r.id.s, "os-1");
	make_device(b, "dev-a", ROOM);
	make_device(b, "dev-b", ROOM);
	set_devices(b, "dev-a", "dev-b");
	make_image(b, 1000000);
	*state = b;
	return 0;
}

static int close_bed(void **state)
{
	struct bed *b = *state;

	slots_close(&b->slots);
	fs_posix_close(&b->fs);
	fs_posix_close(&b->here);
	free(b->image);
	free(b);
	return 0;
}

/* In pieces of odd lengths, as they come out of a decompressor. */
static int put_image(struct bed *b, unsigned slot, const char *bytes)
{
	static const size_t steps[] = {1, 4095, 70001, 300000};

	TRY(b->d->put_begin(b->slots, slot, &b->r.components[0], false, &b->part, &b->e));
	TRY(b->d->put_file(b->slots, ".", false, b->n, &b->e));
	for (size_t at = 0, i = 0, part; at < b->n; at += part, i++) {
		part = MIN(steps[i % ARRAY_LEN(steps)], b->n - at);
		TRY(b->d->put_data(b->slots, bytes + at, part, &b->e));
	}
	return b->d->put_end(b->slots, &b->e);
}

static int seal(struct bed *b, unsigned slot)
{
	struct sha256 content, want;
	int rc = b->d->seal(b->slots, slot, &b->r, &document, &content, &b->e);

	slot_content(&b->r, &want);
	if (rc == 0)
		assert_memory_equal(content.b, want.b, sizeof want.b);
	return rc;
}

static int install(struct bed *b, unsigned slot)
{
	TRY(b->d->invalidate(b->slots, slot, &b->e));
	TRY(b->d->begin(b->slots, slot, &b->r, &b->e));
	TRY(put_image(b, slot, b->image));
	return seal(b, slot);
}

static struct slot_view look(struct bed *b, unsigned slot)
{
	struct slot_view v;

	expect_ok(b->d->look(b->slots, slot, &v, &b->e), &b->e);
	return v;
}

/* Opens the device beside the driver. */
static int open_device(const struct bed *b, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "%s/%s", b->dir, name);
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	return fd;
}

static void flip(const struct bed *b, const char *name, off_t at)
{
	int fd = open_device(b, name);
	char c;

	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

static void holds_image(const struct bed *b, const char *name, size_t size)
{
	int fd = open_device(b, name);
	char *back = malloc(b->n + 1);
	struct stat st;

	assert_int_equal(pread(fd, back, b->n, 0), (ssize_t)b->n);
	assert_int_equal(memcmp(back, b->image, b->n), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	free(back);
	close(fd);
}

/* ---- what is written ---- */

static void images_of_every_length(void **state)
{
	static const size_t lengths[] = {0, 1, 511, 512, 4095, 4096, 4097, 65536, 524287, 524288,
		524289, 1000000, 2097152, ROOM - 1, ROOM};
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(lengths) * 2; i++) {
		make_image(b, lengths[i / 2]);
		slots_set_threads(b->slots, i % 2 + 1);
		expect_ok(install(b, i % 2), &b->e);
		holds_image(b, i % 2 ? "dev-b" : "dev-a", ROOM);
		assert_int_equal(look(b, i % 2).mark, SLOT_VALID);
		assert_int_equal(look(b, i % 2).room, ROOM);
	}
}

/* A device whose end lies within a block: the last bytes are written, and nothing behind them. */
static void a_device_of_odd_size(void **state)
{
	static const size_t sizes[] = {4097, 70000, 524288 + 512, 1000001};
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		make_device(b, "dev-a", sizes[i]);
		make_image(b, sizes[i]);
		expect_ok(install(b, 0), &b->e);
		holds_image(b, "dev-a", sizes[i]);
		make_image(b, sizes[i] - 1);
		expect_ok(install(b, 0), &b->e);
		holds_image(b, "dev-a", sizes[i]);
	}
}

static void what_lies_behind_the_image_stays(void **state)
{
	struct bed *b = *state;
	int fd = open_device(b, "dev-a");
	char far[4] = "far", back[4];

	assert_int_equal(pwrite(fd, far, 4, 1003520), 4);
	expect_ok(install(b, 0), &b->e); /* 1000000 bytes, and zeros to 1003520 */
	assert_int_equal(pread(fd, back, 4, 1003520), 4);
	expect_text(back, "far");
	close(fd);
}

static void links_lead_to_the_device(void **state)
{
	struct bed *b = *state;
	char link[64];

	snprintf(link, sizeof link, "%s/by-label", b->dir);
	assert_int_equal(symlink("dev-b", link), 0);
	set_devices(b, "dev-a", "by-label");
	expect_ok(install(b, 1), &b->e);
	holds_image(b, "dev-b", ROOM);
}

/* ---- what is refused ---- */

#define refuses(b, call, code) expect_err(call, &(b)->e, code, NULL, #call)

static int cost(struct bed *b, unsigned slot)
{
	uint64_t need, room;

	return b->d->cost(b->slots, slot, SLOT_NONE, &b->r, &need, &room, &b->e);
}

static void an_image_that_does_not_fit(void **state)
{
	struct bed *b = *state;
	uint64_t need, room;

	make_device(b, "dev-b", b->n - 1);
	expect_ok(b->d->cost(b->slots, 1, 0, &b->r, &need, &room, &b->e), &b->e);
	assert_int_equal(need, b->n);
	assert_int_equal(room, b->n - 1);
	refuses(b, install(b, 1), ERR_NO_SPACE);
	b->d->put_abort(b->slots, false);
	assert_int_equal(look(b, 1).mark, SLOT_INVALID);
}

static void releases_that_are_not_one_image(void **state)
{
	struct bed *b = *state;
	BUF_AUTO ignored = {0};

	b->r.components[1] = b->r.components[0];
	b->r.n_components = 2;
	refuses(b, cost(b, 0), ERR_CONFLICT);
	b->r.n_components = 1;
	parcel_make_tar(&b->r.components[0], "root", "root", files, COMPRESSION_NONE, &ignored);
	refuses(b, cost(b, 0), ERR_CONFLICT);
	expect_ok(b->d->put_begin(b->slots, 0, &b->r.components[0], false, &b->part, &b->e), &b->e);
	refuses(b, b->d->put_dir(b->slots, "d", &b->e), ERR_CONFLICT);
	refuses(b, b->d->put_link(b->slots, "l", "d", &b->e), ERR_CONFLICT);
	refuses(b, b->d->put_file(b->slots, "f", false, 1, &b->e), ERR_CONFLICT);
	b->d->put_abort(b->slots, false);
}

static void one_device_for_both(void **state)
{
	struct bed *b = *state;
	char link[64];

	snprintf(link, sizeof link, "%s/same", b->dir);
	assert_int_equal(symlink("dev-a", link), 0);
	set_devices(b, "dev-a", "same");
	refuses(b, cost(b, 1), ERR_CONFIG);
	refuses(b, install(b, 1), ERR_CONFIG);
	b->d->put_abort(b->slots, false);
}

static void a_device_that_is_gone(void **state)
{
	struct bed *b = *state;

	expect_ok(install(b, 1), &b->e);
	set_devices(b, "dev-a", "none");
	assert_int_equal(look(b, 1).mark, SLOT_INVALID);
	refuses(b, cost(b, 1), ERR_IO);
	refuses(b, seal(b, 1), ERR_IO);
	expect_ok(install(b, 0), &b->e); /* the other one does not need it */
	set_devices(b, "dev-a", "dev-b");
	assert_int_equal(look(b, 1).mark, SLOT_VALID);
}

static void nobody_said_where_they_are(void **state)
{
	struct bed *b = *state;

	slots_close(&b->slots);
	expect_ok(slots_open(&b->fs, "raw", &b->slots, &b->e), &b->e);
	refuses(b, cost(b, 0), ERR_CONFIG);
}

/* ---- what is noticed ---- */

static void wrong_bytes_are_never_valid(void **state)
{
	struct bed *b = *state;
	char *other = memcpy(malloc(b->n), b->image, b->n);

	other[b->n - 1] ^= 1;
	expect_ok(b->d->begin(b->slots, 0, &b->r, &b->e), &b->e);
	refuses(b, put_image(b, 0, other), ERR_ALTERED);
	b->d->put_abort(b->slots, false);
	refuses(b, seal(b, 0), ERR_ALTERED);
	assert_int_equal(look(b, 0).mark, SLOT_INVALID);
	free(other);
}

static void rot_is_noticed_at_its_first_and_last_byte(void **state)
{
	static const size_t at[] = {0, 4096, 524288, 999999};
	struct bed *b = *state;
	bool has;

	expect_ok(install(b, 0), &b->e);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		flip(b, "dev-a", (off_t)at[i]);
		refuses(b, seal(b, 0), ERR_ALTERED);
		expect_ok(b->d->has(b->slots, 0, &b->r.components[0], &has, &b->e), &b->e);
		assert_false(has);
		flip(b, "dev-a", (off_t)at[i]);
	}
	flip(b, "dev-a", 1000000); /* behind the signed length: nobody's */
	expect_ok(seal(b, 0), &b->e);
	expect_ok(b->d->has(b->slots, 0, &b->r.components[0], &has, &b->e), &b->e);
	assert_true(has);
}

/* A superblock of squashfs before everything else. */
static void make_squashfs(struct bed *b, uint64_t size)
{
	make_image(b, 100000);
	memset(b->image, 0, FSIMAGE_HEAD);
	memcpy(b->image, "hsqs", 4);
	b->image[28] = 4;
	memcpy(b->image + 40, &size, sizeof size);
	BUF_AUTO ignored = {0};

	parcel_make_raw(&b->r.components[0], "root", "root.img", (struct str){b->image, b->n},
		COMPRESSION_NONE, &ignored);
	b->r.components[0].filesystem = FSIMAGE_SQUASHFS;
}

static void an_image_that_is_not_what_it_says(void **state)
{
	struct bed *b = *state;

	make_squashfs(b, 99999);
	expect_ok(install(b, 0), &b->e);
	make_squashfs(b, 100001); /* longer than the image */
	refuses(b, install(b, 0), ERR_BAD_INPUT);
	assert_int_equal(look(b, 0).mark, SLOT_INVALID);
	make_squashfs(b, 99999);
	b->r.components[0].filesystem = FSIMAGE_EXT4;
	refuses(b, install(b, 1), ERR_BAD_INPUT);
	b->r.components[0].filesystem = FSIMAGE_NONE;
	expect_ok(install(b, 1), &b->e);
}

/* ---- from slot to slot ---- */

static bool take(struct bed *b, unsigned slot, unsigned from)
{
	bool taken = false;

	expect_ok(b->d->begin(b->slots, slot, &b->r, &b->e), &b->e);
	expect_ok(b->d->take_over(b->slots, slot, from, &b->r.components[0], &taken, &b->e), &b->e);
	return taken;
}

static void an_equal_image_is_copied(void **state)
{
	struct bed *b = *state;

	for (unsigned threads = 1; threads <= 2; threads++) {
		slots_set_threads(b->slots, threads);
		make_image(b, 1500000 + threads);
		expect_ok(b->d->invalidate(b->slots, 1, &b->e), &b->e);
		expect_ok(install(b, 0), &b->e);
		assert_true(take(b, 1, 0));
		expect_ok(seal(b, 1), &b->e);
		holds_image(b, "dev-b", ROOM);
	}
}

static void what_does_not_hold_is_not_copied(void **state)
{
	struct bed *b = *state;

	assert_false(take(b, 1, 0)); /* nothing there */
	expect_ok(install(b, 0), &b->e);
	flip(b, "dev-a", 77);
	assert_false(take(b, 1, 0)); /* rotten */
	refuses(b, seal(b, 1), ERR_ALTERED);
	flip(b, "dev-a", 77);
	make_device(b, "short", 512);
	set_devices(b, "short", "dev-b");
	assert_false(take(b, 1, 0)); /* cut off */
	set_devices(b, "dev-a", "dev-b");
	expect_ok(b->d->invalidate(b->slots, 0, &b->e), &b->e);
	assert_false(take(b, 1, 0)); /* whole, and not valid */
	make_image(b, 999999);
	assert_false(take(b, 1, 0)); /* another one */
}

/* A slot that cannot be written is an error; it does not look like a source that does not hold. */
static void a_target_that_fails_is_told(void **state)
{
	struct bed *b = *state;
	bool taken = true;

	expect_ok(install(b, 0), &b->e);
	set_devices(b, "dev-a", "none");
	refuses(b, b->d->take_over(b->slots, 1, 0, &b->r.components[0], &taken, &b->e), ERR_IO);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(images_of_every_length),
		CASE(a_device_of_odd_size),
		CASE(what_lies_behind_the_image_stays),
		CASE(links_lead_to_the_device),
		CASE(an_image_that_does_not_fit),
		CASE(releases_that_are_not_one_image),
		CASE(one_device_for_both),
		CASE(a_device_that_is_gone),
		CASE(nobody_said_where_they_are),
		CASE(wrong_bytes_are_never_valid),
		CASE(rot_is_noticed_at_its_first_and_last_byte),
		CASE(an_image_that_is_not_what_it_says),
		CASE(an_equal_image_is_copied),
		CASE(what_does_not_hold_is_not_copied),
		CASE(a_target_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
