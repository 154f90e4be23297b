#include "server/run/totals.h"

#include <stdlib.h>

void totals_init(struct totals *t)
{
	*t = (struct totals){0};
}

void totals_fini(struct totals *t)
{
	for (unsigned i = 0; i < t->n; i++)
		aggregate_fini(&t->v[i].sum);
	free(t->v);
	totals_init(t);
}

static struct total *stalest(const struct totals *t)
{
	struct total *found = &t->v[0];

	for (unsigned i = 1; i < t->n; i++)
		if (t->v[i].heard < found->heard)
			found = &t->v[i];
	return found;
}

static struct total *place_for(struct totals *t)
{
	struct total *place;

	if (t->n == TOTALS_MAX) {
		place = stalest(t);
		aggregate_fini(&place->sum);
		return place;
	}
	t->v = mem_resize(t->v, (t->n + 1) * sizeof *t->v);
	return &t->v[t->n++];
}

static struct total *total_of(struct totals *t, const struct agg_key *k, ms_t now)
{
	struct total *place;

	for (unsigned i = 0; i < t->n; i++)
		if (t->v[i].layer == k->layer && sha256_eq(&t->v[i].release, &k->release))
			return &t->v[i];
	place = place_for(t);
	*place = (struct total){.release = k->release, .layer = k->layer, .since = now};
	return place;
}

void totals_take(struct totals *t, const struct gain *more, ms_t now)
{
	for (unsigned i = 0; i < more->n; i++) {
		const struct gain_row *row = &more->v[i];
		struct total *total;

		if (row->key.part != AGG_PART_ALL)
			continue;
		total = total_of(t, &row->key, now);
		total->heard = now;
		aggregate_merge(&total->sum, &row->more);
	}
}
