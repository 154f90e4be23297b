#include "server/run/rouse.h"

#include "lib/prng.h"

#define AT_ONCE 1000U

struct found {
	struct run *run;
	bool any;
};

static bool lets_in(const struct run *r, const struct campaign_row *c, const struct wave_state *s)
{
	unsigned which;
	ms_t until;

	return (s->phase == WAVE_FIRST || s->phase == WAVE_OPEN) && !s->paused &&
	       !wave_is_frozen(&c->policy, s, run_now(r), &which, &until);
}

/* How many could be let in, as far as the wave's own limits go. */
static uint32_t room(const struct campaign_row *c)
{
	const struct wave_state *s = &c->wave;
	uint32_t parallel = c->policy.waves[s->wave].parallel, busy = s->all.n[RECIPIENT_ADMITTED];

	if (s->phase == WAVE_FIRST)
		return busy ? 0 : 1;
	if (c->policy.waves[s->wave].rate_count)
		return 1;
	if (!parallel)
		return AT_ONCE;
	return busy < parallel ? MIN(parallel - busy, AT_ONCE) : 0;
}

static bool has_opened(const struct wave_state *was, const struct wave_state *is)
{
	return is->phase != was->phase || is->open_to != was->open_to ||
	       was->paused != is->paused || was->thawed != is->thawed;
}

static int wake_one(void *ctx, const struct recipient_row *rec, struct err *e UNUSED)
{
	run_wake(ctx, rec->device.s);
	return 0;
}

/* The same, and says so. */
static int wake_found(void *ctx, const struct recipient_row *rec, struct err *e)
{
	struct found *f = ctx;

	f->any = true;
	return wake_one(f->run, rec, e);
}

/* One that has ended makes room for another one. Where the search for it begins changes each time,
 * so that somebody who is away is not woken again and again in place of others. */
static int wake_another(struct run *r, const struct campaign_row *c, struct err *e)
{
	uint32_t to = c->wave.open_to;
	uint32_t from = (uint32_t)(hash64(c->wave.rev, c->id.s, sizeof c->id.s) % to);

	struct found f = {.run = r};

	TRY(recipients_each_waiting(r->c.db, c->id.s, from, to, 1, wake_found, &f, e));
	if (f.any)
		return 0;
	return recipients_each_waiting(r->c.db, c->id.s, 0, from, 1, wake_one, r, e);
}

int rouse_waiting(struct run *r, const struct campaign_row *c, const struct wave_state *was,
	enum wave_ev_kind event, struct err *e)
{
	const struct wave_state *s = &c->wave;
	uint32_t n;

	if (!r->c.wake || !lets_in(r, c, s) || !s->open_to)
		return 0;
	n = room(c);
	if (!n)
		return 0;
	if (has_opened(was, s))
		return recipients_each_waiting(r->c.db, c->id.s, 0, s->open_to, n, wake_one, r, e);
	return event == WEV_MOVED && c->policy.waves[s->wave].parallel ? wake_another(r, c, e) : 0;
}
