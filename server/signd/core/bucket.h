/* A budget over time: so many at once, and so many more an hour. Pure; part of the state that
 * survives a restart. As in server/core/buckets.h it is one number, the time at which it would be
 * full again. */
#ifndef SERVER_SIGND_CORE_BUCKET_H
#define SERVER_SIGND_CORE_BUCKET_H

#include "lib/util.h"

struct bucket {
	int64_t full_at_us; /* since 1970; in the past: full */
};

struct bucket_rule {
	uint64_t burst;    /* at once, [1, 10^6] */
	uint64_t per_hour; /* [1, 10^9] */
};

/* Takes one out, or says false and changes nothing. A clock that is set back finds a bucket that is
 * at worst empty. */
bool bucket_take(struct bucket *b, const struct bucket_rule *rule, ms_t now);

#endif
