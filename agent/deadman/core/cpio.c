/* The archive that a boot loader hands to the kernel besides the slot's own: "newc", as Linux
 * describes it in Documentation/driver-api/early-userspace/buffer-format.rst. */
#include <string.h>

#include "agent/deadman/core/deadman.h"
#include "lib/buf.h"

#define BLOCK 512

static void pad(struct buf *b, size_t to)
{
	while (b->n % to)
		buf_add_char(b, 0);
}

static void add(struct buf *b, const char *name, unsigned ino, unsigned mode, struct str content)
{
	size_t n = strlen(name) + 1;

	/* magic, ino, mode, uid, gid, links, time, size, device (2), of a device file (2), length
	 * of the name, no sum */
	buf_addf(b, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", ino, mode, 0, 0,
		1, 0, content.n, 0, 0, 0, 0, n, 0);
	buf_add(b, name, n);
	pad(b, 4);
	buf_add(b, content.p, content.n);
	pad(b, 4);
}

void deadman_cpio(struct str program, struct buf *out)
{
	add(out, "backstay-deadman", 1, 0100755, program);
	add(out, "TRAILER!!!", 0, 0, STR(""));
	pad(out, BLOCK);
}
