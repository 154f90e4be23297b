#include "manifests/examples/ocr/score.h"

#include <math.h>

void score_failed(struct score *s)
{
	s->requests++;
	s->failed++;
}

void score_answer(struct score *s, uint64_t us, bool right)
{
	double place = log2((double)MAX(us, 1)) * SCORE_STEPS;

	s->requests++;
	s->wrong += !right;
	s->bucket[MIN((unsigned)place, SCORE_BUCKETS - 1)]++;
}

void score_add(struct score *into, const struct score *more)
{
	into->requests += more->requests;
	into->failed += more->failed;
	into->wrong += more->wrong;
	for (unsigned i = 0; i < SCORE_BUCKETS; i++)
		into->bucket[i] += more->bucket[i];
}

uint64_t score_quantile(const struct score *s, unsigned permille)
{
	uint64_t answers = s->requests - s->failed, below = 0;
	uint64_t wanted = (answers * permille + 999) / 1000;

	if (answers == 0)
		return 0;
	for (unsigned i = 0; i < SCORE_BUCKETS; i++) {
		below += s->bucket[i];
		if (below >= wanted)
			return (uint64_t)exp2((i + 0.5) / SCORE_STEPS);
	}
	return 0;
}

static void put(json_t *object, const char *key, uint64_t v)
{
	json_object_set_new(object, key, json_integer((json_int_t)v));
}

void score_write(const struct score *s, json_t *object)
{
	put(object, "requests", s->requests);
	put(object, "failed", s->failed);
	put(object, "wrong", s->wrong);
	put(object, "p50_us", score_quantile(s, 500));
	put(object, "p99_us", score_quantile(s, 990));
}
