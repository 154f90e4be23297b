#include "agent/probe/probe_priv.h"

static const struct probe_source *const sources[] = {
	&probe_svc,
	&probe_health,
	&probe_metrics,
	&probe_smoke,
	&probe_order,
	&probe_self,
	&probe_usage,
	&probe_thermal,
	&probe_server,
};

const struct probe_source *probe_source_of(enum trig_source source)
{
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		if (sources[i]->source == source)
			return sources[i];
	return NULL;
}
