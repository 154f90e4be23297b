/* What the files of the queue share. */
#ifndef AGENT_TELE_TELEQUEUE_PRIV_H
#define AGENT_TELE_TELEQUEUE_PRIV_H

#include "agent/core/spool.h"
#include "agent/tele/telequeue.h"

#define TELEQUEUE_ENVELOPE 128U /* more than what a batch of one item is besides the item */

struct piece {
	uint64_t ordinal; /* its name */
	struct spool_head head;
	uint64_t last;    /* number of its last item; first - 1: it has none */
	uint64_t waiting; /* items */
	struct spool_piece size;
};

struct telequeue {
	struct fs *fs;
	uint64_t limit;
	uint64_t epoch; /* of what is stored next */
	unsigned n;
	struct piece *v;   /* oldest first */
	bool closed;       /* the newest is not written to any more */
	uint64_t next;     /* number to give out, in that epoch */
	uint64_t acked[2]; /* epoch, seq: what the server has said */
	uint64_t dropped;
};

/* Appends the text of a piece, and takes its head off. */
int piece_load(const struct telequeue *q, const struct piece *p, struct buf *text,
	struct spool_head *out_head, struct str *out_lines, struct err *e) MUST_CHECK;
/* Best effort: what stays is passed over again, or sent again. */
void piece_remove(struct telequeue *q, unsigned i);
/* Removes pieces of which the server has everything; the newest one stays, because it knows the
 * number. */
void telequeue_forget(struct telequeue *q);

#endif
