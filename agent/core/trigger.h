/* Evaluates rollback triggers. Pure: samples and time in, verdict out.
 *
 * A window is bad when its value is beyond the limit **and** chance is excluded (`sigma`): what is
 * worth going back for, and what is really there. Which test excludes it follows from what is
 * compared:
 *   share against a number      exact binomial (Clopper and Pearson 1934)
 *   share against a share       Fisher's exact test (1922) of equal chances
 *   quantile against a number   exact binomial on how many samples are over it, where 1 - q may be
 *   quantile against a quantile Fisher's test on how many samples are over the limit in both
 *   shift of a share            p-chart: both limits at `sigma` pooled binomial deviations
 *                               (Shewhart 1931), or the difference that is asked for, if more
 *   distance of distributions   chi-squared of B - 1 degrees (lib/drift.h)
 * Means, sums and counts are taken as they are. */
#ifndef AGENT_CORE_TRIGGER_H
#define AGENT_CORE_TRIGGER_H

#include "lib/id.h"
#include "proto/wire/promtext.h"
#include "proto/wire/trigger.h"

/* What one look at a rule's source saw since the look before. */
struct sample {
	ms_t at;    /* monotonic */
	bool blind; /* the source could not be read */
	uint64_t n; /* events: requests, checks, looks; for a TALLY how often the workload ended */
	uint64_t bad;     /* how many of them were bad; QUANTILE: failed by others' fault */
	struct hist hist; /* QUANTILE; DISTANCE: in the rule's bins */
	double sum;       /* MEAN: what was seen; SUM: what came since */
};

/* TRIG_ALARM: as FIRE, of a rule that never takes a version back. */
enum trig_verdict { TRIG_QUIET, TRIG_FIRE, TRIG_BLIND, TRIG_ALARM };

/* The part that survives a power cut, about 150 bytes. */
struct trig_state {
	double baseline; /* the old version's value on this device; NaN when it was not measured */
	uint64_t baseline_n;
	uint32_t windows;      /* closed so far; TALLY: looks so far */
	uint32_t history;      /* bit 0: the newest window was bad, bit 1: the one before, ... */
	double last;           /* value of the newest closed window, NaN when blind */
	uint64_t last_n;       /* TALLY: what its window held at the last look that saw something */
	uint64_t baseline_bad; /* of baseline_n; QUANTILE: how many were over the limit */
	ms_t baseline_span;    /* that it was gathered in; 0: not known, chance is not tested */
	uint32_t judged;       /* windows that counted */
	uint32_t blind;        /* the newest windows in a row that did not, for want of samples */
	uint32_t busy;         /* windows that did not, for a rush or others' failures */
	uint32_t proven; /* SERVER: it was reached since the switch, or not before it either */
	uint32_t bin[TRIG_BINS]; /* DISTANCE: the reference */
};

#define TRIG_SLIDES 32

struct trig_sums {
	uint64_t n, bad;
	double sum;
	struct hist hist;
};

/* The part that a power cut may take: the open window. */
struct trig_window {
	bool open;
	ms_t since, latest; /* its first and its newest sample */
	ms_t span;          /* baseline: of what was gathered */
	struct trig_sums own, champion;
	uint32_t blind_looks;
	/* compared with a baseline: was any slice of it too busy? */
	bool rushed;
	ms_t slice_since;
	uint64_t slice_n;
	ms_t born;    /* HEALTH: when this life began */
	bool settled; /* HEALTH: a look was good since */
	/* TALLY: its window does not start anew but slides, in steps of 1/32 */
	uint32_t slide[TRIG_SLIDES]; /* ends in each step; a ring, the newest at `newest` */
	unsigned newest;
	ms_t newest_since;
};

void trig_init(struct trig_state *s, struct trig_window *w);

