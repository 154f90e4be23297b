/* The ways to run a second program, one for each way to run the first. */
#ifndef AGENT_SVC_BESIDE_PRIV_H
#define AGENT_SVC_BESIDE_PRIV_H

#include "agent/svc/beside.h"
#include "agent/svc/svc_priv.h"

#define BESIDE_DIR "challenger" /* in RUN_DIR: what is remembered of it while the machine is up */

struct beside {
	const struct beside_driver *driver;
	struct svc_conf conf;
	struct fs run; /* RUN_DIR */
	struct fs own; /* RUN_DIR/challenger */
	char dir[SVC_PATH_MAX];
	struct svc_record record; /* exec */
	char unit[160];           /* systemd */
	char limits[BESIDE_TEXT]; /* what holds it, see beside_limits */
};

struct beside_driver {
	const char *kind; /* of the service driver */
	int (*open)(struct beside *, struct err *) MUST_CHECK;
	int (*start)(struct beside *, const struct beside_spec *, struct err *) MUST_CHECK;
	int (*look)(struct beside *, bool *out_alive, struct err *) MUST_CHECK;
	int (*stop)(struct beside *, struct err *) MUST_CHECK;
	int (*log_tail)(struct beside *, size_t max, struct buf *out, struct err *) MUST_CHECK;
	bool (*is_workload)(struct beside *, pid_t pid);
};

extern const struct beside_driver beside_exec, beside_systemd;

/* The limits of a group, as properties of a transient unit: memory, processors, tasks, weights. */
int beside_add_limits(sd_bus_message *m, const struct beside_spec *spec);

/* ---- beside_scope.c ---- */

/* Puts a process that stands ready into a group of its own, with those limits. Fails where there is
 * no service manager, or it does not let us. */
int beside_scope_take(
	struct beside *b, pid_t pid, const struct beside_spec *spec, struct err *e) MUST_CHECK;
/* Ends whatever is in it; harmless when there is none. */
void beside_scope_stop(struct beside *b);

#endif
