/* What of the queue is sent next, and what of it may be forgotten. */
#include <inttypes.h>
#include <string.h>

#include "agent/tele/telequeue_priv.h"
#include "lib/prng.h"

static uint64_t acked_of(const struct telequeue *q, const struct piece *p)
{
	return q->acked[0] == p->head.epoch ? q->acked[1] : 0;
}

/* A power cut, or a write that failed, may have left lines behind what was promised; where the next
 * piece of the epoch begins, they end. */
static uint64_t end_of(const struct telequeue *q, unsigned i)
{
	bool follows = i + 1 < q->n && q->v[i + 1].head.epoch == q->v[i].head.epoch;

	return follows ? MIN(q->v[i].last, q->v[i + 1].head.first - 1) : q->v[i].last;
}

void telequeue_forget(struct telequeue *q)
{
	while (q->n > 1 && (end_of(q, 0) <= acked_of(q, &q->v[0]) || q->v[0].waiting == 0))
		piece_remove(q, 0);
}

static void add_item(
	struct telequeue_batch *b, const struct spool_line *l, uint64_t before, struct buf *out)
{
	BUF_AUTO item = {0};
	uint64_t gap = before ? l->seq - before - 1 : 0;

	if (gap)
		buf_addf(&item, "{\"dropped\":%" PRIu64 ",", gap);
	buf_add(&item, l->item.p + (gap ? 1 : 0), l->item.n - (gap ? 1 : 0));
	telemetry_add(buf_str(&item), b->items == 0, out);
	b->items++;
	b->last = l->seq;
}

/* False: it is full. */
static bool gather_lines(const struct telequeue *q, unsigned i, struct str rest,
	struct telequeue_batch *b, uint64_t *before)
{
	uint64_t after = q->v[i].head.first - 1, acked = acked_of(q, &q->v[i]);
	struct spool_line l;

	for (; spool_line_parse(&rest, after, &l) && l.seq <= end_of(q, i); after = l.seq) {
		if (l.seq <= acked)
			continue;
		if (b->items == LIMIT_TELEMETRY_ITEMS ||
			b->text.n + l.item.n + TELEQUEUE_ENVELOPE / 2 > LIMIT_TELEMETRY_BYTES)
			return false;
		add_item(b, &l, *before, &b->text);
		*before = l.seq;
	}
	return true;
}

static int gather_piece(const struct telequeue *q, unsigned i, struct telequeue_batch *b,
	uint64_t *before, bool *out_more, struct err *e)
{
	struct spool_head head;
	BUF_AUTO text = {0};
	struct str rest;

	TRY(piece_load(q, &q->v[i], &text, &head, &rest, e));
	*out_more = gather_lines(q, i, rest, b, before);
	return 0;
}

int telequeue_batch(struct telequeue *q, struct telequeue_batch *out, struct err *e)
{
	struct telequeue_batch b CLEANUP(telequeue_batch_fini) = {0};
	uint64_t before;
	bool more = true;

	telequeue_forget(q);
	if (q->n) {
		b.epoch = q->v[0].head.epoch;
		before = acked_of(q, &q->v[0]);
		telemetry_begin(b.epoch, &b.text);
	}
	for (unsigned i = 0; more && i < q->n && q->v[i].head.epoch == b.epoch; i++)
		TRY(gather_piece(q, i, &b, &before, &more, e));
	b.more = !more;
	if (b.items)
		telemetry_end(&b.text);
	else
		buf_clear(&b.text);
	*out = b;
	b = (struct telequeue_batch){0};
	return 0;
}

void telequeue_batch_fini(struct telequeue_batch *b)
{
	buf_fini(&b->text);
	*b = (struct telequeue_batch){0};
}

/* A server that knows more than was ever given out here has seen a queue that was lost: what comes
 * next would be taken for what it has, so it gets another epoch. */
void telequeue_ack(struct telequeue *q, uint64_t epoch, uint64_t seq)
{
	if (epoch != q->acked[0])
		q->acked[1] = 0;
	q->acked[0] = epoch;
	q->acked[1] = MAX(q->acked[1], seq);
	if (epoch == q->epoch && seq >= q->next) {
		q->epoch = MAX(hash64(epoch, &seq, sizeof seq), 1);
		q->next = 1;
		q->closed = true;
	}
	telequeue_forget(q);
}

static unsigned waiting(const struct telequeue *q)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < q->n; i++) {
		const struct piece *p = &q->v[i];
		uint64_t acked = acked_of(q, p), first = p->head.first;

		if (acked < first)
			n += p->waiting;
		else if (acked < p->last)
			n += MIN(p->waiting, p->last - acked);
	}
	return (unsigned)n;
}

void telequeue_look(const struct telequeue *q, struct telequeue_view *out)
{
	*out = (struct telequeue_view){.epoch = q->epoch,
		.last = q->next - 1,
		.waiting = waiting(q),
		.dropped = q->dropped};
	for (unsigned i = 0; i < q->n; i++)
		out->bytes += spool_room(q->v[i].size.bytes);
}
