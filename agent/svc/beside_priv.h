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

#endif
