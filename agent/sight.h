/* How this machine is seen, as its configuration says. */
#ifndef AGENT_SIGHT_H
#define AGENT_SIGHT_H

#include "agent/agent_conf.h"
#include "agent/precond/precond.h"

/* What preconditions of the types in `want` are judged by. From any thread; blocks for as long as
 * service.probe_timeout where somebody is asked over D-Bus. */
void sight_facts(const struct agent_conf *c, unsigned want, struct precond_facts *out);

#endif
