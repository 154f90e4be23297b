#include "agent/probe/probe_priv.h"

/* A check that gets no answer is a bad check, not a blind one: being asked is all that health is
 * about. */
static int look(
	const struct probe_in *in, struct probe_rule *v, unsigned n, bool first, struct err *e)
{
	bool bad;

	if (first)
		return 0;
	bad = svc_healthy(in->svc, in->timeout, e) < 0;
	for (unsigned i = 0; i < n; i++) {
		v[i].out->n = 1;
		v[i].out->bad = bad;
	}
	return 0;
}

const struct probe_source probe_health = {
	.kind = "health",
	.source = TRIG_SRC_HEALTH,
	.help = "The workload's health URL, or whether it is alive.",
	.look = look,
};
