/* Disruption leases: who of a group may switch now. Durable; a server that was started anew knows
 * them. */
#ifndef SERVER_RUN_LEASE_H
#define SERVER_RUN_LEASE_H

#include "proto/wire/lease.h"
#include "proto/wire/policy.h"
#include "server/repo/devices.h"
#include "server/repo/leases.h"
#include "server/run/run.h"

/* "line=north": who is counted together; devices without the label are a group of their own. */
void lease_group(const struct device_row *d, const char *label, char out[LEASE_GROUP_MAX]);

/* A device asks before it switches. The budget is that of the policy of the campaign that gave the
 * device what it shall run; without one it is granted. Durable on return when it was granted.
 * ERR_NOT_FOUND for a device that never reported; ERR_CONFLICT when it is not to run that. */
int lease_ask(struct run *r, const char *device, const struct lease_ask *ask,
	struct lease_answer *out, struct err *e) MUST_CHECK;

/* Its update has ended. Within a transaction; nothing when it has none. */
int lease_give_back(struct run *r, const char *device, struct err *e) MUST_CHECK;

/* Those of devices that were silent until their end. */
int lease_tick(struct run *r, struct err *e) MUST_CHECK;

/* Does a release ask for what the policy counts? ERR_CONFLICT when the policy has a budget and the
 * release does not state the precondition. */
int lease_check_release(struct run *r, const struct policy *p, const struct sha256 *document,
	struct err *e) MUST_CHECK;

#endif
