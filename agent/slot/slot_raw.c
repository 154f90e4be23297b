/* Two devices (or files of fixed size), each with one image from its first byte on. */
#include "agent/slot/slot_priv.h"

/* A slot whose device is gone holds nothing, whatever its status says. */
static int raw_look(struct slots *s, unsigned slot, struct slot_view *out, struct err *e)
{
	struct slot_view v;
	struct err why;

	TRY(status_load(s->fs, slot, &v, e));
	int rc = raw_room(s, slot, &v.room, &why);
	if (rc == -ERR_NOT_FOUND)
		v = (struct slot_view){.mark = SLOT_INVALID};
	else if (rc < 0)
		return err_copy(e, &why);
	*out = v;
	return 0;
}

static int check_image(const struct release *r, struct err *e)
{
	if (r->n_components != 1 || r->components[0].artifact.archive != ARCHIVE_RAW)
		return err_set(e, ERR_CONFLICT,
			"a raw slot takes one image, and %s has %u components or an archive",
			r->id.s, r->n_components);
	return 0;
}

/* That it is free is asked before anything changes. */
static int raw_cost(struct slots *s, unsigned slot, unsigned from, const struct release *r,
	uint64_t *out_need, uint64_t *out_room, struct err *e)
{
	uint64_t room;
	int fd;

	(void)from;
	TRY(check_image(r, e));
	TRY(raw_open_to_write(s, slot, &fd, &room, e));
	TRY(s->devices->ops->close(s->devices, fd, e));
	*out_need = r->components[0].artifact.content_length;
	*out_room = room;
	return 0;
}

static int raw_invalidate(struct slots *s, unsigned slot, struct err *e)
{
	return status_remove(s->fs, slot, e);
}

static int raw_begin(struct slots *s, unsigned slot, const struct release *r, struct err *e)
{
	bool is;

	TRY(check_image(r, e));
	TRY(listing_prune(s->fs, slot, r, e));
	TRY(listing_load(s->fs, slot, &r->components[0], NULL, &is, e));
	return (is ? part_remove : listing_remove)(s->fs, slot, r->components[0].name, e);
}

static int raw_has(
	struct slots *s, unsigned slot, const struct component *c, bool *out, struct err *e)
{
	struct err why;
	bool is;

	TRY(listing_load(s->fs, slot, c, NULL, &is, e));
	int rc = is ? raw_verify(s, slot, &c->artifact, READBACK_CACHE, &why) : 0;
	/* Not what it was: lay it down again. Storage that fails is another matter. */
	if (rc < 0 && rc != -ERR_ALTERED)
		return err_copy(e, &why);
	*out = is && rc == 0;
	return 0;
}

/* ---- from slot to slot ---- */

struct copying {
	struct slots *slots;
	bool stopped; /* by the slot that is written */
};

static int put_piece(void *ctx, const void *p, size_t n, struct err *e)
{
	struct copying *k = ctx;

	k->stopped = put_data(k->slots, p, n, e) < 0;
	return k->stopped ? -(int)e->code : 0;
}

/* One reading is enough: the ledger tells at the end whether it was the signed image. A source that
 * cannot be read is no reason to do without the image: it comes from elsewhere then. */
static int copy_bytes(struct slots *s, unsigned from, const struct component *c, bool executable,
	bool *out_read, struct err *e)
{
	struct copying k = {.slots = s};
	uint64_t size = c->artifact.content_length;

	TRY(raw_put_file(s, ".", executable, size, e));
	int rc = raw_read(s, from, size, READBACK_CACHE, put_piece, &k, e);
	if (rc < 0 && k.stopped)
		return rc;
	*out_read = rc == 0;
	return 0;
}

static int copy_image(struct slots *s, unsigned slot, unsigned from, const struct component *c,
	bool executable, bool *out_taken, struct err *e)
{
	struct err why = {0};
	struct slot_part part;
	bool read = false;

	TRY(raw_put_begin(s, slot, c, true, &part, e));
	int rc = copy_bytes(s, from, c, executable, &read, &why);
	if (rc == 0 && read)
		rc = raw_put_end(s, &why);
	raw_put_abort(s, false);
	if (rc < 0 && rc != -ERR_ALTERED)
		return err_copy(e, &why);
	*out_taken = rc == 0 && read;
	return 0;
}

static int is_held(struct slots *s, unsigned from, const struct component *c, bool *out_executable,
	bool *out_is, struct err *e)
{
	struct slot_view v;
	struct tree t;
	bool is = false;

	TRY(status_load(s->fs, from, &v, e));
	tree_init(&t);
	int rc = v.mark == SLOT_VALID ? listing_load(s->fs, from, c, &t, &is, e) : 0;
	if (is)
		*out_executable = t.v[0].executable;
	tree_fini(&t);
	*out_is = is;
	return rc;
}

static int raw_take_over(struct slots *s, unsigned slot, unsigned from, const struct component *c,
	bool *out_taken, struct err *e)
{
	bool executable = false, is = false;

	TRY(is_held(s, from, c, &executable, &is, e));
	if (is)
		return copy_image(s, slot, from, c, executable, out_taken, e);
	*out_taken = false;
	return 0;
}

/* ---- the end ---- */

static int raw_verify_slot(struct slots *s, unsigned slot, const struct release *r, struct err *e)
{
	const struct component *c = &r->components[0];
	bool is;

	TRY(check_image(r, e));
	TRY(listing_load(s->fs, slot, c, NULL, &is, e));
	if (!is)
		return err_set(
			e, ERR_ALTERED, "component %s: its listing is not the signed one", c->name);
	if (raw_verify(s, slot, &c->artifact, READBACK_DEVICE, e) < 0)
		return err_wrap(e, "component %s", c->name);
	return 0;
}

static int add_head(void *ctx, const void *p, size_t n, struct err *e)
{
	struct buf *head = ctx;

	(void)e;
	buf_add(head, p, MIN(n, FSIMAGE_HEAD - head->n));
	return 0;
}

/* Cheap, and before all of it is read. */
static int check_filesystem(
	struct slots *s, unsigned slot, const struct component *c, struct err *e)
{
	uint64_t length = c->artifact.content_length;
	BUF_AUTO head = {0};

	if (c->filesystem == FSIMAGE_NONE)
		return 0;
	TRY(raw_read(s, slot, MIN(length, FSIMAGE_HEAD), READBACK_CACHE, add_head, &head, e));
	if (fsimage_check(c->filesystem, buf_str(&head), length, e) < 0)
		return err_wrap(e, "component %s", c->name);
	return 0;
}

static int raw_seal(struct slots *s, unsigned slot, const struct release *r,
	const struct sha256 *document, struct sha256 *out_content, struct err *e)
{
	TRY(check_image(r, e));
	TRY(check_filesystem(s, slot, &r->components[0], e));
	TRY(raw_verify_slot(s, slot, r, e));
	return status_seal(s->fs, slot, r, document, out_content, e);
}

const struct slot_driver slot_raw = {
	.kind = "raw",
	.help = "two devices or files of fixed size, each with one image",
	.look = raw_look,
	.cost = raw_cost,
	.invalidate = raw_invalidate,
	.begin = raw_begin,
	.has = raw_has,
	.take_over = raw_take_over,
	.put_begin = raw_put_begin,
	.put_dir = raw_put_dir,
	.put_file = raw_put_file,
	.put_link = raw_put_link,
	.put_data = put_data,
	.put_foothold = put_foothold,
	.put_end = raw_put_end,
	.put_abort = raw_put_abort,
	.verify = raw_verify_slot,
	.seal = raw_seal,
};
