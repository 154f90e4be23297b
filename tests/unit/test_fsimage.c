/* Superblocks, good and bad, byte by byte. */
#include <string.h>

#include "proto/wire/fsimage.h"
#include "tests/lib/expect.h"

static uint8_t head[FSIMAGE_HEAD];

static void put(size_t at, uint64_t v, unsigned n)
{
	for (; n > 0; n--, v >>= 8)
		head[at++] = (uint8_t)v;
}

static void make(enum fsimage what)
{
	memset(head, 0, sizeof head);
	if (what == FSIMAGE_EXT4) {
		put(1024 + 0x38, 0xef53, 2);
		put(1024 + 0x4, 2000, 4);
		put(1024 + 0x18, 2, 4); /* blocks of 4096 */
	} else if (what == FSIMAGE_SQUASHFS) {
		memcpy(head, "hsqs", 4);
		put(28, 4, 2);
		put(40, 8192000, 8);
	} else {
		put(1024, 0xe0f5e1e2, 4);
		put(1024 + 12, 12, 1);
		put(1024 + 36, 2000, 4);
	}
}

static int check(enum fsimage what, size_t n, uint64_t length, struct err *e)
{
	return fsimage_check(what, (struct str){(const char *)head, n}, length, e);
}

static void each_is_known_and_no_other(void **state UNUSED)
{
	struct err e = {0};

	for (enum fsimage is = FSIMAGE_EXT4; is < FSIMAGE_MAX; is++) {
		make(is);
		for (enum fsimage said = FSIMAGE_EXT4; said < FSIMAGE_MAX; said++) {
			int rc = check(said, sizeof head, 8192000, &e);

			if (said == is)
				expect_ok(rc, &e);
			else
				expect_err(rc, &e, ERR_BAD_INPUT, fsimage_name(said), "another");
		}
		expect_ok(check(FSIMAGE_NONE, 0, 0, &e), &e);
		expect_ok(check(is, sizeof head, 8192001, &e), &e); /* room behind it */
		expect_err(check(is, sizeof head, 8191999, &e), &e, ERR_BAD_INPUT, "cut off",
			"one byte short");
		expect_err(check(is, sizeof head - 1, 8192000, &e), &e, ERR_BAD_INPUT, "is no",
			"a head that is cut off");
		expect_err(check(is, 0, 8192000, &e), &e, ERR_BAD_INPUT, "is no", "nothing");
	}
}

static void sizes_that_no_image_has(void **state UNUSED)
{
	struct err e = {0};

	make(FSIMAGE_EXT4);
	put(1024 + 0x18, 0xffffffff, 4);
	expect_err(check(FSIMAGE_EXT4, sizeof head, UINT64_MAX, &e), &e, ERR_BAD_INPUT, "is no",
		"ext4: block size");
	make(FSIMAGE_EXT4);
	put(1024 + 0x60, 0x80, 4);
	put(1024 + 0x150, 1, 4); /* 2^32 blocks more */
	expect_err(check(FSIMAGE_EXT4, sizeof head, 8192000, &e), &e, ERR_BAD_INPUT, "cut off",
		"ext4: many blocks");
	put(1024 + 0x150, 0xffffffff, 4);
	expect_err(check(FSIMAGE_EXT4, sizeof head, UINT64_MAX, &e), &e, ERR_BAD_INPUT, "is no",
		"ext4: too many blocks");
	make(FSIMAGE_EXT4);
	put(1024 + 0x4, 0, 4);
	expect_err(check(FSIMAGE_EXT4, sizeof head, 8192000, &e), &e, ERR_BAD_INPUT, "is no",
		"ext4: empty");
	make(FSIMAGE_SQUASHFS);
	put(28, 3, 2);
	expect_err(check(FSIMAGE_SQUASHFS, sizeof head, 8192000, &e), &e, ERR_BAD_INPUT, "is no",
		"squashfs: old");
	make(FSIMAGE_EROFS);
	put(1024 + 12, 255, 1);
	expect_err(check(FSIMAGE_EROFS, sizeof head, 8192000, &e), &e, ERR_BAD_INPUT, "is no",
		"erofs: block size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_known_and_no_other),
		cmocka_unit_test(sizes_that_no_image_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
