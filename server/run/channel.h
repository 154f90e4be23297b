/* A product's channel: while it is frozen, no campaign for the product starts. */
#ifndef SERVER_RUN_CHANNEL_H
#define SERVER_RUN_CHANNEL_H

#include "server/run/run_priv.h"

/* A person's orders, with a reason; durable on return. Freezing one that is frozen changes nothing;
 * ERR_CONFLICT when what is to be thawed is not frozen, ERR_BAD_INPUT without a reason. */
int channel_freeze(struct run *r, const char *product, const char *who, const char *reason,
	struct err *e) MUST_CHECK;
int channel_thaw(struct run *r, const char *product, const char *who, const char *reason,
	struct err *e) MUST_CHECK;

/* The last rung of a campaign's ladder. Within a transaction. */
int channel_freeze_for(struct run *r, const struct campaign_row *c, struct err *e) MUST_CHECK;
/* ERR_CONFLICT, with who froze it and why, when a campaign for this release may not start. */
int channel_check(struct run *r, const struct campaign_row *c, struct err *e) MUST_CHECK;

#endif
