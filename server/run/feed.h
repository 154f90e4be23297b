/* Events into the wave engine, within the transaction that is open: loads the campaign, steps,
 * stores the state, carries out the actions. */
#ifndef SERVER_RUN_FEED_H
#define SERVER_RUN_FEED_H

#include "server/run/run_priv.h"

/* A waiting recipient asks; it is admitted or nothing happens. */
int feed_ask(struct run *r, const char *campaign, const char *device, bool *out_admitted,
	struct err *e) MUST_CHECK;

/* A recipient is in another state now; nothing happens when it cannot get there from where it is.
 * `text` is the sentence that goes with it. */
int feed_move(struct run *r, const char *campaign, const char *device, enum recipient_state is,
	const char *text, struct err *e) MUST_CHECK;

/* A recipient of the control group was heard; `text` is what tripped, or "". */
int feed_control(struct run *r, const struct recipient_row *rec, bool bad, const char *text,
	struct err *e) MUST_CHECK;

/* A person starts it: `plan` says how many recipients there are, in how many strata, and where
 * waves end. */
int feed_start(struct run *r, const char *campaign, const char *who, const char *reason,
	const struct wave_event *plan, struct err *e) MUST_CHECK;

/* A device that fits since the start takes part: its row is there already. */
int feed_join(struct run *r, const struct recipient_row *rec, struct err *e) MUST_CHECK;

/* A person's order. */
int feed_order(struct run *r, const char *campaign, enum wave_ev_kind kind, const char *who,
	const char *reason, struct err *e) MUST_CHECK;

int feed_tick(struct run *r, const char *campaign, struct err *e) MUST_CHECK;

#endif
