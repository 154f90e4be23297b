/* What devices reported, as it came. */
#ifndef SERVER_REPO_REPORTS_H
#define SERVER_REPO_REPORTS_H

#include "proto/wire/report.h"
#include "server/db/db.h"

struct report_row {
	uint64_t n; /* grows over all devices */
	uint64_t epoch, seq;
	char kind[16];
	ms_t received;
	struct str body; /* JSON, borrowed */
};

int reports_add(
	struct db *db, const char *device, const struct report_row *r, struct err *e) MUST_CHECK;

/* Is exactly this report there already? */
int reports_has(struct db *db, const char *device, uint64_t epoch, uint64_t seq, struct str body,
	bool *out, struct err *e) MUST_CHECK;

/* Newest first, at most `limit`, those with n below `before` (0: all). */
typedef int reports_each_f(void *ctx, const struct report_row *r, struct err *e);
int reports_each(struct db *db, const char *device, uint64_t before, unsigned limit,
	reports_each_f *each, void *ctx, struct err *e) MUST_CHECK;

/* Forgets what is of no lasting interest (everything but outcomes, refusals and consent), down to
 * the newest `keep` numbers of this life of the device. */
int reports_prune(struct db *db, const char *device, uint64_t keep, struct err *e) MUST_CHECK;

#endif
