/* Prometheus' text format 0.0.4, written. Values of labels are ids, names or hexadecimal: nothing
 * that would have to be escaped. */
#ifndef SERVER_API_METRIC_H
#define SERVER_API_METRIC_H

#include "lib/buf.h"

/* The two lines before the samples of a family; every name begins with "backstay_". */
void metric_family(struct buf *out, const char *name, const char *type, const char *help);
/* A family of one sample without labels. */
void metric_one(
	struct buf *out, const char *name, const char *type, const char *help, uint64_t value);
/* One sample; `labels` is a="b",c="d", or "". */
void metric_sample(struct buf *out, const char *name, const char *labels, double value);
/* The buckets and the count of a histogram: n edges in units of 1 / `per`, n + 1 counts that are
 * not cumulative. */
void metric_buckets(struct buf *out, const char *name, const char *labels, const int64_t *edges,
	const uint64_t *counts, unsigned n, double per);

#endif
