/* Triggers that a release states and that cannot speak: an author believes that something is
 * watched, and nothing is. A device takes such a release as it takes any other; whoever packs or
 * signs one is told. */
#ifndef PROTO_WIRE_MUTE_H
#define PROTO_WIRE_MUTE_H

#include "proto/wire/release.h"

#define MUTE_TEXT 240

enum mute_verdict {
	MUTE_NOT,   /* it can take the release back */
	MUTE_TRIAL, /* not as the release's other numbers are: nothing of it comes before the commit
		     */
	MUTE_ALWAYS /* in no release: nothing on a device measures it */
};

/* Trigger number `i` of the release. Unless it is MUTE_NOT, `out` says why, and what to state
 * instead. What depends on the device (no server, no thermal zone, a metric that the workload
 * lacks) cannot be seen here. */
enum mute_verdict mute_eval(const struct release *r, unsigned i, char out[MUTE_TEXT]);

/* ERR_BAD_INPUT, with the reason, when one of its triggers is MUTE_ALWAYS. */
int mute_check(const struct release *r, struct err *e) MUST_CHECK;

#endif
