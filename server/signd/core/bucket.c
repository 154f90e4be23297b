#include "server/signd/core/bucket.h"

#define HOUR_US 3600000000LL

bool bucket_take(struct bucket *b, const struct bucket_rule *rule, ms_t now)
{
	int64_t now_us = now * 1000, one = HOUR_US / (int64_t)rule->per_hour;
	int64_t empty = now_us + one * (int64_t)rule->burst;
	int64_t next = MAX(MIN(b->full_at_us, empty), now_us) + one;

	if (next > empty)
		return false;
	b->full_at_us = next;
	return true;
}
