/* The broker as a way to the server. Nothing is believed but the server's word that it has what was
 * sent; where that does not come, because nobody listens there or nobody is trusted, HTTP is taken,
 * and the broker is tried again later. */
#include <stdlib.h>

#include "agent/agent_priv.h"

#define PATIENCE    SEC(10)
#define AVOID_FIRST MINUTE(1)
#define AVOID_MAX   MINUTE(60)

bool byway_post(struct agent *a, struct byway *b, enum push_topic topic, struct str bytes,
	uint64_t epoch, uint64_t number)
{
	ms_t now = agent_mono(a);

	if (!a->w.post || now < b->avoid || !a->w.post(a->w.self, topic, bytes))
		return false;
	b->on = true;
	b->epoch = epoch;
	b->number = number;
	b->until = now + PATIENCE;
	return true;
}

void byway_miss(struct agent *a, struct byway *b)
{
	if (!b->on)
		return;
	b->on = false;
	b->avoid = agent_mono(a) + MIN(AVOID_FIRST << MIN(b->misses, 10U), AVOID_MAX);
	b->misses++;
}

bool byway_ends(struct byway *b, uint64_t epoch, uint64_t number)
{
	if (!b->on || b->epoch != epoch || b->number != number)
		return false;
	b->on = false;
	b->misses = 0;
	return true;
}

void byway_due(struct agent *a)
{
	struct telemetry_ack ack;

	while (a->w.next_ack && a->w.next_ack(a->w.self, &ack)) {
		if (ack.report)
			outbox_acked(a, ack.report);
		if (ack.seq)
			courier_acked(a, &ack);
	}
}
