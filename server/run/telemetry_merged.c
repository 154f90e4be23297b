#include "server/run/telemetry.h"

#include <string.h>

/* The rows of one key and layer as they come, summed until another begins. */
struct merging {
	bool has;
	struct agg_key key;
	struct aggregate sum;
	telemetry_merged_f *each;
	void *ctx;
};

static int hand_over(struct merging *m, struct err *e)
{
	int rc = m->has ? m->each(m->ctx, &m->key, &m->sum, e) : 0;

	aggregate_fini(&m->sum);
	m->has = false;
	return rc;
}

static int merge_row(void *ctx, const struct agg_key *k, const struct aggregate *a, struct err *e)
{
	struct merging *m = ctx;

	if (m->has && (m->key.layer != k->layer || strcmp(m->key.key, k->key) != 0))
		TRY(hand_over(m, e));
	m->has = true;
	m->key = *k;
	aggregate_merge(&m->sum, a);
	return 0;
}

int telemetry_merged(struct db *db, const struct sha256 *release, enum agg_part part, ms_t from,
	ms_t to, telemetry_merged_f *each, void *ctx, struct err *e)
{
	struct merging m = {.each = each, .ctx = ctx};
	int rc = aggregates_each(db, release, part, from, to, merge_row, &m, e);

	if (rc == 0)
		rc = hand_over(&m, e);
	aggregate_fini(&m.sum);
	return rc;
}
