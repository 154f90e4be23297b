/* The server at work: what devices and people say goes in; the wave engine decides; state, actions
 * and audit rows become durable in one transaction. Single-threaded; a call that fails has changed
 * nothing. */
#ifndef SERVER_RUN_RUN_H
#define SERVER_RUN_RUN_H

#include "lib/sys/clock.h"
#include "server/db/db.h"
#include "server/sign/signer.h"

struct run;
struct telemetry_conf;

struct run_conf {
	struct db *db;
	struct signer *signer;
	const struct clock *clock;
	const char *artifacts;           /* folder that holds them, see artifact.h */
	ms_t director_life;              /* of a device's targets and snapshot, until they expire */
	ms_t timestamp_life;             /* of every timestamp */
	ms_t snapshot_life;              /* of the image repository's snapshot */
	ms_t drift_gather, drift_window; /* see drift.h; a window of 0: a day */
	const struct telemetry_conf *telemetry; /* what is kept of it; NULL: as usual */
	const char *certificates[2]; /* files whose end is told, see ending.h; NULL: none */
	bool four_eyes; /* every party's approval must be known by name, see approval.h */
	/* Called when something is durable that this device may want to hear of soon. NULL: nobody
	 * is told, devices ask by themselves. */
	void (*wake)(void *self, const char *device);
	void *wake_self;
};

/* Everything in `c` must outlive it. */
int run_open(const struct run_conf *c, struct run **out, struct err *e) MUST_CHECK;
/* Writes what was only gathered. */
void run_close(struct run **r);

/* What time brings: contacts are written, the silent are counted, waves open, metadata of the image
 * repository is signed again. To be called every second; cheap when nothing is due. */
int run_tick(struct run *r, struct err *e) MUST_CHECK;

/* What is done in between becomes durable together, with one sync, in run_group_end; when that
 * fails nothing of it is. Nobody may be told before: an answer waits as long as run_group_is_open,
 * and what would be called `wake` for or logged waits, too. */
void run_group_begin(struct run *r);
bool run_group_is_open(const struct run *r);
int run_group_end(struct run *r, struct err *e) MUST_CHECK;

struct run_stats {
	uint64_t admitted, reports, duplicates, published;
};
const struct run_stats *run_stats(const struct run *r);

/* The wall clock that decisions are made by. */
ms_t run_now(const struct run *r);

#endif
