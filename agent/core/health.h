/* Whether the checks of the machine's owner let a new version stay. Pure: what a round of them came
 * to and the time in, verdict out. */
#ifndef AGENT_CORE_HEALTH_H
#define AGENT_CORE_HEALTH_H

#include <stdbool.h>

#include "lib/util.h"

struct health_rule {
	ms_t interval;  /* from one round to the next */
	ms_t retry;     /* the same, after one in which a required check failed */
	uint64_t tries; /* so many such rounds in a row are red */
};

struct health_state {
	uint64_t rounds, bad_in_row;
	ms_t next; /* monotonic: when the next round is due */
};

enum health_verdict {
	HEALTH_WAITS, /* not known yet, or the last round was bad and does not count alone */
	HEALTH_GREEN,
	HEALTH_RED
};

/* Begins anew; the first round is due now. */
void health_init(struct health_state *s, ms_t now);
/* A round has ended, in which so many required checks failed. */
void health_step(const struct health_rule *r, struct health_state *s, unsigned failed, ms_t now);
enum health_verdict health_eval(const struct health_rule *r, const struct health_state *s);

#endif
