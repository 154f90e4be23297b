#include "server/core/lease.h"

#define AGAIN_MIN SEC(2)  /* one that ends just now is not asked for in a loop */
#define AGAIN_MAX SEC(30) /* most are given back before their time */

void lease_eval(
	const struct policy_disruption *d, const struct lease_case *c, struct lease_verdict *out)
{
	ms_t most = d->max ? d->lease : (ms_t)LIMIT_SPAN_MS;
	ms_t left = c->ends_first - c->now;

	*out = (struct lease_verdict){.granted = !d->max || c->holds || c->taken < d->max};
	if (out->granted)
		out->until = c->now + MAX(1, MIN(c->need, most));
	else
		out->again = MAX(AGAIN_MIN, MIN(left, AGAIN_MAX));
}
