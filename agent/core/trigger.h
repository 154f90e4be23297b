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
	uint32_t windows; /* closed so far */
	uint32_t history; /* bit 0: the newest window was bad, bit 1: the one before, ... */
	double last;      /* value of the newest closed window, NaN when blind */
	uint64_t last_n;
};

/* The part that a power cut may take: the open window. */
struct trig_window {
	bool open;
	ms_t since;
	uint64_t n, bad;
	struct hist hist;
	uint32_t blind_looks;
};

void trig_init(struct trig_state *s, struct trig_window *w);

/* Adds a sample; closes the window when it is full and judges it: value against limit, too few
 * samples by on_blind. */
void trig_feed(const struct trig_rule *r, struct trig_state *s, struct trig_window *w,
	const struct sample *x);

/* k of the last m windows bad? TRIG_BLIND: the newest window could not be judged and on_blind
 * ignores it. */
enum trig_verdict trig_eval(const struct trig_rule *r, const struct trig_state *s);

/* The number that the value is compared with just now: the threshold, or threshold times baseline
 * (NaN: no baseline). */
double trig_limit(const struct trig_rule *r, const struct trig_state *s);

/* The value of the open window so far, NaN without samples: for `explain`. */
double trig_value(const struct trig_rule *r, const struct trig_window *w);

/* Gathers the old version's value before the swap: feed samples into a window of its own, then end
 * it. Returns false when there were fewer than min_samples. Only rules with TRIG_CMP_BASELINE need
 * it. */
bool trig_baseline(
	const struct trig_rule *r, const struct trig_window *gathered, struct trig_state *s);

/* "latency: p99 0.412 s over 0.240 s (2.0 x own baseline 0.120 s) in 3 of 5 windows, 57 samples in
 * the last" */
void trig_explain(const struct trig_rule *r, const struct trig_state *s, char *out, size_t cap);

#endif
