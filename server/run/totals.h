/* What came of each release since the server was started: sums that only grow, as Prometheus and
 * OpenTelemetry want counters. What is older is in the store (server/repo/aggregates.h). */
#ifndef SERVER_RUN_TOTALS_H
#define SERVER_RUN_TOTALS_H

#include "server/run/gain.h"

#define TOTALS_MAX 96U /* releases times layers; those that were heard of longest ago give way */

struct total {
	struct sha256 release; /* zero: none, or one that was not published here */
	enum telemetry_layer layer;
	ms_t since, heard; /* wall clock: when it began, and of the newest */
	struct aggregate sum;
};

struct totals {
	unsigned n;
	struct total *v; /* owned */
};

void totals_init(struct totals *t);
void totals_fini(struct totals *t);
/* Adds what a transaction has made durable. */
void totals_take(struct totals *t, const struct gain *more, ms_t now);

#endif
