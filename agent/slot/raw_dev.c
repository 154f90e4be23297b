#include <string.h>

#include "agent/slot/slot_priv.h"
#include "lib/sys/ahead.h"

#define PIECE ((size_t)512 * 1024)

static int open_device(struct slots *s, unsigned slot, unsigned flags, int *out_fd, struct err *e)
{
	struct err why = {0};

	if (!s->devices)
		return err_set(e, ERR_CONFIG, "slot.%s: no device is configured", slot_name(slot));
	if (s->devices->ops->open(s->devices, s->device[slot], flags, out_fd, &why) == 0)
		return 0;
	(void)err_wrap(&why, "slot %s", slot_name(slot));
	return err_copy(e, &why);
}

/* A device that is not there may still come: that is storage which fails, not a wrong name. */
static int need_device(struct slots *s, unsigned slot, unsigned flags, int *out_fd, struct err *e)
{
	struct err why;

	if (open_device(s, slot, flags, out_fd, &why) == 0)
		return 0;
	if (why.code == ERR_NOT_FOUND)
		why.code = ERR_IO;
	return err_copy(e, &why);
}

static int shut(struct slots *s, int fd, int rc, struct err *e)
{
	int closed = s->devices->ops->close(s->devices, fd, rc < 0 ? NULL : e);

	return rc < 0 ? rc : closed;
}

static int extent_of(struct slots *s, unsigned slot, struct fs_extent *out, struct err *e)
{
	int fd;

	TRY(open_device(s, slot, FS_READ, &fd, e));
	return shut(s, fd, s->devices->ops->extent(s->devices, fd, out, e), e);
}

/* Two names may lead to one device. The other one need not be there. */
static int check_apart(struct slots *s, unsigned slot, const struct fs_extent *own, struct err *e)
{
	struct fs_extent other;

	if (extent_of(s, slot_other(slot), &other, NULL) < 0)
		return 0;
	if (memcmp(other.id, own->id, sizeof own->id) == 0)
		return err_set(e, ERR_CONFIG, "slot.a and slot.b are one device");
	return 0;
}

int raw_open_to_write(
	struct slots *s, unsigned slot, int *out_fd, uint64_t *out_room, struct err *e)
{
	struct fs_extent own;
	int fd;

	TRY(need_device(s, slot, FS_WRITE | FS_EXCL | FS_DIRECT, &fd, e));
	int rc = s->devices->ops->extent(s->devices, fd, &own, e);
	if (rc == 0)
		rc = check_apart(s, slot, &own, e);
	if (rc < 0)
		return shut(s, fd, rc, e);
	*out_fd = fd;
	*out_room = own.size;
	return 0;
}

int raw_room(struct slots *s, unsigned slot, uint64_t *out, struct err *e)
{
	struct fs_extent own;

	TRY(extent_of(s, slot, &own, e));
	*out = own.size;
	return 0;
}

/* ---- reading ---- */

struct reading {
	struct fs *fs;
	const atomic_bool *cancel;
	int fd;
	uint64_t at, size;
};

/* Whole blocks are asked for, as direct reading wants it; what lies behind the image is nobody's.
 */
static int read_next(void *ctx, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct reading *r = ctx;
	size_t got = 0;

	TRY(readback_check(r->cancel, e));
	if (r->at < r->size) {
		TRY(r->fs->ops->pread(r->fs, r->fd, p, n, r->at, &got, e));
		got = (size_t)MIN(got, r->size - r->at);
		if (got == 0)
			return err_set(e, ERR_ALTERED, "the device is shorter than the image");
	}
	r->at += got;
	*out_n = got;
	return 0;
}

static int read_all(struct ahead *a, raw_piece_f *piece, void *ctx, struct err *e)
{
	const void *p;
	size_t n;

	do {
		TRY(ahead_take(a, &p, &n, e));
		if (n > 0)
			TRY(piece(ctx, p, n, e));
	} while (n > 0);
	return 0;
}

static int read_fd(
	struct slots *s, int fd, uint64_t size, raw_piece_f *piece, void *ctx, struct err *e)
{
	struct reading r = {.fs = s->devices, .cancel = s->cancel, .fd = fd, .size = size};
	struct ahead *a = ahead_new(&(struct ahead_in){.read = read_next,
		.ctx = &r,
		.piece = PIECE,
		.pieces = 3,
		.overlap = s->threads > 1});
	int rc = read_all(a, piece, ctx, e);

	ahead_free(&a);
	return rc;
}

int raw_read(struct slots *s, unsigned slot, uint64_t size, enum readback_from from,
	raw_piece_f *piece, void *ctx, struct err *e)
{
	int fd, rc = 0;

	TRY(need_device(s, slot, FS_READ | FS_DIRECT, &fd, e));
	if (from == READBACK_DEVICE)
		rc = s->devices->ops->drop_cache(s->devices, fd, e);
	if (rc == 0)
		rc = read_fd(s, fd, size, piece, ctx, e);
	return shut(s, fd, rc, e);
}

static int add_piece(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)e;
	digest_add(ctx, p, n);
	return 0;
}

int raw_verify(struct slots *s, unsigned slot, const struct artifact *a, enum readback_from from,
	struct err *e)
{
	struct sha256 is;
	struct digest d;

	digest_init(&d);
	int rc = raw_read(s, slot, a->content_length, from, add_piece, &d, e);
	digest_fini(&d, &is);
	if (rc < 0)
		return rc;
	if (!sha256_eq(&is, &a->content_digest))
		return err_set(
			e, ERR_ALTERED, "slot %s does not hold the signed image", slot_name(slot));
	return 0;
}
