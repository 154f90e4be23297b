/* A second program beside the workload, which must not notice it: a process group or unit of its
 * own, last in line for processor and disk, the first to go when memory runs out, limited where the
 * machine can limit it. Calls block, in job threads, one at a time. */
#ifndef AGENT_SVC_BESIDE_H
#define AGENT_SVC_BESIDE_H

#include <sys/types.h>

#include "agent/svc/svc.h"

struct beside_spec {
	const char *const *argv; /* argv[0] with a '/' is relative to slot_dir */
	const char *const *env;  /* "K=V" */
	const char *slot_dir;    /* absolute: its working directory, which it cannot write to */
	unsigned uid, gid;       /* 0: as the agent */
	uint64_t max_memory;     /* bytes; 0: no limit */
	unsigned cpu_percent; /* of one processor; 0: what is left. Only a group can be limited */
};

#define BESIDE_TEXT 160

struct beside; /* opaque */

/* Can the workload of this configuration have another program beside it? Not where it is the whole
 * machine, or nobody starts it. */
bool beside_is_possible(const struct svc_conf *c);

/* ERR_UNSUPPORTED where it is not possible. Starts nothing. */
int beside_open(const struct svc_conf *c, struct beside **out, struct err *e) MUST_CHECK;
/* Leaves what runs as it is: stop it first. */
void beside_close(struct beside **b);

/* Stops what may still run of an earlier life, and starts it. Returns when it was executed.
 * ERR_START_FAILED, ERR_NOT_FOUND, ERR_DENIED: there is no such program. */
int beside_start(struct beside *b, const struct beside_spec *spec, struct err *e) MUST_CHECK;
int beside_look(struct beside *b, bool *out_alive, struct err *e) MUST_CHECK;
/* Nothing of it is left on return; harmless when nothing runs. */
int beside_stop(struct beside *b, struct err *e) MUST_CHECK;
/* What limits the one that was started last, for people: a group of the service manager's, which
 * counts all of its processes together, or, where there is none and why, each process by itself.
 */
const char *beside_limits(const struct beside *b);
/* The last `max` bytes it said. */
int beside_log_tail(struct beside *b, size_t max, struct buf *out, struct err *e) MUST_CHECK;

/* Does this process belong to the workload itself? */
bool beside_is_workload(struct beside *b, pid_t pid);

/* What a life before this one has left running is stopped. */
int beside_clear(const struct svc_conf *c, struct err *e) MUST_CHECK;

#endif
