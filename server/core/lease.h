/* Whether a device may be disrupted now. Pure: counts and times in, verdict out. */
#ifndef SERVER_CORE_LEASE_H
#define SERVER_CORE_LEASE_H

#include "proto/wire/policy.h"

struct lease_case {
	ms_t now;
	ms_t need;       /* as the device says */
	bool holds;      /* this device has a lease that has not ended */
	uint32_t taken;  /* leases of others in its group that have not ended */
	ms_t ends_first; /* when the first of them ends; 0: there is none */
};

struct lease_verdict {
	bool granted;
	ms_t until; /* wall clock of the server */
	ms_t again; /* not granted: when it is worth asking again */
};

/* Law: of a group, no more than `max` hold a lease at any instant. One who has a lease gets it
 * again: that is no further disruption, and the first answer may have been lost. A policy without a
 * budget grants always. */
void lease_eval(
	const struct policy_disruption *d, const struct lease_case *c, struct lease_verdict *out);

#endif
