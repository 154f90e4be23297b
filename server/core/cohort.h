/* Which device comes when: a stable hash of (campaign, device). Every replica and every repeat
 * gives the same order. */
#ifndef SERVER_CORE_COHORT_H
#define SERVER_CORE_COHORT_H

#include "lib/id.h"

/* Sort recipients by this key, then by device id: the index is the cohort position. */
uint64_t cohort_key(const struct camp_id *campaign, const struct dev_id *device);

#endif
