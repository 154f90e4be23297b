/* What the evaluator's files share. */
#ifndef AGENT_CORE_TRIGGER_PRIV_H
#define AGENT_CORE_TRIGGER_PRIV_H

#include "agent/core/trigger.h"

/* trigger_value.c */
void sums_add(struct trig_sums *to, const struct sample *x);
uint64_t sums_samples(const struct trig_rule *r, const struct trig_sums *x);
/* NaN without samples, or without a reference where one is needed. */
double sums_value(const struct trig_rule *r, const struct trig_state *s, const struct trig_sums *x);
/* QUANTILE: who waits for others in vain is late by their fault. Did they fail so often that it
 * moves the quantile? */
bool is_disturbed(const struct trig_rule *r, uint64_t others, const struct hist *h);
/* Takes `x`, gathered in `span`, for the reference. False: too few. */
bool sums_reference(
	const struct trig_rule *r, const struct trig_sums *x, ms_t span, struct trig_state *s);

/* trigger_chance.c: s->last and s->last_n are those of `x`. */
bool is_beyond(const struct trig_rule *r, const struct trig_state *s);
bool is_no_chance(const struct trig_rule *r, const struct trig_state *s, const struct trig_sums *x);

#endif
