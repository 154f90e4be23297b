/* The calendar of a policy: is anybody admitted now? Pure: times are wall clock, given in. */
#ifndef SERVER_CORE_FREEZE_H
#define SERVER_CORE_FREEZE_H

#include "proto/wire/policy.h"

struct freeze_view {
	bool frozen;
	unsigned which; /* index into the policy's freezes, when frozen: the one that lasts longest
			 */
	ms_t until;     /* its end, when frozen */
	ms_t ended;     /* when the last one before now ended; 0: none within a week, or ever */
};

void freeze_look(const struct policy *p, ms_t now, struct freeze_view *out);

#endif
