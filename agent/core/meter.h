/* What a workload says of itself, page by page, as windows of telemetry. Pure. */
#ifndef AGENT_CORE_METER_H
#define AGENT_CORE_METER_H

#include "proto/wire/promtext.h"
#include "proto/wire/telemetry.h"
#include "proto/wire/trigger.h"

#define METER_SERIES (PROM_TYPE_MAX * LIMIT_TELEMETRY_METRICS)

/* Lists of names, separated by commas; '*' stands for any text. */
struct meter_rules {
	const char *metrics; /* that are taken */
	const char *model;   /* of these, what the model sees and says; the others are of the
				inference path */
	const struct trig_rule *rule; /* of the release that runs: histograms get their edges */
	unsigned n_rules;
};

struct meter_series {
	char name[TELEMETRY_NAME];
	enum prom_type type;
	bool known; /* it stood on the page before */
	double value;
	struct hist hist;
};

/* Remembers the page before. All zero at first. */
struct meter {
	unsigned n;
	struct meter_series v[METER_SERIES];
};

/* Adds to the windows what counters and histograms have grown by since the page before (nothing, at
 * the first), and what gauges say. What went down counts from zero: the workload was restarted.
 * ERR_BAD_INPUT when the page is none; what is added then does not count. */
int meter_take(struct meter *m, const struct meter_rules *r, struct str page,
	struct telemetry_window *inference, struct telemetry_window *model,
	struct err *e) MUST_CHECK;

bool meter_matches(const char *list, const char *name);

#endif
