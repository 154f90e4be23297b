#include "server/core/cohort.h"

#include <string.h>

#include "lib/prng.h"

uint64_t cohort_key(const struct camp_id *campaign, const struct dev_id *device)
{
	uint64_t seed = hash64(0, campaign->s, strlen(campaign->s));

	return hash64(seed, device->s, strlen(device->s));
}
