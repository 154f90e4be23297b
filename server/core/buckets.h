/* Who asks too often: a token bucket for each of many askers in bounded memory. A bucket is one
 * number, the time at which it would be full again (the "virtual scheduling" form of the generic
 * cell rate algorithm, ITU-T I.371), so a full bucket needs no place at all. When more askers are
 * busy than there is room for, the one that is nearest to full is forgotten: that lets an asker
 * through too early, never keeps one out. */
#ifndef SERVER_CORE_BUCKETS_H
#define SERVER_CORE_BUCKETS_H

#include "lib/str.h"

struct buckets_conf {
	unsigned burst; /* at once */
	ms_t interval;  /* in which one more may come; 0: no limit */
	unsigned slots; /* askers that are remembered, at least; 16 bytes each */
	uint64_t seed;  /* secret, so that nobody can choose names that share a place */
};

struct buckets;
struct buckets *buckets_new(const struct buckets_conf *c);
void buckets_free(struct buckets **b);

/* Takes one token of the asker. False, and how long to wait for the next, when there is none. `now`
 * is monotonic. */
bool buckets_take(struct buckets *b, struct str asker, ms_t now, ms_t *out_wait);
/* The same without taking. */
bool buckets_has(const struct buckets *b, struct str asker, ms_t now, ms_t *out_wait);

#endif
