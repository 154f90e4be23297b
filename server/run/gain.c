#include "server/run/gain.h"

#include <stdio.h>
#include <stdlib.h>

void gain_init(struct gain *t)
{
	*t = (struct gain){0};
}

void gain_fini(struct gain *t)
{
	for (unsigned i = 0; i < t->n; i++)
		aggregate_fini(&t->v[i].more);
	free(t->v);
	gain_init(t);
}

/* Windows that come together are mostly of the same release and time: the newest row first. */
static struct gain_row *row_of(struct gain *t, const struct agg_key *k)
{
	for (unsigned i = t->n; i > 0; i--)
		if (agg_key_eq(&t->v[i - 1].key, k))
			return &t->v[i - 1];
	t->v = mem_resize(t->v, (t->n + 1) * sizeof *t->v);
	t->v[t->n] = (struct gain_row){.key = *k};
	return &t->v[t->n++];
}

void gain_add(struct gain *t, const struct agg_key *k, const struct telemetry_window *w)
{
	aggregate_take(&row_of(t, k)->more, w);
}

/* What devices say of themselves must not make rows without end. */
static int bound_strata(struct db *db, struct agg_key *k, struct err *e)
{
	unsigned n;
	bool has;

	if (k->part != AGG_PART_STRATUM)
		return 0;
	TRY(aggregates_keys(db, k, &has, &n, e));
	if (!has && n >= GAIN_STRATA)
		snprintf(k->key, sizeof k->key, "%s", GAIN_OTHER);
	return 0;
}

static int save_one(const struct gain_row *row, struct db *db, struct err *e)
{
	struct agg_key k = row->key;
	AGGREGATE_AUTO a = {0};

	TRY(bound_strata(db, &k, e));
	TRY(aggregates_get(db, &k, &a, e));
	aggregate_merge(&a, &row->more);
	return aggregates_put(db, &k, &a, e);
}

int gain_save(const struct gain *t, struct db *db, struct err *e)
{
	for (unsigned i = 0; i < t->n; i++)
		TRY(save_one(&t->v[i], db, e));
	return 0;
}
