#include "server/sim/sim.h"

#include <string.h>

#include "server/sim/sim_priv.h"

#define PPM  1000000U
#define YEAR MINUTE(365LL * 24 * 60)

static void sim_fini(struct sim *m)
{
	queue_fini(&m->queue);
	mem_free(&m->v);
}

ms_t sim_within(struct sim *m, ms_t span)
{
	return span > 0 ? (ms_t)prng_below(&m->random, (uint64_t)span) : 0;
}

bool sim_happens(struct sim *m, uint32_t ppm)
{
	return prng_below(&m->random, PPM) < ppm;
}

void sim_at(struct sim *m, ms_t when, uint32_t device, enum what what)
{
	queue_put(&m->queue, (struct moment){when, device, what});
}

static bool lets_in(const struct sim *m)
{
	return m->s.phase == WAVE_FIRST || m->s.phase == WAVE_OPEN;
}

/* Devices ask all the time; what they ask while nobody is let in changes nothing and is left out.
 * So each begins to ask within one interval of the moment from which it might be heard. */
static void wake_askers(struct sim *m, ms_t from)
{
	for (uint32_t i = 0; i < m->s.open_to; i++) {
		if (m->v[i].state != RECIPIENT_WAITING || m->v[i].asking)
			continue;
		m->v[i].asking = true;
		sim_at(m, from + sim_within(m, m->c->poll), i, ASKS);
	}
}

/* ---- what the engine says ---- */

static void order_back(struct sim *m)
{
	for (uint32_t i = 0; i < m->s.recipients; i++) {
		enum recipient_state *s = &m->v[i].state;

		if (*s != RECIPIENT_ADMITTED && *s != RECIPIENT_COMMITTED && *s != RECIPIENT_SILENT)
			continue;
		if (*s != RECIPIENT_SILENT)
			sim_at(m, m->now + sim_within(m, m->c->poll) + m->c->update_min, i,
				IS_BACK);
		*s = RECIPIENT_ORDERED_BACK;
	}
}

static void note(struct sim *m)
{
	m->r.steps++;
	m->r.trace = hash64(m->r.trace, &m->s.phase, sizeof m->s.phase);
	m->r.trace = hash64(m->r.trace, &m->s.all, sizeof m->s.all);
	m->r.trace = hash64(m->r.trace, &m->now, sizeof m->now);
}

int sim_step(struct sim *m, struct wave_event ev, struct err *e)
{
	struct wave_state was = m->s;

	ev.now = m->now;
	TRY(wave_step(m->c->policy, &m->s, &ev, &m->s, &m->acts, e));
	if (m->s.rev == was.rev)
		return 0;
	note(m);
	for (unsigned i = 0; i < m->acts.n; i++)
		if (m->acts.v[i].kind == WACT_ADMIT)
			device_begin(m, ev.position);
		else if (m->acts.v[i].kind == WACT_ROLL_BACK)
			order_back(m);
	if (m->s.wave != was.wave || was.phase == WAVE_DRAFT)
		device_watch_all(m);
	if (lets_in(m) && (m->s.phase != was.phase || m->s.open_to != was.open_to))
		wake_askers(m, m->now);
	if (m->s.phase == WAVE_HOLD && m->s.hold == WAVE_HOLD_APPROVAL && !m->approve_at)
		m->approve_at = m->now + m->c->approve_after;
	return 0;
}

static int move(struct sim *m, uint32_t i, enum recipient_state is, struct err *e)
{
	struct wave_event ev = {
		.kind = WEV_MOVED, .position = i, .was = m->v[i].state, .is = is, .who = "device"};

	m->v[i].state = is;
	m->r.failed += is == RECIPIENT_REVERTED || is == RECIPIENT_SILENT;
	return sim_step(m, ev, e);
}

/* ---- what devices do ---- */

/* Refused: it asks again, after a freeze when there is one. */
static int ask(struct sim *m, uint32_t i, struct err *e)
{
	unsigned which;
	ms_t again = m->now + m->c->poll, until;

	m->v[i].asking = false;
	if (m->v[i].state != RECIPIENT_WAITING || !lets_in(m) || i >= m->s.open_to)
		return 0;
	if (device_is_away(m, i, &until))
		again = until + sim_within(m, m->c->poll);
	else if (wave_admits(m->c->policy, &m->s, i, m->now))
		return sim_step(
			m, (struct wave_event){.kind = WEV_ASK, .position = i, .who = "device"}, e);
	else if (wave_is_frozen(m->c->policy, &m->s, m->now, &which, &until))
		again = until + sim_within(m, m->c->poll);
	m->v[i].asking = true;
	sim_at(m, again, i, ASKS);
	return 0;
}

/* Whoever was ordered back meanwhile does not end what it had begun; whoever was taken for silent
 * may be heard of again. */
