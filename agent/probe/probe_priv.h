/* The sources. */
#ifndef AGENT_PROBE_PROBE_PRIV_H
#define AGENT_PROBE_PROBE_PRIV_H

#include "agent/probe/probe.h"

extern const struct probe_source probe_svc, probe_health, probe_metrics, probe_smoke, probe_order,
	probe_self;

#endif
