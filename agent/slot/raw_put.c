#include <assert.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

/* The writer syncs what it was given; names there are none. */
static int settle_device(struct slots *s, struct err *e)
{
	return writer_sync(s->writer, e);
}

/* ---- going on ---- */

static int add_prefix(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)e;
	ledger_prefix(ctx, p, n);
	return 0;
}

/* Whether it fits is judged before the first byte, whatever `cost` has answered. */
static int open_writer(struct slots *s, uint64_t size, uint64_t done, struct err *e)
{
	uint64_t room;
	int fd;

	TRY(raw_open_to_write(s, s->put_slot, &fd, &room, e));
	if (size > room) {
		(void)!s->devices->ops->close(s->devices, fd, NULL); /* nothing was written */
		return err_set(e, ERR_NO_SPACE, "the image has %llu bytes, slot %s takes %llu",
			(unsigned long long)size, slot_name(s->put_slot), (unsigned long long)room);
	}
	s->writer = writer_new(s->devices, s->threads > 1);
	writer_adopt(s->writer, fd, size, room, done);
	return 0;
}

/* The image is the one entry, with the bytes that were noted. */
static int bring_back(struct slots *s, const struct slot_part *part, struct err *e)
{
	struct tree_entry *image = s->ledger.tree.v;
	struct sha256 want = image->digest, is;
	uint64_t done = image->size;

	if (s->ledger.tree.n != 1 || done + part->left != part->size)
		return err_set(e, ERR_ALTERED, "no image to go on with");
	if (part->left == 0) {
		s->writer = writer_new(s->devices, false); /* has nothing to do */
		return raw_verify(s, s->put_slot, &s->put_component.artifact, READBACK_CACHE, e);
	}
	ledger_reopen(&s->ledger, part->size);
	TRY(raw_read(s, s->put_slot, done, READBACK_CACHE, add_prefix, &s->ledger, e));
	digest_look(&s->ledger.digest, &is);
	if (!sha256_eq(&is, &want))
		return err_set(e, ERR_ALTERED, "the device is not what was noted");
	return open_writer(s, part->size, done, e);
}

static bool resume(struct slots *s, const struct component *c, struct slot_part *out_part)
{
	struct slot_part part;
	struct err why;

	if (part_load(s->fs, s->put_slot, c, &s->ledger, &s->part, &part, &why) < 0 ||
		part.at.artifact == 0 || bring_back(s, &part, &why) < 0)
		return false;
	*out_part = part;
	return true;
}

int raw_put_begin(struct slots *s, unsigned slot, const struct component *c, bool anew,
	struct slot_part *out_part, struct err *e)
{
	assert(!s->putting);
	s->put_slot = slot;
	s->put_component = *c;
	books_open(s, settle_device);
	if (!anew && resume(s, c, out_part))
		return 0;
	books_close(s);
	TRY(listing_remove(s->fs, slot, c->name, e));
	TRY(part_remove(s->fs, slot, c->name, e));
	books_open(s, settle_device);
	*out_part = (struct slot_part){0};
	return 0;
}

/* ---- the image ---- */

static int no_archive(struct err *e)
{
	return err_set(e, ERR_CONFLICT, "a raw slot takes an image, not an archive");
}

int raw_put_dir(struct slots *s, const char *path, struct err *e)
{
	(void)s;
	(void)path;
	return no_archive(e);
}

int raw_put_link(struct slots *s, const char *path, const char *target, struct err *e)
{
	(void)s;
	(void)path;
	(void)target;
	return no_archive(e);
}

int raw_put_file(struct slots *s, const char *path, bool executable, uint64_t size, struct err *e)
{
	if (strcmp(path, ".") != 0)
		return no_archive(e);
	TRY(ledger_file(&s->ledger, path, executable, size, e));
	TRY(open_writer(s, size, 0, e));
	return s->ledger.in_file ? 0 : writer_close(s->writer, e);
}

int raw_put_end(struct slots *s, struct err *e)
{
	BUF_AUTO lines = {0};

	assert(s->putting);
	TRY(ledger_end(&s->ledger, &s->put_component.artifact.tree, &lines, e));
	TRY(writer_drain(s->writer, e));
	TRY(listing_save(s->fs, s->put_slot, &s->put_component, &lines, e));
	TRY(part_remove(s->fs, s->put_slot, s->put_component.name, e));
	books_close(s);
	return 0;
}

/* What was written stays where it is: without a listing or a part it is nothing. */
void raw_put_abort(struct slots *s, bool keep)
{
	if (!s->putting)
		return;
	books_close(s);
	if (!keep)
		(void)!part_remove(s->fs, s->put_slot, s->put_component.name, NULL);
}
