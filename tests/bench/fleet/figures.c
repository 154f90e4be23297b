#include "tests/bench/fleet/figures.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define QUIET_US 1000000U
#define PARTS    32U /* of each power of two: a bucket is 3 % wide */

static const char *const counts[] = {
#define X(id, name) name,
	COUNT_TABLE(X)
#undef X
};

static const char *const spans[] = {
#define X(id, name) name,
	SPAN_TABLE(X)
#undef X
};

const char *figures_count_name(enum count c)
{
	return counts[c];
}

const char *figures_span_name(enum span s)
{
	return spans[s];
}

struct figures *figures_new(unsigned devices)
{
	size_t n = sizeof(struct figures) + devices * sizeof(struct seen);
	struct figures *f =
		mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (f == MAP_FAILED)
		abort();
	f->devices = devices;
	return f;
}

uint64_t figures_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U;
}

void figures_count(struct figures *f, enum count c)
{
	atomic_fetch_add_explicit(&f->count[c], 1, memory_order_relaxed);
}

static unsigned bucket_of(uint64_t us)
{
	unsigned power = 0;

	while (us >> power >= 2 * PARTS)
		power++;
	return MIN(power * PARTS + (unsigned)(us >> power), HIST_BUCKETS - 1);
}

/* The middle of what falls into it. */
static uint64_t value_of(unsigned bucket)
{
	unsigned power = bucket < 2 * PARTS ? 0 : bucket / PARTS - 1;
	uint64_t low = (uint64_t)(bucket - power * PARTS) << power;

	return low + (1ULL << power) / 2;
}

void figures_time(struct figures *f, enum span s, uint64_t us)
{
	atomic_fetch_add_explicit(&f->hist[s][bucket_of(us)], 1, memory_order_relaxed);
}

uint64_t figures_timed(const struct figures *f, enum span s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		n += f->hist[s][i];
	return n;
}

uint64_t figures_quantile(const struct figures *f, enum span s, uint32_t part)
{
	uint64_t all = figures_timed(f, s), so_far = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		so_far += f->hist[s][i];
		if (all && so_far * 1000000U >= all * part)
			return value_of(i);
	}
	return 0;
}

void figures_clear(struct figures *f)
{
	for (unsigned c = 0; c < COUNT_MAX; c++)
		f->count[c] = 0;
	for (unsigned s = 0; s < SPAN_MAX; s++)
		for (unsigned i = 0; i < HIST_BUCKETS; i++)
			f->hist[s][i] = 0;
}

/* ---- decisions ---- */

/* A process that is killed while it holds the lock would keep it for ever, so it is taken from it
 * after a while. */
static void lock(struct figures *f)
{
	uint64_t until = figures_now_us() + QUIET_US;

	while (atomic_flag_test_and_set(&f->lock) && figures_now_us() < until)
		;
}

static void forget_old(struct figures *f, uint64_t now)
{
	if (now - f->moved_us > QUIET_US)
		f->n = 0;
	f->moved_us = now;
}

void figures_outcome(struct figures *f)
{
	uint64_t now = figures_now_us();

	lock(f);
	forget_old(f, now);
	if (f->n < OPEN_OUTCOMES)
		f->outcome_us[(f->first + f->n++) % OPEN_OUTCOMES] = now;
	atomic_flag_clear(&f->lock);
}

void figures_woken(struct figures *f)
{
	uint64_t now = figures_now_us(), since = 0;

	lock(f);
	forget_old(f, now);
	if (f->n) {
		since = f->outcome_us[f->first];
		f->first = (f->first + 1) % OPEN_OUTCOMES;
		f->n--;
	}
	atomic_flag_clear(&f->lock);
	if (since)
		figures_time(f, SPAN_DECISION, now - since);
}
