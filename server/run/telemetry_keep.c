/* What is kept of telemetry, and for how long. A tick does a little, so that polls are answered in
 * between, and nothing at all when nothing is due. */
#include "server/repo/items.h"
#include "server/run/run_priv.h"
#include "server/run/telemetry.h"

#define ITEMS_A_TICK 1000U
#define ROWS_A_TICK  64U

static int prune_shelf(
	struct run *r, enum items_shelf shelf, ms_t keep, uint64_t rows, struct err *e)
{
	ms_t before = run_now(r) - keep;
	struct items_shelf_view v;

	TRY(items_look(r->c.db, shelf, &v, e));
	if (!v.rows || (v.oldest >= before && v.rows <= rows))
		return 0;
	TRY(run_begin(r, e));
	return run_end(r, items_prune(r->c.db, shelf, before, rows, ITEMS_A_TICK, e), e);
}

static int fold(struct run *r, const struct agg_key *fine, struct err *e)
{
	struct agg_key coarse = *fine;
	AGGREGATE_AUTO a = {0}, sum = {0};

	coarse.span = TELEMETRY_COARSE;
	coarse.at -= coarse.at % TELEMETRY_COARSE;
	TRY(aggregates_get(r->c.db, fine, &a, e));
	TRY(aggregates_get(r->c.db, &coarse, &sum, e));
	aggregate_merge(&sum, &a);
	TRY(aggregates_remove(r->c.db, fine, e));
	return aggregates_put(r->c.db, &coarse, &sum, e);
}

static int forget(struct run *r, const struct agg_key *k, struct err *e)
{
	return aggregates_remove(r->c.db, k, e);
}

typedef int old_f(struct run *r, const struct agg_key *k, struct err *e);

static int do_all(struct run *r, const struct agg_key *v, unsigned n, old_f *what, struct err *e)
{
	for (unsigned i = 0; i < n; i++)
		TRY(what(r, &v[i], e));
	return 0;
}

static int with_old(struct run *r, ms_t span, ms_t keep, old_f *what, struct err *e)
{
	struct agg_key old[ROWS_A_TICK];
	unsigned n;

	TRY(aggregates_oldest(r->c.db, span, run_now(r) - keep - span, old, ROWS_A_TICK, &n, e));
	if (!n)
		return 0;
	TRY(run_begin(r, e));
	return run_end(r, do_all(r, old, n, what, e), e);
}

int telemetry_tick(struct run *r, struct err *e)
{
	const struct telemetry_conf *c = r->c.telemetry ? r->c.telemetry : &telemetry_usual;

	TRY(prune_shelf(r, ITEMS_WINDOWS, c->window_keep, c->window_rows, e));
	TRY(prune_shelf(r, ITEMS_EVENTS, c->event_keep, c->event_rows, e));
	TRY(with_old(r, TELEMETRY_FINE, c->fine_keep, fold, e));
	return with_old(r, TELEMETRY_COARSE, c->coarse_keep, forget, e);
}
