/* Drift that devices have told, gathered: one row for what they say of one release, metric and
 * reference within a window, and which of them said so. */
#ifndef SERVER_REPO_DRIFTS_H
#define SERVER_REPO_DRIFTS_H

#include "proto/wire/telemetry.h"
#include "server/db/db.h"

struct drift_row {
	uint64_t n;
	struct sha256 document, reference; /* zero: not said */
	char metric[TELEMETRY_NAME];
	ms_t opened, from,
		to;           /* when the first one said it; what they looked at, by their clocks */
	uint64_t samples;     /* of all that was said */
	uint64_t value_milli; /* the largest */
	uint64_t threshold_milli; /* that went with it */
	uint64_t devices, reports;
	uint64_t told; /* devices that the last event counted; 0: none has been told */
	ms_t told_at;
	ms_t closed; /* 0: whoever says the same now is counted here */
};

/* The open one of these three; ERR_NOT_FOUND. */
int drifts_open(struct db *db, const struct telemetry_drift *d, struct drift_row *out,
	struct err *e) MUST_CHECK;
int drifts_count_open(struct db *db, uint64_t *out, struct err *e) MUST_CHECK;
/* Open ones that only this device speaks of. */
int drifts_count_alone(struct db *db, const char *device, uint64_t *out, struct err *e) MUST_CHECK;
/* Adds when r->n is 0, and fills it. */
int drifts_save(struct db *db, struct drift_row *r, struct err *e) MUST_CHECK;
/* Notes that a device says so; *out_new: for the first time. */
int drifts_say(struct db *db, uint64_t drift, const char *device, ms_t now,
	const struct telemetry_drift *d, bool *out_new, struct err *e) MUST_CHECK;

/* An open one that nobody was told of and that was opened before `gathered`, or that was opened
 * before `over`; ERR_NOT_FOUND. */
int drifts_due(
	struct db *db, ms_t gathered, ms_t over, struct drift_row *out, struct err *e) MUST_CHECK;

/* Newest first, at most `limit`. */
typedef int drifts_each_f(void *ctx, const struct drift_row *r, struct err *e);
int drifts_each(
	struct db *db, unsigned limit, drifts_each_f *each, void *ctx, struct err *e) MUST_CHECK;

/* Devices that said so, first come first, at most `limit`. */
typedef int drifts_device_f(void *ctx, const char *device, ms_t at, uint64_t value_milli,
	uint64_t samples, uint64_t reports, struct err *e);
int drifts_each_device(struct db *db, uint64_t drift, unsigned limit, drifts_device_f *each,
	void *ctx, struct err *e) MUST_CHECK;

#endif
