/* The control group of a running campaign: what the watches of its devices say. */
#ifndef SERVER_RUN_CONTROL_H
#define SERVER_RUN_CONTROL_H

#include "proto/wire/telemetry.h"
#include "server/run/run.h"

/* One span of a device's steady watch is over. Within the transaction that is open. Counts when the
 * device is in the control group of a campaign that is under way, runs what ran before, has seen
 * something in that span, and the span ended since the group was asked last (wave.h); each device
 * counts once a turn, so that a watch that comes twice changes nothing. Nothing happens otherwise,
 * and for a device that is not known. */
int control_watched(struct run *r, const char *device, const struct telemetry_watch *w,
	struct err *e) MUST_CHECK;

#endif
