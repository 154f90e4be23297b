#include "server/sim/queue.h"

void queue_fini(struct queue *q)
{
	mem_free(&q->v);
	*q = (struct queue){0};
}

static bool is_before(const struct moment *a, const struct moment *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	return a->device != b->device ? a->device < b->device : a->what < b->what;
}

static void swap(struct moment *a, struct moment *b)
{
	struct moment was = *a;

	*a = *b;
	*b = was;
}

void queue_put(struct queue *q, struct moment m)
{
	size_t i = q->n++;

	if (q->n > q->cap) {
		q->cap = q->cap ? 2 * q->cap : 64;
		q->v = mem_resize(q->v, q->cap * sizeof *q->v);
	}
	q->v[i] = m;
	for (; i && is_before(&q->v[i], &q->v[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&q->v[i], &q->v[(i - 1) / 2]);
}

const struct moment *queue_first(const struct queue *q)
{
	return q->n ? &q->v[0] : NULL;
}

void queue_take(struct queue *q)
{
	size_t i = 0, least;

	q->v[0] = q->v[--q->n];
	for (;; i = least) {
		least = i;
		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < q->n; k++)
			if (is_before(&q->v[k], &q->v[least]))
				least = k;
		if (least == i)
			return;
		swap(&q->v[i], &q->v[least]);
	}
}
