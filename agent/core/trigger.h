/* Evaluates rollback triggers. Pure: samples and time in, verdict out. */
#ifndef AGENT_CORE_TRIGGER_H
#define AGENT_CORE_TRIGGER_H

#include "lib/id.h"
#include "proto/wire/promtext.h"
#include "proto/wire/trigger.h"

/* What one look at a rule's source saw since the look before. */
struct sample {
	ms_t at;      /* monotonic */
	bool blind;   /* the source could not be read */
	uint64_t n;   /* events: requests, checks; for CRASH_LOOP how often the workload ended */
	uint64_t bad; /* how many of them were bad */
	struct hist hist; /* LATENCY */
};

enum trig_verdict { TRIG_QUIET, TRIG_FIRE, TRIG_BLIND };

/* The part that survives a power cut, about 64 bytes. */
struct trig_state {
	double baseline; /* the old version's value on this device; NaN when it was not measured */
	uint64_t baseline_n;
	uint32_t windows; /* closed so far; CRASH_LOOP: looks so far */
	uint32_t history; /* bit 0: the newest window was bad, bit 1: the one before, ... */
	double last;      /* value of the newest closed window, NaN when blind */
	uint64_t last_n;  /* CRASH_LOOP: what its window held at the last look that saw something */
};

#define TRIG_SLIDES 32

/* The part that a power cut may take: the open window. */
struct trig_window {
	bool open;
	ms_t since;
	uint64_t n, bad;
	struct hist hist;
	uint32_t blind_looks;
	/* CRASH_LOOP: its window does not start anew but slides, in steps of 1/32 */
	uint32_t slide[TRIG_SLIDES]; /* ends in each step; a ring, the newest at `newest` */
	unsigned newest;
	ms_t newest_since;
};

void trig_init(struct trig_state *s, struct trig_window *w);

/* Adds a sample. A window begins with its first sample and ends with the one that makes it as long
 * as the rule wants; all bounds are times of samples. A full window is judged: value against limit,
 * too few samples by on_blind. A window whose limit is not known, because there is no baseline,
 * counts as neither good nor bad. CRASH_LOOP is judged at every sample, and its hold is 1
 * of 1. */
void trig_feed(const struct trig_rule *r, struct trig_state *s, struct trig_window *w,
	const struct sample *x);

/* k of the last m windows bad? TRIG_BLIND: the newest window could not be judged and on_blind
 * ignores it. START_FAILED, SMOKE_FAILED and OPERATOR do not come from samples and are always
 * quiet. */
enum trig_verdict trig_eval(const struct trig_rule *r, const struct trig_state *s);

/* The number that the value is compared with just now: the threshold, or threshold times baseline
 * (NaN: no baseline). A baseline share of n events is taken for no better than 3/n: none bad of n
 * is, with 95 % confidence, no more than that. */
double trig_limit(const struct trig_rule *r, const struct trig_state *s);

/* The value of the open window so far, NaN without samples; a quantile beyond the histogram's last
 * finite bucket is infinite, for nobody knows how slow it was. */
double trig_value(const struct trig_rule *r, const struct trig_window *w);

/* Takes over the old version's value before the swap: n, bad and hist of `gathered` are sums of
 * samples. Returns false, and changes nothing, when there were fewer than min_samples. Only rules
 * with TRIG_CMP_BASELINE need it. */
bool trig_baseline(
	const struct trig_rule *r, const struct trig_window *gathered, struct trig_state *s);

/* "latency: p99 0.412 s over 0.240 s (2 x own baseline 0.120 s) in 3 of 5 windows, 57 samples in
 * the last" */
void trig_explain(const struct trig_rule *r, const struct trig_state *s, char *out, size_t cap);

#endif
