#include "agent/sight.h"

#include "agent/version.h"
#include "lib/sys/clock.h"

void sight_facts(const struct agent_conf *c, unsigned want, struct precond_facts *out)
{
	const struct precond_in in = {.sys = c->precond.sys,
		.proc = c->precond.proc,
		.home = c->agent.home,
		.now = clock_system.wall(NULL),
		.built = (ms_t)AGENT_BUILT_S * 1000,
		.timeout = c->service.probe_timeout,
		.parked = {c->precond.parked_from, c->precond.parked_when},
		.ignition = {c->precond.ignition_from, c->precond.ignition_when},
		.metered = {c->precond.metered_from, c->precond.metered_when}};

	precond_look(&in, want, out);
}
