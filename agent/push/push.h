/* Being woken: a broker says that the server has news, and the device asks at once instead of at
 * its next poll. What is wanted is always fetched and verified as by any poll, so a broker that
 * lies, repeats or is silent can cost a few questions or none, never an update. The other way round
 * it carries telemetry and reports, of which the server says itself what it has: a broker that lies
 * about that can lose them. The broker is talked to by a worker of its own (agent/worker), for as
 * long as the agent runs; without it everything goes on by polling. */
#ifndef AGENT_PUSH_PUSH_H
#define AGENT_PUSH_PUSH_H

#include "agent/worker/worker.h"
#include "proto/wire/telemetry.h"

struct push_conf {
	const char *url;    /* "mqtt://host:1883", "mqtts://host:8883" */
	const char *prefix; /* of topics: "backstay/1" */
	const char *device;
	bool posts;            /* carries telemetry and reports, too */
	struct worker *worker; /* that does nothing else; taken over */
};

struct push_view {
	bool connected;
	unsigned wakes;  /* so far */
	unsigned acks;   /* so far */
	struct err last; /* why it is not connected, as far as is known */
};

struct push; /* opaque */

/* Begins to listen, in a thread of its own, and tries again and again. ERR_CONFIG for an address
 * that is none. */
int push_open(const struct push_conf *c, struct push **out, struct err *e) MUST_CHECK;
void push_close(struct push **p);
/* Readable when there was news since push_take: a wake (true), or an ack. */
int push_fd(const struct push *p);
bool push_take(struct push *p);

enum push_topic { PUSH_TELEMETRY, PUSH_REPORT, PUSH_TOPIC_MAX };
#define PUSH_BYTES_MAX ((size_t)64 * 1024) /* of one message */

/* Has a message passed to the broker, soon. False: it is not connected, the one before of that
 * topic is not on its way yet, or it is too large; then nothing is sent. Whether it arrived says
 * the ack. */
bool push_post(struct push *p, enum push_topic topic, struct str bytes);
/* What the server says that it has, as the broker passes it on; false: there is nothing new. */
bool push_next_ack(struct push *p, struct telemetry_ack *out);
void push_look(struct push *p, struct push_view *out);

#endif
