/* Whom to wake when a campaign lets more devices in than before. */
#ifndef SERVER_RUN_ROUSE_H
#define SERVER_RUN_ROUSE_H

#include "server/run/run_priv.h"

/* Within a transaction, after an event has led from `was` to c->wave. Wakes no more devices than
 * could be let in now, and never more than a thousand at once: the others ask by themselves. */
int rouse_waiting(struct run *r, const struct campaign_row *c, const struct wave_state *was,
	enum wave_ev_kind event, struct err *e) MUST_CHECK;

#endif
