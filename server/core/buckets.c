#include "server/core/buckets.h"

#include "lib/buf.h"
#include "lib/prng.h"

#define WAYS 4U /* places that an asker may have */

struct bucket {
	uint64_t asker;
	ms_t full_at;
};

struct buckets {
	struct buckets_conf c;
	size_t sets;
	struct bucket *all;
};

struct buckets *buckets_new(const struct buckets_conf *c)
{
	struct buckets *b = mem_new(sizeof *b);

	b->c = *c;
	b->sets = MAX(1, (c->slots + WAYS - 1) / WAYS);
	b->all = mem_new(b->sets * WAYS * sizeof *b->all);
	return b;
}

void buckets_free(struct buckets **b)
{
	if (*b)
		mem_free(&(*b)->all);
	mem_free(b);
}

/* The asker's place, or the one it would take. */
static struct bucket *place(const struct buckets *b, uint64_t asker)
{
	struct bucket *set = b->all + asker % b->sets * WAYS, *best = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].asker == asker)
			return &set[i];
		if (set[i].full_at < best->full_at)
			best = &set[i];
	}
	return best;
}

/* Until when the bucket would be filling if one were taken; false when it holds none. */
static bool look(const struct buckets *b, uint64_t asker, ms_t now, ms_t *out_full, ms_t *out_wait)
{
	const struct bucket *at = place(b, asker);
	ms_t full = at->asker == asker ? MAX(at->full_at, now) : now;
	ms_t depth = b->c.interval * (ms_t)MAX(b->c.burst, 1);

	*out_full = full + b->c.interval;
	*out_wait = MAX(*out_full - now - depth, 0);
	return *out_wait == 0;
}

bool buckets_has(const struct buckets *b, struct str asker, ms_t now, ms_t *out_wait)
{
	ms_t full;

	*out_wait = 0;
	return b->c.interval == 0 ||
	       look(b, hash64(b->c.seed, asker.p, asker.n), now, &full, out_wait);
}

bool buckets_take(struct buckets *b, struct str asker, ms_t now, ms_t *out_wait)
{
	uint64_t id = hash64(b->c.seed, asker.p, asker.n);
	ms_t full;

	*out_wait = 0;
	if (b->c.interval == 0)
		return true;
	if (!look(b, id, now, &full, out_wait))
		return false;
	*place(b, id) = (struct bucket){id, full};
	return true;
}
