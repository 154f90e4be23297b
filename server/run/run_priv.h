/* What the files of this folder share. */
#ifndef SERVER_RUN_RUN_PRIV_H
#define SERVER_RUN_RUN_PRIV_H

#include "server/repo/audit.h"
#include "server/repo/campaigns.h"
#include "server/repo/devices.h"
#include "server/repo/recipients.h"
#include "server/run/contacts.h"
#include "server/run/run.h"
#include "server/run/telemetry.h"

struct run {
	struct run_conf c;
	ms_t started; /* wall clock: silence is not counted while nobody could be heard */
	struct contacts contacts;
	bool stale; /* the copies below may be older than the store */
	unsigned n_active;
	struct campaign_row *active; /* campaigns under way; selectors are left out */
	int64_t image_refresh_s;     /* when its timestamp must be signed again; 0: look */
	bool to_be_shown;            /* the signer may be ahead of the store, or know nothing */
	bool was_shown;              /* in this transaction */
	unsigned shown_to;           /* signer_epoch when that was so last */
	ms_t ending;                 /* wall clock: when it was last looked what ends soon */
	ms_t checkpoint;             /* wall clock: when one was last looked for */
	struct buf said;             /* sentences to be logged when they are durable */
	struct buf woken;            /* devices to be told then, a line each */
	size_t said_before, woken_before; /* by the transactions of the group before this one */
	struct run_stats stats;
	struct telemetry_stats telemetry;
	struct totals totals; /* of telemetry, since the start */
};

int64_t run_now_s(const struct run *r);

/* One transaction: run_end commits when rc >= 0 and hands rc or the failure up. */
int run_begin(struct run *r, struct err *e) MUST_CHECK;
int run_end(struct run *r, int rc, struct err *e) MUST_CHECK;

/* The device is told that there is news, when this transaction is durable. */
void run_wake(struct run *r, const char *device);

/* Adds an audit row within the transaction; `campaign` may be NULL. */
int run_audit(struct run *r, const struct campaign_row *campaign, const char *who, const char *what,
	const char *device, const char *text, struct err *e) MUST_CHECK;

/* Brings r->active up to date. */
int run_load_active(struct run *r, struct err *e) MUST_CHECK;

/* The campaign under way of that id, from memory; *out is NULL when there is none. */
int run_active(
	struct run *r, const char *id, const struct campaign_row **out, struct err *e) MUST_CHECK;

#endif
