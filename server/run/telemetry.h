/* Telemetry of devices: counted once, summed as it comes, kept for a while. */
#ifndef SERVER_RUN_TELEMETRY_H
#define SERVER_RUN_TELEMETRY_H

#include "proto/wire/telemetry.h"
#include "server/run/run.h"
#include "server/run/totals.h"

/* Spans of aggregates: fine ones are folded into coarse ones when they grow old. */
#define TELEMETRY_FINE   MINUTE(10)
#define TELEMETRY_COARSE MINUTE(24 * 60)

struct telemetry_conf {
	ms_t window_keep, event_keep;     /* items as they came: windows, and all others */
	uint64_t window_rows, event_rows; /* of them all at once, at most */
	ms_t fine_keep, coarse_keep;      /* aggregates of either span */
	char stratum[ID_TEXT_MAX]; /* label that makes strata, beside the hardware; "": none */
};
/* What stands where nothing was configured. */
extern const struct telemetry_conf telemetry_usual;

/* A batch of one device on its way into the store. */
struct telemetry_post {
	char device[ID_TEXT_MAX];
	struct telemetry_batch batch; /* borrowed */
	uint64_t seq;                 /* set: everything up to this number is stored */
	struct err refused; /* set: why nothing of it was taken: ERR_NOT_FOUND, the device has
			       never said hello */
};

/* Takes all of them in one transaction; durable on return. A number is counted once within its
 * epoch, however often it comes and whatever comes in between. What is refused changes nothing, and
 * keeps no other from being taken. A failure has taken none. */
int telemetry_take(struct run *r, struct telemetry_post *v, unsigned n, struct err *e) MUST_CHECK;

/* Forgets what is old, a little at a time: called by run_tick. */
int telemetry_tick(struct run *r, struct err *e) MUST_CHECK;

struct telemetry_stats {
	uint64_t items[TELEMETRY_KIND_MAX]; /* counted */
	uint64_t duplicates;                /* came again */
	uint64_t dropped;                   /* details that devices had no room for */
	uint64_t refused;                   /* batches */
	uint64_t tripped;                   /* watches that did */
};
const struct telemetry_stats *telemetry_stats(const struct run *r);
const struct totals *telemetry_totals(const struct run *r);

/* What devices with a release did: the rows of a part merged over [from, to), in order of key and
 * layer; nothing when there is nothing. */
typedef int telemetry_merged_f(
	void *ctx, const struct agg_key *k, const struct aggregate *a, struct err *e);
int telemetry_merged(struct db *db, const struct sha256 *release, enum agg_part part, ms_t from,
	ms_t to, telemetry_merged_f *each, void *ctx, struct err *e) MUST_CHECK;

#endif
