#include "server/api/metric.h"

void metric_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP backstay_%s %s\n# TYPE backstay_%s %s\n", name, help, name, type);
}

void metric_one(
	struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	metric_family(out, name, type, help);
	buf_addf(out, "backstay_%s %llu\n", name, (unsigned long long)value);
}

void metric_sample(struct buf *out, const char *name, const char *labels, double value)
{
	buf_addf(out, "backstay_%s%s%s%s %.15g\n", name, *labels ? "{" : "", labels,
		*labels ? "}" : "", value);
}

void metric_buckets(struct buf *out, const char *name, const char *labels, const int64_t *edges,
	const uint64_t *counts, unsigned n, double per)
{
	const char *comma = *labels ? "," : "";
	uint64_t sum = 0;

	for (unsigned i = 0; i <= n; i++) {
		sum += counts[i];
		buf_addf(out, "backstay_%s_bucket{%s%sle=\"", name, labels, comma);
		if (i < n)
			buf_addf(out, "%.10g", (double)edges[i] / per);
		else
			buf_add_str(out, "+Inf");
		buf_addf(out, "\"} %llu\n", (unsigned long long)sum);
	}
	buf_addf(out, "backstay_%s_count%s%s%s %llu\n", name, *labels ? "{" : "", labels,
		*labels ? "}" : "", (unsigned long long)sum);
}
