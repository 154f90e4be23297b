#include "lib/sys/ahead.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/sys/pages.h"

struct piece {
	uint8_t *p;
	size_t n;
};

/* Numbers count pieces since the beginning; piece i lies at i % pieces. Up to `filled` they have
 * been read, up to `seen` the second thread is done with them, up to `taken` they were handed out,
 * and the last of those is still lent to the caller when `lent` is true. */
struct ahead {
	struct ahead_in in;
	struct piece piece[AHEAD_PIECES_MAX];
	bool has_reader, has_seer;
	pthread_t reader, seer;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t change;
	uint64_t filled, seen, taken;
	bool lent, stop, failed;
	struct err err;
};

/* ---- the work ---- */

/* A whole piece, or what is left; an empty one is the end. */
static int fill(struct ahead *a, struct piece *to, struct err *e)
{
	size_t n = 1;

	to->n = 0;
	while (to->n < a->in.piece && n > 0) {
		TRY(a->in.read(a->in.ctx, to->p + to->n, a->in.piece - to->n, &n, e));
		to->n += n;
	}
	return 0;
}

static int see(struct ahead *a, const struct piece *x, struct err *e)
{
	return a->in.also ? a->in.also(a->in.also_ctx, x->p, x->n, e) : 0;
}

/* Who has no thread for the second look takes it along with the first. */
static int fill_and_see(struct ahead *a, struct piece *to, struct err *e)
{
	TRY(fill(a, to, e));
	return a->has_seer ? 0 : see(a, to, e);
}

/* ---- threads ---- */

static struct piece *piece_at(struct ahead *a, uint64_t i)
{
	return &a->piece[i % a->in.pieces];
}

static void fail(struct ahead *a, const struct err *e)
{
	if (!a->failed)
		a->err = *e;
	a->failed = true;
}

static bool has_place(const struct ahead *a)
{
	uint64_t done = a->taken - a->lent;

	if (a->has_seer)
		done = MIN(done, a->seen);
	return a->filled - done < a->in.pieces;
}

static void *run_reader(void *arg)
{
	struct ahead *a = arg;
	struct err e = {0};
	bool more = true;

	pthread_mutex_lock(&a->lock);
	while (more) {
		while (!a->stop && !a->failed && !has_place(a))
			pthread_cond_wait(&a->change, &a->lock);
		if (a->stop || a->failed)
			break;
		struct piece *to = piece_at(a, a->filled);
		pthread_mutex_unlock(&a->lock);
		int rc = fill_and_see(a, to, &e);
		pthread_mutex_lock(&a->lock);
		if (rc < 0)
			fail(a, &e);
		else
			a->filled++;
		more = rc == 0 && to->n > 0;
		pthread_cond_broadcast(&a->change);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void *run_seer(void *arg)
{
	struct ahead *a = arg;
	struct err e = {0};
	bool more = true;

	pthread_mutex_lock(&a->lock);
	while (more) {
		while (!a->stop && !a->failed && a->filled == a->seen)
			pthread_cond_wait(&a->change, &a->lock);
		if (a->stop || a->filled == a->seen)
			break;
		const struct piece *x = piece_at(a, a->seen);
		pthread_mutex_unlock(&a->lock);
		int rc = see(a, x, &e);
		pthread_mutex_lock(&a->lock);
		if (rc < 0)
			fail(a, &e);
		else
			a->seen++;
		more = rc == 0 && x->n > 0;
		pthread_cond_broadcast(&a->change);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* ---- the caller's side ---- */

/* There is a piece, and if it is the end, everybody agrees that it is. */
static bool is_ready(const struct ahead *a)
{
	if (a->filled == a->taken)
		return false;
	if (!a->has_seer || a->piece[a->taken % a->in.pieces].n > 0)
		return true;
	return a->seen > a->taken;
}

static int take_filled(struct ahead *a, const struct piece **out, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&a->lock);
	a->lent = false;
	pthread_cond_broadcast(&a->change);
	while (!is_ready(a) && !a->failed)
		pthread_cond_wait(&a->change, &a->lock);
	if (is_ready(a)) {
		*out = piece_at(a, a->taken);
		/* The empty piece stays: the end is the end, however often it is asked for. */
		a->lent = (*out)->n > 0;
		a->taken += a->lent;
	} else {
		rc = err_copy(e, &a->err);
	}
	pthread_mutex_unlock(&a->lock);
	return rc;
}

/* The end is seen once. */
static int take_alone(struct ahead *a, const struct piece **out, struct err *e)
{
	struct piece *x = &a->piece[0];

	*out = x;
	if (a->filled && x->n == 0)
		return 0;
	TRY(fill_and_see(a, x, e));
	a->filled++;
	return 0;
}

int ahead_take(struct ahead *a, const void **out_p, size_t *out_n, struct err *e)
{
	const struct piece *x;

	if (a->has_reader)
		TRY(take_filled(a, &x, e));
	else
		TRY(take_alone(a, &x, e));
	*out_p = x->p;
	*out_n = x->n;
	return 0;
}

/* ---- birth and end ---- */

struct ahead *ahead_new(const struct ahead_in *in)
{
	struct ahead *a = mem_new(sizeof *a);

	assert(in->pieces >= 2 && in->pieces <= AHEAD_PIECES_MAX && in->piece % 4096 == 0);
	*a = (struct ahead){.in = *in};
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->change, NULL);
	for (unsigned i = 0; i < (in->overlap ? in->pieces : 1); i++)
		a->piece[i].p = pages_new(in->piece);
	/* A thread that cannot be had makes it slower, nothing else. The reader waits for the lock
	 * until it is known who else there is. */
	pthread_mutex_lock(&a->lock);
	a->has_reader = in->overlap && pthread_create(&a->reader, NULL, run_reader, a) == 0;
	if (a->has_reader && in->also)
		a->has_seer = pthread_create(&a->seer, NULL, run_seer, a) == 0;
	pthread_mutex_unlock(&a->lock);
	return a;
}

void ahead_free(struct ahead **ap)
{
	struct ahead *a = *ap;

	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->change);
	pthread_mutex_unlock(&a->lock);
	if (a->has_reader && a->in.stop)
		a->in.stop(a->in.ctx);
	if (a->has_reader)
		pthread_join(a->reader, NULL);
	if (a->has_seer)
		pthread_join(a->seer, NULL);
	for (unsigned i = 0; i < AHEAD_PIECES_MAX; i++)
		pages_free(a->piece[i].p, a->in.piece);
	pthread_cond_destroy(&a->change);
	pthread_mutex_destroy(&a->lock);
	free(a);
	*ap = NULL;
}
