/* Two folders, a and b, each with all components of a release. */
#include <string.h>

#include "agent/slot/slot_priv.h"

static int dir_look(struct slots *s, unsigned slot, struct slot_view *out, struct err *e)
{
	struct slot_view v;

	TRY(status_load(s->fs, slot, &v, e));
	TRY(s->fs->ops->room(s->fs, slot_path(slot), &v.room, e));
	*out = v;
	return 0;
}

/* The components of `r` that are there, as their listings in this slot say, or parts of them. */
static int kept(struct slots *s, unsigned slot, const struct release *r, struct sweep_keep *out,
	struct err *e)
{
	struct sweep_keep keep = {0};
	bool is;

	for (unsigned i = 0; i < r->n_components; i++) {
		TRY(listing_load(s->fs, slot, &r->components[i], NULL, &is, e));
		if (is || part_bytes(s->fs, slot, &r->components[i]) > 0)
			keep.path[keep.n++] = r->components[i].path;
	}
	*out = keep;
	return 0;
}

/* Whole blocks, and something for names and the file system's own books. */
static uint64_t on_disk(const struct component *c)
{
	return c->artifact.content_length + c->artifact.content_length / 128 + 4096;
}

static int dir_cost(struct slots *s, unsigned slot, unsigned from, const struct release *r,
	uint64_t *out_need, uint64_t *out_room, struct err *e)
{
	struct sweep_keep keep;
	uint64_t need = 0, room, freed, part;
	bool is;

	for (unsigned i = 0; i < r->n_components; i++) {
		const struct component *c = &r->components[i];

		TRY(listing_load(s->fs, slot, c, NULL, &is, e));
		if (!is && from != SLOT_NONE)
			TRY(listing_load(s->fs, from, c, NULL, &is, e));
		part = part_bytes(s->fs, slot, c);
		need += is ? 0 : on_disk(c) - MIN(part, on_disk(c));
	}
	TRY(kept(s, slot, r, &keep, e));
	TRY(sweep_bytes(s->fs, slot, &keep, &freed, e));
	TRY(s->fs->ops->room(s->fs, slot_path(slot), &room, e));
	*out_need = need;
	*out_room = room + freed;
	return 0;
}

static int dir_invalidate(struct slots *s, unsigned slot, struct err *e)
{
	return status_remove(s->fs, slot, e);
}

static int dir_begin(struct slots *s, unsigned slot, const struct release *r, struct err *e)
{
	struct sweep_keep keep;
	bool is;

	TRY(listing_prune(s->fs, slot, r, e));
	for (unsigned i = 0; i < r->n_components; i++) {
		TRY(listing_load(s->fs, slot, &r->components[i], NULL, &is, e));
		if (is)
			TRY(part_remove(s->fs, slot, r->components[i].name, e));
		else
			TRY(listing_remove(s->fs, slot, r->components[i].name, e));
	}
	TRY(kept(s, slot, r, &keep, e));
	return sweep_remove(s->fs, slot, &keep, e);
}

static int read_component(struct slots *s, unsigned slot, const struct component *c,
	enum readback_from from, const atomic_bool *cancel, bool *out_is, struct err *e)
{
	char base[PLACE_MAX];
	struct tree t;
	bool is;

	tree_init(&t);
	int rc = listing_load(s->fs, slot, c, &t, &is, e);
	if (rc == 0 && is) {
		place_component(base, slot, c);
		rc = readback_tree(s->fs, base, &t, from, s->threads, cancel, e);
	}
	tree_fini(&t);
	if (rc == 0)
		*out_is = is;
	return rc;
}

static int dir_has(
	struct slots *s, unsigned slot, const struct component *c, bool *out, struct err *e)
{
	struct err why;
	bool is = false;
	int rc = read_component(s, slot, c, READBACK_CACHE, NULL, &is, &why);

	/* Not what it was: lay it down again. Storage that fails is another matter. */
	if (rc < 0 && rc != -ERR_ALTERED)
		return err_copy(e, &why);
	*out = rc == 0 && is;
	return 0;
}

static int dir_verify(struct slots *s, unsigned slot, const struct release *r, struct err *e)
{
	struct sweep_keep keep = {0};
	bool is = false;

	for (unsigned i = 0; i < r->n_components; i++) {
		const struct component *c = &r->components[i];

		if (read_component(s, slot, c, READBACK_DEVICE, s->cancel, &is, e) < 0)
			return err_wrap(e, "component %s", c->name);
		if (!is)
			return err_set(e, ERR_ALTERED,
				"component %s: its listing is not the signed one", c->name);
		keep.path[keep.n++] = c->path;
	}
	return sweep_check(s->fs, slot, &keep, e);
}

static int dir_seal(struct slots *s, unsigned slot, const struct release *r,
	const struct sha256 *document, struct sha256 *out_content, struct err *e)
{
	TRY(dir_verify(s, slot, r, e));
	return status_seal(s->fs, slot, r, document, out_content, e);
}

const struct slot_driver slot_dir = {
	.kind = "dir",
	.help = "two folders, a and b; unchanged components are shared between them",
	.look = dir_look,
	.cost = dir_cost,
	.invalidate = dir_invalidate,
	.begin = dir_begin,
	.has = dir_has,
	.take_over = take_component,
	.put_begin = put_begin,
	.put_dir = put_dir,
	.put_file = put_file,
	.put_link = put_link,
	.put_data = put_data,
	.put_foothold = put_foothold,
	.put_end = put_end,
	.put_abort = put_abort,
	.verify = dir_verify,
	.seal = dir_seal,
};
