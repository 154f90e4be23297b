/* The challenger beside the champion: started from the inactive slot, asked the same inputs, and
 * compared until the release's rule has a verdict (agent/core/shadow.h).
 *
 * The champion gives its inputs away, when it has answered them, to a datagram socket,
 * RUN_DIR/shadow.sock, without ever waiting (proto/wire/shadow.h says what a packet holds); the
 * kernel holds as many as fit its queue, and what does not fit is not compared. Nobody stands
 * between the champion and who asks it, and nothing that happens here can make it wait or fail. */
#ifndef AGENT_SHADOW_SHADOW_H
#define AGENT_SHADOW_SHADOW_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/core/shadow.h"
#include "agent/svc/beside.h"
#include "lib/sys/fs.h"
#include "proto/wire/release.h"

/* Written by who compares, looked at by others meanwhile. */
struct shadow_board {
	pthread_mutex_t lock;
	struct shadow_tally tally;
	bool answers;             /* the challenger is up */
	char limits[BESIDE_TEXT]; /* what holds it (svc/beside.h); "": it was not started yet */
};
void shadow_board_init(struct shadow_board *b);
void shadow_board_fini(struct shadow_board *b);
void shadow_board_read(struct shadow_board *b, struct shadow_tally *out, bool *out_answers);
void shadow_board_limits(struct shadow_board *b, char out[BESIDE_TEXT]);

/* What the agent asks of its world. */
struct shadow_ask {
	struct fs *fs; /* home: where the comparison is remembered */
	struct txn_id txn;
	unsigned slot;
	const struct release *release;
	const atomic_bool *cancel;
	struct shadow_board *board;
};

/* The machine that it happens on. */
struct shadow_place {
	struct svc_conf svc;
	char slot_dir[320];
	unsigned uid, gid;   /* to run the challenger as; 0: as the agent */
	uint64_t max_memory; /* when the release states none; 0: no limit */
};

/* Goes on with what is remembered of this update, and returns when there is a verdict, which is
 * durable then and stands on the board: 0. The challenger is gone on return, whatever it is.
 * *out_log gets the last it said. ERR_CANCELLED; ERR_UNSUPPORTED; ERR_IO and the like when the
 * machine could not do it, which is no verdict. */
int shadow_run(const struct shadow_place *place, const struct shadow_ask *ask, struct buf *out_log,
	struct err *e) MUST_CHECK;

/* ---- what is remembered: shadow.txt in home ---- */

/* Zero when there is none, it is another update's, or it was damaged: then it begins anew. */
void shadow_book_load(struct fs *fs, const struct txn_id *txn, struct shadow_tally *out);
/* Durable on return. */
int shadow_book_save(struct fs *fs, const struct txn_id *txn, const struct shadow_tally *t,
	struct err *e) MUST_CHECK;

#endif
