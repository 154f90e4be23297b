/* Being woken: a broker says that the server has news, and the device asks at once instead of at
 * its next poll. Nothing else comes this way: what is wanted is always fetched and verified as by
 * any poll, so a broker that lies, repeats or is silent can cost a few questions or none, never an
 * update. The broker is talked to by a worker of its own (agent/worker), for as long as the agent
 * runs; without it everything goes on by polling. */
#ifndef AGENT_PUSH_PUSH_H
#define AGENT_PUSH_PUSH_H

#include "agent/worker/worker.h"

struct push_conf {
	const char *url;    /* "mqtt://host:1883", "mqtts://host:8883" */
	const char *prefix; /* of topics: "backstay/1" */
	const char *device;
	struct worker *worker; /* that does nothing else; taken over */
};

struct push_view {
	bool connected;
	unsigned wakes;  /* so far */
	struct err last; /* why it is not connected, as far as is known */
};

struct push; /* opaque */

/* Begins to listen, in a thread of its own, and tries again and again. ERR_CONFIG for an address
 * that is none. */
int push_open(const struct push_conf *c, struct push **out, struct err *e) MUST_CHECK;
void push_close(struct push **p);
/* Readable when there was news since push_take. */
int push_fd(const struct push *p);
void push_take(struct push *p);
void push_look(struct push *p, struct push_view *out);

#endif