/* Adds a sample. A window begins with its first sample and ends with the one that makes it as long
 * as the rule wants; all bounds are times of samples. A full window is judged: value against limit,
 * too few samples by on_blind. A window counts as neither good nor bad when its limit is not known,
 * because there is no baseline; when it was `busy` times busier than the baseline; and, of a
 * QUANTILE, when others failed so often that they may have moved it: then a rush, or they, would be
 * judged, and not the version. A TALLY is judged at every sample, and its hold is 1 of 1.
 * HEALTH: a machine that was just started is given `grace` to become healthy again. SERVER: once it
 * was reached, later silence is the network's. */
void trig_feed(const struct trig_rule *r, struct trig_state *s, struct trig_window *w,
	const struct sample *x);
/* CHAMPION: what the old version did meanwhile; to be said before trig_feed of the same look. */
void trig_feed_champion(const struct trig_rule *r, const struct trig_state *s,
	struct trig_window *w, const struct sample *x);

/* SERVER: it was not reached before the switch either, so that silence says nothing. */
void trig_excuse(struct trig_state *s);

/* k of the last m windows bad? TRIG_BLIND: the newest window could not be judged and on_blind
 * ignores it. Events do not come from samples and are always quiet. */
enum trig_verdict trig_eval(const struct trig_rule *r, const struct trig_state *s);

/* Does it say that the version does not run at all? On a way back only such rules count: how well
 * the old version works was judged when it was new, and an outage that every version shows must not
 * bring back what was ordered away (docs/adr/0029). */
bool trig_stops_way_back(const struct trig_rule *r);

/* Is there nothing in this rule that forbids accepting the version now? on_blind WAIT wants the
 * newest window to have counted, unless there is nothing to compare with. */
bool trig_may_accept(const struct trig_rule *r, const struct trig_state *s);

/* The number that the value is compared with just now: the threshold, or threshold times baseline
 * (NaN: no baseline). A baseline share of n events is taken for no better than 3/n: none bad of n
 * is, with 95 % confidence, no more than that. SHIFT: the one of its two limits that is nearer to
 * the newest value. DISTANCE: what chance explains, when that is more than the threshold. */
double trig_limit(const struct trig_rule *r, const struct trig_state *s);

/* The value of the open window so far, NaN without samples; a quantile beyond the histogram's last
 * finite bucket is infinite, for nobody knows how slow it was. */
double trig_value(
	const struct trig_rule *r, const struct trig_state *s, const struct trig_window *w);
/* How many samples it has. */
uint64_t trig_samples(const struct trig_rule *r, const struct trig_window *w);
/* Of the last m windows. */
unsigned trig_bad_windows(const struct trig_rule *r, const struct trig_state *s);

/* Gathers the old version's samples before the swap; then takes over their value. Returns false,
 * and changes nothing, when there were fewer than min_samples. Only rules with TRIG_CMP_BASELINE
 * need it. It is worth waiting until it `is_ready`: as long as a window, for two samples differ by
 * chance as much as the smaller one does. What others have disturbed is left out. */
void trig_gather(const struct trig_rule *r, struct trig_window *gathered, const struct sample *x);
bool trig_is_ready(const struct trig_rule *r, const struct trig_window *gathered);
bool trig_baseline(
	const struct trig_rule *r, const struct trig_window *gathered, struct trig_state *s);

/* "latency: p99 0.412 s over 0.240 s (2 x own baseline 0.120 s) in 3 of 5 windows, 57 samples in
 * the last" */
void trig_explain(const struct trig_rule *r, const struct trig_state *s, char *out, size_t cap);
/* A value in the rule's unit: "0.412 s", "4.00 %", "beyond the last bucket". */
struct buf;
void trig_put_value(struct buf *t, const struct trig_rule *r, double v);
/* "0.240 s (2 x own baseline 0.120 s)" */
void trig_put_limit(struct buf *t, const struct trig_rule *r, const struct trig_state *s);
/* "latency p99", "quality rate", "drift psi" */
void trig_put_name(struct buf *t, const struct trig_rule *r);

#endif
