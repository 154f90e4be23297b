#include "agent/core/shadow.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/stats.h"

#define FIRST_US  100.0
#define FACTOR    1.189207115002721 /* 2^(1/4) */
#define LOOKS_MAX 40
#define REFUSALS  3 /* tests that can each refuse: they share the chance of being wrong */

static const char *const verdict_names[] = {"open", "promoted", "refused"};
static const char *const cause_names[] = {
	"", "disagrees", "errs", "slow", "crashed", "no_start", "undecided"};

const char *shadow_verdict_name(enum shadow_verdict v)
{
	return verdict_names[v];
}

const char *shadow_cause_name(enum shadow_cause c)
{
	return cause_names[c];
}

/* ---- latencies ---- */

/* Microseconds at which the bucket ends; the last has no end. */
static double end_of(unsigned bucket)
{
	return FIRST_US * pow(FACTOR, bucket);
}

static unsigned bucket_of(uint64_t us)
{
	unsigned i = 0;

	while (i + 1 < SHADOW_BUCKETS && (double)us > end_of(i))
		i++;
	return i;
}

static uint64_t sum_of(const uint64_t buckets[SHADOW_BUCKETS])
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SHADOW_BUCKETS; i++)
		sum += buckets[i];
	return sum;
}

uint64_t shadow_quantile(const uint64_t buckets[SHADOW_BUCKETS], uint32_t permille)
{
	uint64_t n = sum_of(buckets), seen = 0;

	if (n == 0)
		return 0;
	for (unsigned i = 0; i < SHADOW_BUCKETS; i++) {
		seen += buckets[i];
		if (seen * 1000 >= n * permille)
			return (uint64_t)end_of(i);
	}
	return (uint64_t)end_of(SHADOW_BUCKETS - 1);
}

/* Those that were over the limit for sure: whole buckets only, in the challenger's favour. */
static uint64_t count_over(const uint64_t buckets[SHADOW_BUCKETS], uint64_t limit_us)
{
	uint64_t n = 0;

	for (unsigned i = 1; i < SHADOW_BUCKETS; i++)
		if (end_of(i - 1) >= (double)limit_us)
			n += buckets[i];
	return n;
}

uint64_t shadow_limit_us(const struct shadow_rule *r, const struct shadow_tally *t)
{
	uint64_t absolute = (uint64_t)r->latency_limit * 1000;
	uint64_t ratio =
		shadow_quantile(t->champion, r->quantile) * (uint64_t)r->latency_ratio / 1000;

	if (!absolute || !ratio)
		return MAX(absolute, ratio);
	return MIN(absolute, ratio);
}

/* ---- counting ---- */

static void keep_example(struct shadow_tally *t, const struct shadow_pair *p)
{
	struct shadow_example *x = &t->example[t->n_examples];

	if (t->n_examples == LIMIT_SHADOW_EXAMPLES)
		return;
	memcpy(x->id, p->id, sizeof x->id);
	memcpy(x->champion, p->champion, sizeof x->champion);
	memcpy(x->challenger, p->challenger, sizeof x->challenger);
	t->n_examples++;
}

void shadow_count(struct shadow_tally *t, const struct shadow_pair *p)
{
	if (p->champion_failed) {
		t->void_inputs++;
		return;
	}
	t->pairs++;
	t->champion[bucket_of(p->champion_us)]++;
	if (p->failed) {
		t->errors++;
		return;
	}
	t->challenger[bucket_of(p->challenger_us)]++;
	t->agreed += p->agrees;
	if (!p->agrees)
		keep_example(t, p);
}

/* ---- the tests ---- */

/* Would so many bad of n, or more, be a rare thing if the true share were only `limit`? */
static bool is_shown_above(uint64_t bad, uint64_t n, double limit, double alpha)
{
	if (limit <= 0)
		return bad > 0;
	return limit < 1 && n > 0 && stats_binomial_tail(n, bad, limit) <= alpha;
}

/* Would so few bad of n, or fewer, be a rare thing if the true share were as much as `limit`? */
static bool is_shown_below(uint64_t bad, uint64_t n, double limit, double alpha)
{
	if (limit <= 0)
		return bad == 0;
	return n > 0 && stats_binomial_tail(n, n - bad, 1 - limit) <= alpha;
}

static void decide(struct shadow_tally *t, enum shadow_verdict verdict, enum shadow_cause cause)
{
	t->verdict = verdict;
	t->cause = cause;
}

void shadow_give_up(struct shadow_tally *t, enum shadow_cause cause, const char *why)
{
	decide(t, SHADOW_REFUSED, cause);
	snprintf(t->why, sizeof t->why, "%s: %.140s", cause_names[cause], why);
}

/* What a look is about: how many were bad, of how many, and the share that is allowed. */
struct test {
	uint64_t bad, n;
	double limit;
};

static struct test agreement_of(const struct shadow_rule *r, const struct shadow_tally *t)
{
	uint64_t n = t->pairs - t->errors;

	return (struct test){n - t->agreed, n, (1000 - r->agreement) / 1000.0};
}

static struct test errors_of(const struct shadow_rule *r, const struct shadow_tally *t)
{
	return (struct test){t->errors, t->pairs, r->errors / 1000.0};
}

static struct test lateness_of(const struct shadow_rule *r, const struct shadow_tally *t)
{
	uint64_t limit = shadow_limit_us(r, t);

