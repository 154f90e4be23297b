/* Digests and checks everything, and stores nothing: for measuring, and for tests of what is above.
 */
#include <assert.h>

#include "agent/slot/slot_priv.h"

#define NULL_ROOM ((uint64_t)1 << 50)

static int null_look(struct slots *s, unsigned slot, struct slot_view *out, struct err *e)
{
	(void)e;
	*out = s->null_view[slot];
	out->room = NULL_ROOM;
	return 0;
}

static bool holds(const struct slots *s, unsigned slot, const struct component *c)
{
	for (unsigned i = 0; i < s->null_n[slot]; i++)
		if (sha256_eq(&s->null_tree[slot][i], &c->artifact.tree))
			return true;
	return false;
}

static void hold(struct slots *s, unsigned slot, const struct component *c)
{
	if (holds(s, slot, c))
		return;
	assert(s->null_n[slot] < LIMIT_COMPONENTS);
	s->null_tree[slot][s->null_n[slot]++] = c->artifact.tree;
}

static int null_cost(struct slots *s, unsigned slot, unsigned from, const struct release *r,
	uint64_t *out_need, uint64_t *out_room, struct err *e)
{
	(void)s;
	(void)slot;
	(void)from;
	(void)r;
	(void)e;
	*out_need = 0;
	*out_room = NULL_ROOM;
	return 0;
}

static int null_invalidate(struct slots *s, unsigned slot, struct err *e)
{
	(void)e;
	s->null_view[slot] = (struct slot_view){.mark = SLOT_INVALID};
	return 0;
}

static int null_begin(struct slots *s, unsigned slot, const struct release *r, struct err *e)
{
	(void)r;
	(void)e;
	s->null_n[slot] = 0;
	return 0;
}

static int null_has(
	struct slots *s, unsigned slot, const struct component *c, bool *out, struct err *e)
{
	(void)e;
	*out = holds(s, slot, c);
	return 0;
}

static int null_take_over(struct slots *s, unsigned slot, unsigned from, const struct component *c,
	bool *out_taken, struct err *e)
{
	(void)e;
	*out_taken = s->null_view[from].mark == SLOT_VALID && holds(s, from, c);
	if (*out_taken)
		hold(s, slot, c);
	return 0;
}

static int null_put_begin(struct slots *s, unsigned slot, const struct component *c, bool anew,
	struct slot_part *out_part, struct err *e)
{
	(void)anew;
	(void)e;
	assert(!s->putting);
	ledger_init(&s->ledger);
	s->put_slot = slot;
	s->put_component = *c;
	s->putting = true;
	*out_part = (struct slot_part){0};
	return 0;
}

static int null_put_dir(struct slots *s, const char *path, struct err *e)
{
	return ledger_dir(&s->ledger, path, e);
}

static int null_put_file(
	struct slots *s, const char *path, bool executable, uint64_t size, struct err *e)
{
	return ledger_file(&s->ledger, path, executable, size, e);
}

static int null_put_link(struct slots *s, const char *path, const char *target, struct err *e)
{
	return ledger_link(&s->ledger, path, target, e);
}

static int null_put_data(struct slots *s, const void *p, size_t n, struct err *e)
{
	return n ? ledger_data(&s->ledger, p, n, e) : 0;
}

static int null_put_end(struct slots *s, struct err *e)
{
	BUF_AUTO lines = {0};

	TRY(ledger_end(&s->ledger, &s->put_component.artifact.tree, &lines, e));
	ledger_fini(&s->ledger);
	s->putting = false;
	hold(s, s->put_slot, &s->put_component);
	return 0;
}

static void null_put_abort(struct slots *s, bool keep)
{
	(void)keep;
	if (s->putting)
		ledger_fini(&s->ledger);
	s->putting = false;
}

static int null_verify(struct slots *s, unsigned slot, const struct release *r, struct err *e)
{
	for (unsigned i = 0; i < r->n_components; i++)
		if (!holds(s, slot, &r->components[i]))
			return err_set(
				e, ERR_ALTERED, "component %s is missing", r->components[i].name);
	return 0;
}

static int null_seal(struct slots *s, unsigned slot, const struct release *r,
	const struct sha256 *document, struct sha256 *out_content, struct err *e)
{
	struct slot_view v = {.mark = SLOT_VALID, .release = r->id, .document = *document};

	TRY(null_verify(s, slot, r, e));
	slot_content(r, &v.content);
	s->null_view[slot] = v;
	*out_content = v.content;
	return 0;
}

const struct slot_driver slot_null = {
	.kind = "null",
	.help = "checks everything, stores nothing",
	.look = null_look,
	.cost = null_cost,
	.invalidate = null_invalidate,
	.begin = null_begin,
	.has = null_has,
	.take_over = null_take_over,
	.put_begin = null_put_begin,
	.put_dir = null_put_dir,
	.put_file = null_put_file,
	.put_link = null_put_link,
	.put_data = null_put_data,
	.put_foothold = NULL,
	.put_end = null_put_end,
	.put_abort = null_put_abort,
	.verify = null_verify,
	.seal = null_seal,
};
