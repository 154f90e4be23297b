#include <assert.h>

#include "agent/stage/stage_priv.h"

static const struct slot_driver *driver(const struct stage_in *in)
{
	return slots_driver(in->slots);
}

static void count(const struct stage_in *in, uint64_t bytes)
{
	if (in->done)
		atomic_fetch_add(in->done, bytes);
}

static int check_cancel(const struct stage_in *in, struct err *e)
{
	if (in->cancel && atomic_load(in->cancel))
		return err_set(e, ERR_CANCELLED, "cancelled");
	return 0;
}

/* ---- before the first byte ---- */

static int check_trees(const struct stage_in *in, struct err *e)
{
	bool executable;

	for (unsigned i = 0; i < in->release->n_components; i++) {
		const struct component *c = &in->release->components[i];

		if (c->artifact.archive == ARCHIVE_RAW &&
			laydown_raw_mode(&c->artifact, &executable, e) < 0)
			return err_wrap(e, "component %s", c->name);
	}
	return 0;
}

static int check_room(const struct stage_in *in, struct err *e)
{
	uint64_t need, room;

	TRY(driver(in)->cost(in->slots, in->slot, in->from, in->release, &need, &room, e));
	if (need > room)
		return err_set(e, ERR_NO_SPACE, "%llu bytes are needed, there is room for %llu",
			(unsigned long long)need, (unsigned long long)room);
	return 0;
}

/* Is this very release in the slot already? Then nothing but reading it back is left to do. */
static int look_sealed(const struct stage_in *in, bool *out, struct err *e)
{
	struct slot_view v;
	struct sha256 content;

	TRY(driver(in)->look(in->slots, in->slot, &v, e));
	slot_content(in->release, &content);
	*out = v.mark == SLOT_VALID && sha256_eq(&v.document, &in->document) &&
	       sha256_eq(&v.content, &content);
	return 0;
}

/* ---- one component ---- */

static int pull(const struct stage_in *in, const struct component *c, const struct slot_part *part,
	struct err *e)
{
	struct laydown laydown;
	struct stage_pull p = {.artifact = &c->artifact,
		.source = in->source,
		.part = *part,
		.cancel = in->cancel,
		.done = in->done,
		.overlap = in->overlap,
		.foothold_every = in->foothold_every};

	TRY(laydown_begin(&laydown, in->slots, &c->artifact, part, &p.sink, e));
	count(in, part->at.artifact);
	return stage_unpack(&p, e);
}

/* Nothing can be gone on with where the bytes are wrong; with all else a later run can. */
static bool is_wrong(int rc)
{
	return rc == -(int)ERR_ALTERED || rc == -(int)ERR_BAD_INPUT || rc == -(int)ERR_DENIED ||
	       rc == -(int)ERR_TOO_LARGE;
}

static int fetch_once(const struct stage_in *in, const struct component *c, bool anew,
	bool *out_went_on, struct err *e)
{
	const struct slot_driver *d = driver(in);
	struct slot_part part;
	int rc;

	TRY(d->put_begin(in->slots, in->slot, c, anew, &part, e));
	*out_went_on = part.at.artifact > 0;
	rc = pull(in, c, &part, e);
	if (rc == 0)
		rc = d->put_end(in->slots, e);
	if (rc < 0)
		d->put_abort(in->slots, !is_wrong(rc));
	return rc;
}

/* Two parts that do not make the signed whole: which one is wrong cannot be told, and the first may
 * be what an earlier run was sent. So it is brought once more, in one. */
static int fetch(const struct stage_in *in, const struct component *c, struct err *e)
{
	uint64_t before = in->done ? atomic_load(in->done) : 0;
	bool went_on = false;
	int rc = fetch_once(in, c, false, &went_on, e);

	if (!went_on || !is_wrong(rc))
		return rc;
	if (in->done)
		atomic_store(in->done, before);
	return fetch_once(in, c, true, &went_on, e);
}

/* The cheapest way that ends with the signed tree in the slot. */
static int bring(const struct stage_in *in, const struct component *c, struct err *e)
{
	const struct slot_driver *d = driver(in);
	bool is;

	TRY(check_cancel(in, e));
	TRY(d->has(in->slots, in->slot, c, &is, e));
	if (!is && in->from != SLOT_NONE)
		TRY(d->take_over(in->slots, in->slot, in->from, c, &is, e));
	if (!is)
		return fetch(in, c, e);
	count(in, c->artifact.length);
	return 0;
}

static int bring_all(const struct stage_in *in, struct err *e)
{
	const struct slot_driver *d = driver(in);

	TRY(d->invalidate(in->slots, in->slot, e));
	TRY(d->begin(in->slots, in->slot, in->release, e));
	for (unsigned i = 0; i < in->release->n_components; i++)
		if (bring(in, &in->release->components[i], e) < 0)
			return err_wrap(e, "component %s", in->release->components[i].name);
	return check_cancel(in, e);
}

static int seal(const struct stage_in *in, struct sha256 *out_content, struct err *e)
{
	return driver(in)->seal(in->slots, in->slot, in->release, &in->document, out_content, e);
}

int stage_run(const struct stage_in *in, struct sha256 *out_content, struct err *e)
{
	bool sealed;

	assert(in->slot < SLOT_COUNT && in->slot != in->from);
	TRY(check_cancel(in, e));
	TRY(check_trees(in, e));
	TRY(look_sealed(in, &sealed, e));
	if (sealed) {
		int rc = seal(in, out_content, e);

		/* What was damaged meanwhile is brought again. */
		if (rc != -ERR_ALTERED)
			return rc;
	}
	TRY(check_room(in, e));
	TRY(bring_all(in, e));
	return seal(in, out_content, e);
}
