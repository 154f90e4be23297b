#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

#define PIECE ((size_t)1 << 20)
#define ALIGN ((size_t)4096)
#define DIRECT_FROM                                                                                \
	((uint64_t)64 * 1024) /* below, bypassing the cache costs more than it saves               \
			       */

/* Large files bypass the page cache: an install then neither pushes the workload's pages out of
 * memory nor leaves gigabytes of dirty ones behind, and reading back sees the device. The last
 * piece is padded to the block and cut off again. */
struct writer {
	struct fs *fs;
	uint8_t *piece;
	size_t fill;
	int fd;
	bool is_open, direct;
	uint64_t size, at; /* at: where the next piece goes */
	char path[PLACE_MAX];
};

struct writer *writer_new(struct fs *fs)
{
	struct writer *w = mem_new(sizeof *w);

	*w = (struct writer){.fs = fs};
	w->piece = aligned_alloc(ALIGN, PIECE);
	if (!w->piece)
		abort();
	return w;
}

void writer_free(struct writer **w)
{
	if (!*w)
		return;
	writer_abort(*w);
	free((*w)->piece);
	free(*w);
	*w = NULL;
}

int writer_open(struct writer *w, const char *path, uint64_t size, struct err *e)
{
	bool direct = size >= DIRECT_FROM;
	int fd;

	assert(!w->is_open && strlen(path) < sizeof w->path);
	TRY(w->fs->ops->open(w->fs, path, FS_CREATE | FS_EXCL | (direct ? FS_DIRECT : 0), &fd, e));
	w->fd = fd;
	w->is_open = true;
	w->direct = direct;
	w->size = size;
	w->at = 0;
	w->fill = 0;
	memcpy(w->path, path, strlen(path) + 1);
	return 0;
}

static int put(struct writer *w, const uint8_t *p, size_t n, struct err *e)
{
	TRY(w->fs->ops->pwrite(w->fs, w->fd, p, n, w->at, e));
	w->at += n;
	return 0;
}

/* Whole blocks straight from the caller's memory, when they lie well; 0 when nothing was taken. */
static size_t straight(const struct writer *w, const uint8_t *p, size_t n)
{
	if (w->fill || n < PIECE || (uintptr_t)p % ALIGN)
		return 0;
	return n - n % ALIGN;
}

int writer_add(struct writer *w, const void *from, size_t n, struct err *e)
{
	const uint8_t *p = from;
	size_t k = straight(w, p, n);

	if (k)
		TRY(put(w, p, k, e));
	while (k < n) {
		size_t part = MIN(n - k, PIECE - w->fill);

		memcpy(w->piece + w->fill, p + k, part);
		w->fill += part;
		k += part;
		if (w->fill < PIECE)
			break;
		TRY(put(w, w->piece, PIECE, e));
		w->fill = 0;
	}
	return 0;
}

static int put_rest(struct writer *w, struct err *e)
{
	size_t n = w->fill;

	if (n == 0)
		return 0;
	if (!w->direct || n % ALIGN == 0)
		return put(w, w->piece, n, e);
	size_t padded = n + ALIGN - n % ALIGN;
	memset(w->piece + n, 0, padded - n);
	TRY(put(w, w->piece, padded, e));
	return w->fs->ops->truncate(w->fs, w->fd, w->size, e);
}

int writer_close(struct writer *w, bool executable, struct err *e)
{
	int rc = put_rest(w, e);
	int closed = w->fs->ops->close(w->fs, w->fd, rc < 0 ? NULL : e);

	w->is_open = false;
	if (rc < 0)
		return rc;
	TRY(closed);
	return w->fs->ops->chmod(w->fs, w->path, executable ? 0555 : 0444, e);
}

void writer_abort(struct writer *w)
{
	if (w->is_open)
		(void)!w->fs->ops->close(w->fs, w->fd, NULL);
	w->is_open = false;
}
