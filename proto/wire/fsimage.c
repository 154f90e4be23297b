#include "proto/wire/fsimage.h"

/* Bytes that the superblock says the file system has; 0: it is none, or says nonsense. */
typedef uint64_t size_f(const uint8_t *head);

static uint64_t le(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

/* blocks << bits, or 0 when that is no size that an image could have */
static uint64_t in_bytes(uint64_t blocks, uint64_t bits)
{
	return bits <= 16 && blocks <= UINT64_MAX >> 17 ? blocks << bits : 0;
}

/* Linux, Documentation/filesystems/ext4/super.rst: at 1024 bytes, little-endian. */
static uint64_t ext4_size(const uint8_t *head)
{
	const uint8_t *sb = head + 1024;
	const uint64_t has_64bit = 0x80;
	uint64_t blocks = le(sb + 0x4, 4);

	if (le(sb + 0x38, 2) != 0xef53)
		return 0;
	if (le(sb + 0x60, 4) & has_64bit)
		blocks |= le(sb + 0x150, 4) << 32;
	return in_bytes(blocks, 10 + MIN(le(sb + 0x18, 4), 64));
}

/* Linux, fs/squashfs/squashfs_fs.h: at 0, version 4, little-endian. */
static uint64_t squashfs_size(const uint8_t *head)
{
	return le(head, 4) == 0x73717368 && le(head + 28, 2) == 4 ? le(head + 40, 8) : 0;
}

/* Linux, fs/erofs/erofs_fs.h: at 1024 bytes, little-endian. */
static uint64_t erofs_size(const uint8_t *head)
{
	const uint8_t *sb = head + 1024;

	return le(sb, 4) == 0xe0f5e1e2 ? in_bytes(le(sb + 36, 4), sb[12]) : 0;
}

static const struct {
	const char *name;
	size_f *size;
} rows[] = {
	[FSIMAGE_NONE] = {"", NULL},
	[FSIMAGE_EXT4] = {"ext4", ext4_size},
	[FSIMAGE_SQUASHFS] = {"squashfs", squashfs_size},
	[FSIMAGE_EROFS] = {"erofs", erofs_size},
};

const char *fsimage_name(enum fsimage what)
{
	return what < FSIMAGE_MAX ? rows[what].name : "";
}

int fsimage_check(enum fsimage what, struct str head, uint64_t length, struct err *e)
{
	uint64_t size;

	if (what == FSIMAGE_NONE)
		return 0;
	size = head.n >= FSIMAGE_HEAD ? rows[what].size((const uint8_t *)head.p) : 0;
	if (size == 0)
		return err_set(e, ERR_BAD_INPUT, "the image is no %s file system", rows[what].name);
	if (size > length)
		return err_set(e, ERR_BAD_INPUT,
			"the image is cut off: its %s file system has %llu bytes of %llu",
			rows[what].name, (unsigned long long)length, (unsigned long long)size);
	return 0;
}