	return (struct test){limit ? count_over(t->challenger, limit) : 0, t->pairs - t->errors,
		(1000 - r->quantile) / 1000.0};
}

static double percent(uint64_t part, uint64_t n)
{
	return n ? 100.0 * (double)part / (double)n : 0;
}

static void refuse_disagreement(const struct shadow_rule *r, struct shadow_tally *t)
{
	struct test x = agreement_of(r, t);

	decide(t, SHADOW_REFUSED, SHADOW_DISAGREES);
	snprintf(t->why, sizeof t->why,
		"disagrees: %llu of %llu answers are the champion's (%.1f %%), "
		"%.1f %% are wanted",
		(unsigned long long)t->agreed, (unsigned long long)x.n, percent(t->agreed, x.n),
		r->agreement / 10.0);
}

static void refuse_errors(const struct shadow_rule *r, struct shadow_tally *t)
{
	decide(t, SHADOW_REFUSED, SHADOW_ERRS);
	snprintf(t->why, sizeof t->why,
		"errs: no answer to %llu of %llu inputs (%.1f %%), %.1f %% are "
		"allowed",
		(unsigned long long)t->errors, (unsigned long long)t->pairs,
		percent(t->errors, t->pairs), r->errors / 10.0);
}

static void refuse_lateness(const struct shadow_rule *r, struct shadow_tally *t)
{
	struct test x = lateness_of(r, t);

	decide(t, SHADOW_REFUSED, SHADOW_SLOW);
	snprintf(t->why, sizeof t->why,
		"slow: %llu of %llu answers took longer than %.1f ms, %.1f %% are allowed",
		(unsigned long long)x.bad, (unsigned long long)x.n,
		(double)shadow_limit_us(r, t) / 1000, (1000 - r->quantile) / 10.0);
}

static bool is_refused(const struct shadow_rule *r, struct shadow_tally *t, double alpha)
{
	static const struct {
		struct test (*test)(const struct shadow_rule *, const struct shadow_tally *);
		void (*refuse)(const struct shadow_rule *, struct shadow_tally *);
	} tests[REFUSALS] = {{errors_of, refuse_errors}, {agreement_of, refuse_disagreement},
		{lateness_of, refuse_lateness}};

	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		struct test x = tests[i].test(r, t);

		if (!is_shown_above(x.bad, x.n, x.limit, alpha / REFUSALS))
			continue;
		tests[i].refuse(r, t);
		return true;
	}
	return false;
}

/* All must be shown, so none of them needs a smaller chance. Lateness need not be shown: that
 * one of a thousand is late takes thousands of inputs to show, and the soak watches it as well. */
static bool is_promoted(const struct shadow_rule *r, const struct shadow_tally *t, double alpha)
{
	struct test same = agreement_of(r, t), errs = errors_of(r, t), late = lateness_of(r, t);

	return same.n > 0 && is_shown_below(same.bad, same.n, same.limit, alpha) &&
	       is_shown_below(errs.bad, errs.n, errs.limit, alpha) &&
	       (double)late.bad <= late.limit * (double)late.n;
}

static void promote(struct shadow_tally *t)
{
	struct test x = {0, t->pairs - t->errors, 0};

	decide(t, SHADOW_PROMOTED, SHADOW_NO_CAUSE);
	snprintf(t->why, sizeof t->why,
		"%llu of %llu answers are the champion's (%.1f %%), %llu errors",
		(unsigned long long)t->agreed, (unsigned long long)x.n, percent(t->agreed, x.n),
		(unsigned long long)t->errors);
}

static bool is_time_to_look(const struct shadow_rule *r, const struct shadow_tally *t)
{
	return t->looks < LOOKS_MAX && (t->pairs >> t->looks) >= r->min_pairs;
}

static void look(const struct shadow_rule *r, struct shadow_tally *t)
{
	double alpha = (1000 - r->confidence) / 1000.0 / pow(2, t->looks + 1);

	t->looks++;
	if (!is_refused(r, t, alpha) && is_promoted(r, t, alpha))
		promote(t);
}

static void end_undecided(struct shadow_tally *t)
{
	char text[SHADOW_WHY];

	snprintf(text, sizeof text,
		"%llu pairs in %llu s show neither that it is good nor that it is bad%s",
		(unsigned long long)t->pairs, (unsigned long long)(t->ran / 1000),
		t->pairs + t->void_inputs ? "" : "; the champion passes its inputs to nobody");
	shadow_give_up(t, SHADOW_UNDECIDED, text);
}

void shadow_eval(const struct shadow_rule *r, struct shadow_tally *t)
{
	char text[64];

	if (t->verdict == SHADOW_OPEN && t->crashes > r->crashes) {
		snprintf(text, sizeof text, "it ended %llu times, %u are allowed",
			(unsigned long long)t->crashes, r->crashes);
		shadow_give_up(t, SHADOW_CRASHED, text);
	}
	while (t->verdict == SHADOW_OPEN && is_time_to_look(r, t))
		look(r, t);
	if (t->verdict == SHADOW_OPEN && t->ran >= r->deadline && r->undecided == SHADOW_REFUSE)
		end_undecided(t);
}

bool shadow_is_held(const struct shadow_rule *r, const struct shadow_tally *t)
{
	return t->verdict == SHADOW_OPEN && t->ran >= r->deadline && r->undecided == SHADOW_HOLD;
}
