#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "agent/stage/stage_priv.h"

#define PIECES 4U
#define PIECE  ((size_t)512 * 1024)

struct piece {
	uint8_t *p;
	size_t n;
};

/* Pieces [taken, filled) wait to be handed out; the one before `taken` is lent to the caller as
 * long as `lent` is true. The reader fills `filled` while there is a free one. */
struct ahead {
	struct filter *up, *source;
	struct piece piece[PIECES];
	bool overlap;
	/* shared with the reader, under the lock */
	pthread_mutex_t lock;
	pthread_cond_t change;
	pthread_t reader;
	uint64_t filled, taken;
	bool lent, stop, failed;
	struct err err;
};

/* A whole piece, or what is left; an empty one is the end. */
static int fill(struct ahead *a, struct piece *to, struct err *e)
{
	size_t n = 1;

	to->n = 0;
	while (to->n < PIECE && n > 0) {
		TRY(filter_read(a->up, to->p + to->n, PIECE - to->n, &n, e));
		to->n += n;
	}
	return 0;
}

/* ---- the reader's thread ---- */

static bool wait_for_place(struct ahead *a)
{
	while (!a->stop && a->filled - a->taken + a->lent >= PIECES)
		pthread_cond_wait(&a->change, &a->lock);
	return !a->stop;
}

static void *read_ahead(void *arg)
{
	struct ahead *a = arg;
	struct err e = {0};
	bool more = true;

	pthread_mutex_lock(&a->lock);
	while (more && wait_for_place(a)) {
		struct piece *to = &a->piece[a->filled % PIECES];

		pthread_mutex_unlock(&a->lock);
		int rc = fill(a, to, &e);
		pthread_mutex_lock(&a->lock);
		if (rc < 0) {
			a->failed = true;
			a->err = e;
		}
		more = rc == 0 && to->n > 0;
		a->filled += rc == 0;
		pthread_cond_broadcast(&a->change);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* ---- the caller's side ---- */

static int take_filled(struct ahead *a, const struct piece **out, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&a->lock);
	a->lent = false;
	pthread_cond_broadcast(&a->change);
	while (a->filled == a->taken && !a->failed)
		pthread_cond_wait(&a->change, &a->lock);
	if (a->filled > a->taken) {
		*out = &a->piece[a->taken % PIECES];
		/* The empty piece stays: the end is the end, however often it is asked for. */
		a->lent = (*out)->n > 0;
		a->taken += a->lent;
	} else {
		rc = err_copy(e, &a->err);
	}
	pthread_mutex_unlock(&a->lock);
	return rc;
}

int ahead_take(struct ahead *a, const uint8_t **out_p, size_t *out_n, struct err *e)
{
	const struct piece *x = &a->piece[0];

	if (a->overlap)
		TRY(take_filled(a, &x, e));
	else
		TRY(fill(a, &a->piece[0], e));
	*out_p = x->p;
	*out_n = x->n;
	return 0;
}

struct ahead *ahead_new(struct filter *up, struct filter *source, bool overlap)
{
	struct ahead *a = mem_new(sizeof *a);

	*a = (struct ahead){.up = up, .source = source};
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->change, NULL);
	for (unsigned i = 0; i < (overlap ? PIECES : 1); i++) {
		a->piece[i].p = aligned_alloc(4096, PIECE);
		if (!a->piece[i].p)
			abort();
	}
	/* Without a thread it is slower, nothing else. */
	a->overlap = overlap && pthread_create(&a->reader, NULL, read_ahead, a) == 0;
	return a;
}

void ahead_free(struct ahead **ap)
{
	struct ahead *a = *ap;

	if (!a)
		return;
	if (a->overlap) {
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_broadcast(&a->change);
		pthread_mutex_unlock(&a->lock);
		if (a->source)
			source_stop(a->source);
		pthread_join(a->reader, NULL);
	}
	for (unsigned i = 0; i < PIECES; i++)
		free(a->piece[i].p);
	pthread_cond_destroy(&a->change);
	pthread_mutex_destroy(&a->lock);
	free(a);
	*ap = NULL;
}
