/* Champion and challenger: what was seen of the same inputs, and the verdict by the release's rule.
 * Values in, values out. */
#ifndef AGENT_CORE_SHADOW_H
#define AGENT_CORE_SHADOW_H

#include "lib/buf.h"
#include "proto/wire/shadow.h"

#define SHADOW_BUCKETS 80 /* of latency: from 0.1 ms on, each a fourth root of two longer */
#define SHADOW_WHY     160

enum shadow_verdict { SHADOW_OPEN, SHADOW_PROMOTED, SHADOW_REFUSED, SHADOW_VERDICT_MAX };
enum shadow_cause {
	SHADOW_NO_CAUSE,
	SHADOW_DISAGREES,
	SHADOW_ERRS,
	SHADOW_SLOW,
	SHADOW_CRASHED,
	SHADOW_NO_START,
	SHADOW_UNDECIDED,
	SHADOW_CAUSE_MAX
};

/* One input that both were given. */
struct shadow_pair {
	char id[ID_TEXT_MAX];
	char champion[LIMIT_SHADOW_ANSWER], challenger[LIMIT_SHADOW_ANSWER];
	uint64_t champion_us, challenger_us;
	bool champion_failed; /* there is nothing to compare with: it is not judged */
	bool failed;          /* the challenger had no answer, or none in time */
	bool agrees;
};

/* A comparison so far. Everything that a verdict needs, in fixed size. */
struct shadow_tally {
	uint64_t pairs;            /* of which the champion had an answer */
	uint64_t errors;           /* of these, the challenger had none */
	uint64_t agreed;           /* of the others */
	uint64_t void_inputs;      /* neither counts: the champion had no answer */
	uint64_t dropped, spoiled; /* inputs that the champion kept back; that were no input */
	uint64_t crashes;
	ms_t ran;       /* side by side, as far as it was remembered */
	uint32_t looks; /* taken by the rule so far: each may be wrong with a smaller chance */
	uint64_t champion[SHADOW_BUCKETS], challenger[SHADOW_BUCKETS];
	enum shadow_verdict verdict; /* for good once it is not OPEN */
	enum shadow_cause cause;
	char why[SHADOW_WHY]; /* for people, with the numbers; "" while it is open */
	unsigned n_examples;
	struct shadow_example {
		char id[ID_TEXT_MAX];
		char champion[LIMIT_SHADOW_ANSWER], challenger[LIMIT_SHADOW_ANSWER];
	} example[LIMIT_SHADOW_EXAMPLES]; /* the first that disagreed */
};

void shadow_count(struct shadow_tally *t, const struct shadow_pair *p);

/* Judges, and remembers the verdict in *t.
 *
 * A verdict is looked for when min_pairs have come, and each time their number has doubled: the
 * look after k others may be wrong with a chance of (1 - confidence) / 2^(k+1), so all of them
 * together with 1 - confidence at most, however often somebody looks. The tests are exact
 * (binomial). Refused: it is shown to agree less, or to fail more, or to be late more often, than
 * the rule allows (each with a third of the chance); or it crashed too often. Promoted: it is shown
 * to agree at least so much and to fail at most so much, and its quantile is within the limit. At
 * the deadline what is still open is refused, unless the rule says to hold. */
void shadow_eval(const struct shadow_rule *r, struct shadow_tally *t);
/* It did not come up, whatever the rule says. */
void shadow_give_up(struct shadow_tally *t, enum shadow_cause cause, const char *why);

/* Is it past its deadline, and goes on because the rule says so? */
bool shadow_is_held(const struct shadow_rule *r, const struct shadow_tally *t);
/* Microseconds that a share of `permille` did not exceed, upper end of the bucket; 0: nothing came.
 */
uint64_t shadow_quantile(const uint64_t buckets[SHADOW_BUCKETS], uint32_t permille);
/* The limit that the rule sets for the challenger's quantile, microseconds; 0: none, or not yet. */
uint64_t shadow_limit_us(const struct shadow_rule *r, const struct shadow_tally *t);

const char *shadow_verdict_name(enum shadow_verdict v);
const char *shadow_cause_name(enum shadow_cause c);

/* As text, one fact a line, and back. ERR_BAD_INPUT, ERR_TOO_LARGE. Whose comparison it is, is the
 * caller's to know. */
void shadow_encode(const struct shadow_tally *t, struct buf *out);
int shadow_decode(struct str text, struct shadow_tally *out, struct err *e) MUST_CHECK;

#endif