static int happen(struct sim *m, const struct moment *x, struct err *e)
{
	static const struct {
		enum recipient_state was, or_was, is;
	} moves[] = {
		[COMMITS] = {RECIPIENT_ADMITTED, RECIPIENT_SILENT, RECIPIENT_COMMITTED},
		[GOES_BACK] = {RECIPIENT_ADMITTED, RECIPIENT_SILENT, RECIPIENT_REVERTED},
		[FALLS_SILENT] = {RECIPIENT_ADMITTED, RECIPIENT_ADMITTED, RECIPIENT_SILENT},
		[IS_BACK] = {RECIPIENT_ORDERED_BACK, RECIPIENT_ORDERED_BACK, RECIPIENT_BACK},
	};
	enum recipient_state was = m->v[x->device].state;

	if (x->what == ASKS)
		return ask(m, x->device, e);
	if (x->what == WATCHES)
		return device_watched(m, x->device, e);
	if (was != moves[x->what].was && was != moves[x->what].or_was)
		return 0;
	return move(m, x->device, moves[x->what].is, e);
}

/* ---- the course ---- */

static int approve(struct sim *m, struct err *e)
{
	m->approve_at = 0;
	if (m->s.phase != WAVE_HOLD)
		return 0;
	return sim_step(
		m, (struct wave_event){.kind = WEV_APPROVE, .who = "ann", .text = "planned"}, e);
}

static void earlier(ms_t *least, ms_t t)
{
	if (t && (!*least || t < *least))
		*least = t;
}

/* One moment; *out_more is false when nothing would ever happen again. */
static int advance(struct sim *m, bool *out_more, struct err *e)
{
	const struct moment *first = queue_first(&m->queue);
	ms_t next = 0;
	struct moment x;

	earlier(&next, first ? first->at : 0);
	earlier(&next, m->s.wake_at);
	earlier(&next, m->approve_at);
	*out_more = next != 0;
	if (!next)
		return 0;
	m->now = MAX(m->now, next);
	if (m->approve_at && m->approve_at <= m->now)
		return approve(m, e);
	if (m->s.wake_at && m->s.wake_at <= m->now)
		return sim_step(m, (struct wave_event){.kind = WEV_TICK, .who = "server"}, e);
	x = *first;
	queue_take(&m->queue);
	return happen(m, &x, e);
}

static bool is_at_its_end(const struct sim *m)
{
	return m->c->until_wave && m->s.wave >= m->c->until_wave;
}

/* For a person who does not come, and no device would still change anything. */
static bool waits_for_people(const struct sim *m)
{
	return m->s.phase == WAVE_HOLD && m->s.hold != WAVE_HOLD_APPROVAL &&
	       !m->s.all.n[RECIPIENT_ADMITTED] && !m->s.judge.asked;
}

static bool is_decided(const struct sim *m)
{
	return is_at_its_end(m) || wave_is_over(m->s.phase) || m->s.phase == WAVE_ROLLING_BACK ||
	       waits_for_people(m);
}

static enum sim_end end_of(const struct sim *m)
{
	if (m->s.phase == WAVE_DONE || is_at_its_end(m))
		return SIM_DONE;
	if (m->s.phase == WAVE_ROLLING_BACK || m->s.phase == WAVE_HALTED)
		return SIM_ABORTED;
	return m->s.phase == WAVE_HOLD ? SIM_ASKS : SIM_TOO_LONG;
}

static int check(const struct sim_conf *c, struct err *e)
{
	if (!c->policy->n_waves || !c->devices || c->poll <= 0 || c->update_min < 0 ||
		c->update_max < c->update_min || c->watch < 0 || c->watch > c->update_min ||
		c->begin <= 0)
		return err_set(e, ERR_BAD_INPUT, "a simulation without waves, devices or time");
	if (c->fail > PPM || c->silent > PPM || c->usual > PPM || c->sick > PPM ||
		c->trouble.share > PPM)
		return err_set(e, ERR_BAD_INPUT, "a share is more than all of it");
	if (c->policy->control.share && c->watch <= 0)
		return err_set(e, ERR_BAD_INPUT, "a control group that is never watched");
	return 0;
}

static int run(struct sim *m, struct err *e)
{
	ms_t horizon = m->c->begin + (m->c->horizon ? m->c->horizon : YEAR);
	bool more = true;

	wave_init(&m->s);
	TRY(sim_step(m,
		(struct wave_event){.kind = WEV_START, .recipients = m->c->devices, .who = "ann"},
		e));
	while (more && !is_decided(m) && m->now < horizon)
		TRY(advance(m, &more, e));
	m->r.end = end_of(m);
	m->r.took = m->now - m->c->begin;
	m->r.wave = m->s.wave;
	m->r.by = m->s.judge.by;
	m->r.hold = m->s.hold;
	return 0;
}

int sim_campaign(const struct sim_conf *c, struct sim_result *out, struct err *e)
{
	struct sim m CLEANUP(sim_fini) = {.c = c, .random = {c->seed}, .now = c->begin};

	TRY(check(c, e));
	m.v = mem_new(c->devices * sizeof *m.v);
	memset(m.v, 0, c->devices * sizeof *m.v);
	TRY(run(&m, e));
	*out = m.r;
	return 0;
}

const char *sim_end_name(enum sim_end end)
{
	static const char *const names[SIM_END_MAX] = {
		[SIM_DONE] = "done",
		[SIM_ABORTED] = "aborted",
		[SIM_ASKS] = "asks people",
		[SIM_TOO_LONG] = "not over within the horizon",
	};

	return end < SIM_END_MAX ? names[end] : "?";
}
