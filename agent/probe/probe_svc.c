#include "agent/probe/probe_priv.h"

struct memory {
	bool known;
	uint32_t ended;
};

static void count(const struct svc_view *view, struct probe_rule *v)
{
	struct memory *m = v->memory;

	if (m->known && v->rule->type == TRIG_CRASH_LOOP)
		v->out->n = v->out->bad =
			view->ended >= m->ended ? view->ended - m->ended : view->ended;
	*m = (struct memory){.known = true, .ended = view->ended};
}

static int look(
	const struct probe_in *in, struct probe_rule *v, unsigned n, bool first, struct err *e)
{
	struct svc_view view;

	(void)first;
	TRY(svc_look(in->svc, &view, e));
	for (unsigned i = 0; i < n; i++)
		count(&view, &v[i]);
	return 0;
}

const struct probe_source probe_svc = {
	.kind = "svc",
	.source = TRIG_SRC_SVC,
	.help = "The workload's supervisor: how often it ended.",
	.memory = sizeof(struct memory),
	.look = look,
};
