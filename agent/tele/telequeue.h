/* Telemetry that waits for the server: durable and bounded. What it holds survives a power cut at
 * any point, in order, and nothing else comes back; when there is no room the oldest details give
 * way. For one thread. How it lies on the disk: agent/core/spool.h. */
#ifndef AGENT_TELE_TELEQUEUE_H
#define AGENT_TELE_TELEQUEUE_H

#include "lib/sys/fs.h"
#include "proto/wire/telemetry.h"

struct telequeue; /* opaque */

/* Reads what waits in the folder "telemetry" of the file system; what is damaged there is passed
 * over, and removed. `limit` is what may lie on the disk, in bytes; `random` the epoch if there is
 * no queue yet (not 0). Writes nothing new. */
int telequeue_open(struct fs *fs, uint64_t limit, uint64_t random, struct telequeue **out,
	struct err *e) MUST_CHECK;
void telequeue_close(struct telequeue **q);

/* Numbers the items and stores them: all of them durable on return, or none. ERR_NO_SPACE when only
 * what never gives way waits; ERR_TOO_LARGE for an item that fits no batch. */
int telequeue_put(
	struct telequeue *q, struct telemetry_item *v, unsigned n, struct err *e) MUST_CHECK;

struct telequeue_batch {
	struct buf text; /* owned; empty: nothing waits */
	uint64_t epoch, last;
	unsigned items;
	bool more; /* something waits behind it */
};
/* What is to be sent next: the oldest items that are not acknowledged, of one epoch, as many as fit
 * a batch. The same again until telequeue_ack. */
int telequeue_batch(struct telequeue *q, struct telequeue_batch *out, struct err *e) MUST_CHECK;
void telequeue_batch_fini(struct telequeue_batch *b);

/* The server has everything of the epoch up to `seq`: forgets it. What a power cut brings back is
 * sent again, and counted once. A server that has more than there ever was has seen a queue that
 * was lost here: another epoch begins. */
void telequeue_ack(struct telequeue *q, uint64_t epoch, uint64_t seq);

struct telequeue_view {
	uint64_t epoch, last; /* of the newest item */
	uint64_t bytes;       /* on the disk */
	unsigned waiting;     /* items */
	uint64_t dropped;     /* details that gave way in this process */
};
void telequeue_look(const struct telequeue *q, struct telequeue_view *out);

#endif
