/* What file system an image says it is. A release may state it of a component; then it must be true
 * where the release is packed and where it is sealed. Only the superblock is looked at: whether the
 * rest is sound, the signed digest vouches for. */
#ifndef PROTO_WIRE_FSIMAGE_H
#define PROTO_WIRE_FSIMAGE_H

#include "lib/str.h"

enum fsimage {
	FSIMAGE_NONE, /* nothing is stated */
	FSIMAGE_EXT4,
	FSIMAGE_SQUASHFS,
	FSIMAGE_EROFS,
	FSIMAGE_MAX
};

#define FSIMAGE_HEAD 4096 /* bytes of the image that are looked at */

/* "ext4", as mount calls it; "" for FSIMAGE_NONE. */
const char *fsimage_name(enum fsimage what);

/* Is an image of `length` bytes that begins with `head` (FSIMAGE_HEAD of them, or all) this file
 * system, and does all of it lie within the image? ERR_BAD_INPUT. Anything is FSIMAGE_NONE. */
int fsimage_check(enum fsimage what, struct str head, uint64_t length, struct err *e) MUST_CHECK;

#endif
