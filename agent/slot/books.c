/* What is open while a component is put, and the notes of how far it is. */
#include "agent/slot/slot_priv.h"

void books_open(struct slots *s, int (*settle)(struct slots *, struct err *))
{
	ledger_init(&s->ledger);
	part_init(&s->part);
	s->writer = NULL;
	s->settle = settle;
	s->has_foothold = false;
	s->putting = true;
}

void books_close(struct slots *s)
{
	writer_free(&s->writer);
	ledger_fini(&s->ledger);
	part_fini(&s->part);
	s->putting = false;
}

static int note_at_edge(struct slots *s, struct err *e)
{
	if (!s->has_foothold || !writer_at_edge(s->writer))
		return 0;
	s->has_foothold = false;
	TRY(s->settle(s, e));
	return part_note(
		s->fs, s->put_slot, &s->put_component, &s->ledger, &s->foothold, &s->part, e);
}

/* One that does not follow a file's data is not to be had, whoever speaks of it. */
int put_foothold(struct slots *s, const struct foothold *at, struct err *e)
{
	const struct ledger *l = &s->ledger;
	bool after_data =
		l->tree.n > 0 && l->file == l->tree.n - 1 && l->tree.v[l->file].kind == TREE_FILE;

	if (!after_data || at->artifact < s->part.artifact + s->note_every)
		return 0;
	s->foothold = *at;
	s->has_foothold = true;
	return note_at_edge(s, e);
}

static int put_some(struct slots *s, const void *p, size_t n, struct err *e)
{
	TRY(ledger_data(&s->ledger, p, n, e));
	TRY(writer_add(s->writer, p, n, e));
	if (!s->ledger.in_file)
		TRY(writer_close(s->writer, e));
	if (!s->has_foothold)
		return 0;
	s->foothold.skip += n;
	return note_at_edge(s, e);
}

/* While a foothold waits, the writer's next edge must not be missed. */
int put_data(struct slots *s, const void *p, size_t n, struct err *e)
{
	const uint8_t *at = p;

	while (n > 0) {
		size_t part = s->has_foothold ? MIN(n, writer_gap(s->writer)) : n;

		TRY(put_some(s, at, part, e));
		at += part;
		n -= part;
	}
	return 0;
}
