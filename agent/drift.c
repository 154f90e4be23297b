/* Drift against training data is told, in a soak and at rest, and never acted upon here. */
#include <math.h>
#include <string.h>

#include "agent/agent_priv.h"
#include "proto/trust/digest.h"

/* The histogram that it is compared with, by what it says: the same edges and counts have the same
 * digest on every device. */
static void reference_of(const struct trig_rule *r, const struct trig_state *s, struct sha256 *out)
{
	const uint32_t *bins = r->comparator == TRIG_CMP_TRAINING ? r->count : s->bin;
	BUF_AUTO text = {0};

	buf_addf(&text, "%s", r->metric);
	for (unsigned i = 0; i < r->n_edges; i++)
		buf_addf(&text, " %lld", llround(r->edge[i] * 1e6));
	for (unsigned i = 0; i <= r->n_edges; i++)
		buf_addf(&text, " %u", bins[i]);
	digest_of(text.p, text.n, out);
}

static uint64_t milli(double v)
{
	return isfinite(v) && v > 0 && v < 1e9 ? (uint64_t)llround(v * 1000) : 0;
}

void drift_tell(struct agent *a, const struct sha256 *release, const struct trig_rule *r,
	const struct trig_state *s, bool *io_told)
{
	struct telemetry_item t = {.kind = TELEMETRY_DRIFT, .at = agent_wall(a)};
	struct telemetry_drift *d = &t.drift;

	if (*io_told || !a->telemetry.queue)
		return;
	*io_told = true;
	d->release = *release;
	memcpy(d->metric, r->metric, sizeof d->metric);
	d->value_milli = milli(s->last);
	d->threshold_milli = milli(trig_limit(r, s));
	d->samples = s->last_n;
	d->to = t.at;
	d->from = MAX(1, t.at - r->window * (ms_t)r->hold_m);
	reference_of(r, s, &d->reference);
	telemetry_put(a, &t, 1);
}
