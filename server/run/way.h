/* What a device shall run, as the actions of the wave engine change it. Within the transaction that
 * is open. */
#ifndef SERVER_RUN_WAY_H
#define SERVER_RUN_WAY_H

#include "server/run/run_priv.h"

/* How long this recipient may be silent: its wave's, or the policy's. */
ms_t way_silence(const struct campaign_row *c, const struct recipient_row *rec);

/* The device gets the campaign's release, and what it runs now is remembered as its way back. */
int way_admit(
	struct run *r, const struct campaign_row *c, const char *device, struct err *e) MUST_CHECK;

/* It shall run again what it ran before: because it has gone there by itself (its desired state
 * follows), or because it is ordered to. */
int way_stay_back(struct run *r, const struct recipient_row *rec, struct err *e) MUST_CHECK;
int way_order_back(struct run *r, const struct campaign_row *c, struct recipient_row *rec,
	struct err *e) MUST_CHECK;

/* It has answered the order, in whatever way. */
int way_answered(struct run *r, const char *device, struct err *e) MUST_CHECK;

#endif
