/* Takes what devices say through the broker, as the routes take it by HTTP: the same bytes, the
 * same rules, and an acknowledgement in place of an answer. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <systemd/sd-event.h>

#include "server/broker/broker.h"
#include "server/core/buckets.h"
#include "server/run/enrol.h"

struct listen_conf {
	struct broker *broker;
	struct run *run;
	const struct enrol *enrol;
	struct buckets *devices; /* how often a device may speak, together with HTTP */
};

struct listen;

/* Everything in `c` must outlive it. */
int listen_open(
	sd_event *loop, const struct listen_conf *c, struct listen **out, struct err *e) MUST_CHECK;
void listen_close(struct listen **l);

#endif
