/* Freezing a campaign's recipients. */
#ifndef SERVER_RUN_GATHER_H
#define SERVER_RUN_GATHER_H

#include "server/run/run_priv.h"

/* Within a transaction: every device that the campaign selects becomes a recipient with its
 * position or is excluded with the verdict. A device can take part in one campaign at a time. Fills
 * in what START says of them. */
int gather_recipients(struct run *r, const struct campaign_row *c, struct wave_event *plan,
	struct err *e) MUST_CHECK;

/* Within a transaction: a device that has reported, or that another campaign has let go, takes part
 * in the campaigns under way that let it join and that it fits, or rather in the first of them. One
 * that is in update, or in a campaign, does not. */
int gather_late(struct run *r, const char *device, struct err *e) MUST_CHECK;
/* Does any campaign under way let devices join? From memory. */
int gather_is_open(struct run *r, bool *out, struct err *e) MUST_CHECK;

#endif
