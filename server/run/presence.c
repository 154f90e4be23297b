#include "server/run/presence.h"

#include "server/repo/presence.h"
#include "server/run/run_priv.h"

static int take_all(struct run *r, const struct presence_news *v, unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++)
		TRY(presence_put(r->c.db, v[i].device, v[i].online, run_now(r), e));
	return 0;
}

int presence_take(struct run *r, const struct presence_news *v, unsigned n, struct err *e)
{
	TRY(run_begin(r, e));
	return run_end(r, take_all(r, v, n, e), e);
}
