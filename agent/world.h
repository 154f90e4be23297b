/* The machine as the driver's world: file system, clocks, service, server. */
#ifndef AGENT_WORLD_H
#define AGENT_WORLD_H

#include "agent/agent.h"

struct world; /* opaque */

/* Makes home and run_dir, takes the lock on home (ERR_BUSY: another agent has it), opens the
 * service driver. `conf` must outlive it. ERR_CONFIG when the smoke tests' user does not exist. */
int world_open(const struct agent_conf *conf, struct world **out, struct err *e) MUST_CHECK;
void world_close(struct world **w);

/* The ports, and the home's file system. */
const struct agent_world *world_ports(struct world *w);

/* From now on `a` is run on `loop`: when its jobs end, and when it asked to be woken.
 * With `once` the loop is left when the agent has settled. */
int world_attach(
	struct world *w, sd_event *loop, struct agent *a, bool once, struct err *e) MUST_CHECK;
void world_detach(struct world *w);

#endif
