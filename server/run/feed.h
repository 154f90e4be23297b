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

/* A person's order; START carries the number of recipients. */
int feed_order(struct run *r, const char *campaign, enum wave_ev_kind kind, const char *who,
	const char *reason, uint32_t recipients, struct err *e) MUST_CHECK;

int feed_tick(struct run *r, const char *campaign, struct err *e) MUST_CHECK;

#endif
