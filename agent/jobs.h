/* Runs what blocks away from the loop. A lane does its jobs one after the other; lanes work side by
 * side. Only the loop's thread touches struct agent: a job carries copies in and values out.
 *
 * Two executors behind the same calls: one thread per lane, whose endings come through a file
 * descriptor, and inline, which runs everything in jobs_collect, in the order of submission (tests
 * that must be repeatable to the operation). */
#ifndef AGENT_JOBS_H
#define AGENT_JOBS_H

#include <stdatomic.h>

#include "lib/err.h"

enum job_lane {
	LANE_SLOT,  /* writes or tests the inactive slot */
	LANE_SVC,   /* starts, stops and looks at the workload: one at a time */
	LANE_NET,   /* talks to the server */
	LANE_METER, /* measures machine and workload; nobody waits for it */
	LANE_MAX
};

struct job {
	enum job_lane lane;
	void (*run)(struct job *);  /* in the lane's thread; touches nothing but the job */
	void (*done)(struct job *); /* in the loop's thread; owns the job again */
	atomic_bool cancel;         /* set by the loop at any time; `run` should soon return then */
	struct job *next;           /* of whoever holds the job */
};

enum jobs_kind { JOBS_THREADS, JOBS_INLINE };

struct jobs; /* opaque */

int jobs_open(enum jobs_kind kind, struct jobs **out, struct err *e) MUST_CHECK;
/* Cancels everything, waits for what runs, and calls `done` of every job that was submitted. */
void jobs_close(struct jobs **j);

void jobs_submit(struct jobs *j, struct job *job);

/* Readable when jobs_collect has something to do; -1 for the inline executor. */
int jobs_fd(const struct jobs *j);

/* Calls `done` of what has ended; inline: of the oldest job, after running it. False when there was
 * none. */
bool jobs_collect(struct jobs *j);

#endif
