/* Triggers that nobody has to look for: they come as events. Their samples are empty, and not
 * blind. */
#include "agent/probe/probe_priv.h"

static int look(
	const struct probe_in *in, struct probe_rule *v, unsigned n, bool first, struct err *e)
{
	(void)in;
	(void)v;
	(void)n;
	(void)first;
	(void)e;
	return 0;
}

const struct probe_source probe_smoke = {
	.kind = "smoke",
	.source = TRIG_SRC_SMOKE,
	.help = "The smoke tests themselves, before the swap.",
	.look = look,
};

const struct probe_source probe_order = {
	.kind = "order",
	.source = TRIG_SRC_ORDER,
	.help = "An authorised order, when it comes.",
	.look = look,
};

const struct probe_source probe_self = {
	.kind = "self",
	.source = TRIG_SRC_SELF,
	.help = "What the device itself makes of its own trial.",
	.look = look,
};
