/* What happens next: a binary heap of moments. Equal moments come in the order of their numbers, so
 * that nothing depends on the heap's shape. */
#ifndef SERVER_SIM_QUEUE_H
#define SERVER_SIM_QUEUE_H

#include "lib/buf.h"

struct moment {
	ms_t at;
	uint32_t device;
	unsigned what; /* the owner's */
};

struct queue {
	struct moment *v;
	size_t n, cap;
};

void queue_fini(struct queue *q);
void queue_put(struct queue *q, struct moment m);
/* The first, without taking it; NULL when there is none. */
const struct moment *queue_first(const struct queue *q);
void queue_take(struct queue *q);

#endif
