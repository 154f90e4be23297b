/* What the outside world is told of: events of the fleet become letters to the hooks that people
 * have asked for. A letter is stored by the transaction in which its event happened, with its audit
 * row: there is neither an event without its letters nor a letter without its event. */
#ifndef SERVER_RUN_HOOK_H
#define SERVER_RUN_HOOK_H

#include "server/core/hook.h"
#include "server/run/run_priv.h"

struct telemetry_drift;

/* A device says that what it sees has drifted from what its model was trained with. Within a
 * transaction. Never a rollback: what devices say of one release, metric and reference within a
 * window is gathered into one event "retraining.wanted". A device counts once in it, however often
 * it says so. */
int hook_drift(struct run *r, const char *device, const struct telemetry_drift *d,
	struct err *e) MUST_CHECK;

#endif
