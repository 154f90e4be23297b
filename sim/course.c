#include "sim/course_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_EVERY 65536
#define DRAIN      MINUTE(60LL * 24 * 30) /* what devices have begun may take so long to end */

/* ---- chance and time ---- */

void course_at(struct course *m, ms_t when, uint32_t device, enum what what, uint32_t gen)
{
	queue_put(&m->queue, (struct moment){when, device, what | gen << WHAT_BITS});
}

void course_note(struct course *m, uint32_t a, uint32_t b, uint32_t c)
{
	const uint64_t row[] = {(uint64_t)m->now, (uint64_t)a << 32 | b, c};

	m->r.trace = hash64(m->r.trace, row, sizeof row);
}

ms_t course_within(struct course *m, ms_t span)
{
	return span > 0 ? (ms_t)prng_below(&m->random, (uint64_t)span) : 0;
}

ms_t course_spread(struct course *m, ms_t mean)
{
	double u = (double)((prng_next(&m->random) >> 11) + 1) * 0x1p-53;

	return 1 + (ms_t)(-log(u) * (double)mean);
}

bool course_happens(struct course *m, uint32_t ppm)
{
	return ppm && prng_below(&m->random, PPM) < ppm;
}

uint64_t course_trait(const struct course *m, uint32_t device, uint32_t which)
{
	const uint32_t key[] = {device, which};

	return hash64(m->c->seed, key, sizeof key);
}

/* ---- moments ---- */

static void change_weather(struct course *m, uint32_t which)
{
	const struct scenario_weather *w = &m->sc->weather[which];
	bool begins = m->now < m->sc->begin + w->at + w->span;
	ms_t jump = w->what == WEATHER_CLOCK_AHEAD ? w->amount : -(ms_t)w->amount;

	m->weather = begins ? m->weather | 1U << which : m->weather & ~(1U << which);
	if (!begins)
		return;
	for (uint32_t i = 0; i < m->n; i++) {
		if (!kind_is_hit(m, i, which))
			continue;
		if (w->what == WEATHER_CLOCK_AHEAD || w->what == WEATHER_CLOCK_BACK)
			m->v[i].clock += jump;
		course_note(m, i, AT_WEATHER, which);
		if (w->what == WEATHER_POWER && m->v[i].trial && !m->v[i].trial->off_since)
			twin_cut(m, i, w->span);
	}
}

static bool is_of_power(enum what what)
{
	return what == AT_CUT || what == AT_UP;
}

/* Of a work, a timer or a power supply that is no more. */
static bool is_history(const struct course *m, const struct moment *x, enum what what)
{
	const struct twin *w = &m->v[x->device];
	uint32_t gen = x->what >> WHAT_BITS;

	if (is_of_power(what))
		return !w->trial || (gen & 0xffff) != w->boots;
	if (what == AT_WORK || what == AT_WAKE)
		return !w->trial || gen != (w->trial->gen & 0xffffff);
	return false;
}

static int of_device(struct course *m, uint32_t device, enum what what, struct err *e)
{
	const struct twin *w = &m->v[device];
	struct upd_event ev;

	switch (what) {
	case AT_WORK:
		return deed_done(m, device, e);
	case AT_WAKE:
		ev = twin_event(m, device, UEV_TICK);
		return twin_tell(m, device, &ev, e);
	case AT_CUT:
		m->r.cuts++;
		twin_cut(m, device, course_spread(m, m->kinds[w->kind].group->off_for));
		return 0;
	case AT_UP:
		return twin_up(m, device, e);
	case AT_SEND:
		return office_send(m, device, e);
	case AT_POLL:
		return office_poll(m, device, e);
	case AT_AGAIN:
		return w->trial || twin_runs_new(w) || w->ordered_back
			       ? 0
			       : twin_desire(m, device, false, e);
	case AT_SILENCE:
		return office_silence(m, device, e);
	case AT_WATCH:
		return control_look(m, device, e);
	case AT_JOIN:
		office_join(m, device);
		if (!m->ask_at)
			office_plan_ask(m);
		return 0;
	default:
		return 0;
	}
}

static int happen(struct course *m, const struct moment *x, struct err *e)
{
	enum what what = x->what & ((1U << WHAT_BITS) - 1);

	if (what == AT_WEATHER) {
		change_weather(m, x->device);
		return 0;
	}
	if (what == AT_ORDER)
		return office_order(m, x->device, e);
	return is_history(m, x, what) ? 0 : of_device(m, x->device, what, e);
}

/* ---- the course ---- */

static void earlier(ms_t *least, ms_t t)
{
	if (t && (!*least || t < *least))
		*least = t;
}

static void tick(struct course *m)
{
	uint32_t ended = m->n - m->counts[RECIPIENT_WAITING] - m->counts[RECIPIENT_ADMITTED] -
			 m->counts[RECIPIENT_ORDERED_BACK];

	if (m->r.events++ % TICK_EVERY == 0 && m->c->tick)
		m->c->tick(m->c->ctx, ended, m->n, m->now - m->sc->begin);
}

/* One moment; *out_more is false when nothing would ever happen again. */
static int advance(struct course *m, bool *out_more, struct err *e)
{
	const struct moment *first = queue_first(&m->queue);
	ms_t wake = m->over && wave_is_over(m->s.phase) ? 0 : m->s.wake_at, next = 0;
	struct moment x;

	earlier(&next, first ? first->at : 0);
	earlier(&next, wake);
	earlier(&next, m->approve_at);
	earlier(&next, m->ask_at);
	*out_more = next != 0;
	if (!next)
		return 0;
	m->now = MAX(m->now, next);
	tick(m);
	if (m->approve_at && m->approve_at <= m->now)
		return office_approve(m, e);
	if (wake && wake <= m->now)
		return office_step(m, (struct wave_event){.kind = WEV_TICK, .who = "server"}, e);
	if (m->ask_at && m->ask_at <= m->now)
		return office_ask(m, e);
	x = *first;
	queue_take(&m->queue);
	return happen(m, &x, e);
}

/* ---- how it ends ---- */

static bool waits_for_people(const struct course *m)
{
	return m->s.phase == WAVE_HOLD && m->s.hold == WAVE_HOLD_JUDGE && !m->approve_at;
}

static unsigned end_of(const struct course *m)
{
	bool stopped = m->s.phase == WAVE_HALTED || m->s.phase == WAVE_ROLLING_BACK;

	if (m->s.phase == WAVE_DONE)
		return END_DONE;
	if (stopped)
		return m->stopped ? END_STOPPED : END_ABORTED;
	return m->s.phase == WAVE_HOLD ? END_ASKS : END_TOO_LONG;
}

static void look_whether_over(struct course *m)
{
	if (m->over)
		return;
	m->over = wave_is_over(m->s.phase) || m->s.phase == WAVE_ROLLING_BACK ||
		  waits_for_people(m) || m->now - m->sc->begin > m->sc->horizon;
	if (!m->over)
		return;
	m->over_at = m->now;
	m->r.end = end_of(m);
	m->r.took = m->now - m->sc->begin;
	m->r.wave = m->s.wave;
	m->r.by = m->s.judge.by;
}

static int by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sum_up(struct course *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		m->r.left += !m->v[i].dead && twin_runs_new(&m->v[i]);
	m->r.reverted = m->s.all.n[RECIPIENT_REVERTED];
	m->r.failed = m->s.all.n[RECIPIENT_FAILED];
	if (m->n_mends) {
		qsort(m->mends, m->n_mends, sizeof *m->mends, by_size);
		m->r.mend_median = SEC(m->mends[m->n_mends / 2]);
	}
	m->r.bytes = m->n * (sizeof *m->v + sizeof *m->asking) + m->queue.cap * sizeof *m->queue.v +
		     m->trials_most * (sizeof(struct trial) +
					      m->sc->n_triggers * sizeof(struct trig_window));
}

/* ---- beginning and ending ---- */

static void course_fini(struct course *m)
{
	for (uint32_t i = 0; i < m->c->devices; i++) {
		control_fini(&m->v[i]);
		free(m->v[i].trial);
		mem_free(&m->v[i].quarantine);
	}
	queue_fini(&m->queue);
	kind_fini(m);
	mem_free(&m->v);
	mem_free(&m->asking);
	mem_free(&m->mends);
}

static void begin(struct course *m)
{
	m->n = m->c->devices;
	m->v = mem_new(m->n * sizeof *m->v);
	m->asking = mem_new(m->n * sizeof *m->asking);
	memset(m->v, 0, m->n * sizeof *m->v);
	for (uint32_t i = 0; i < m->n; i++) {
		m->v[i].hold[0] = HOLDS_OLD;
		m->v[i].floor = 1;
		m->v[i].director_seen = 1;
	}
	kind_all(m);
	for (unsigned i = 0; i < m->sc->n_weather; i++) {
		const struct scenario_weather *w = &m->sc->weather[i];

		course_at(m, m->now + w->at, i, AT_WEATHER, 0);
		course_at(m, m->now + w->at + w->span, i, AT_WEATHER, 0);
	}
	for (unsigned i = 0; i < m->sc->n_orders; i++)
		course_at(m, m->now + m->sc->orders[i].at, i, AT_ORDER, 0);
}

static int run(struct course *m, struct err *e)
{
	bool more = true;

	begin(m);
	TRY(office_begin(m, e));
	while (more && (!m->over || m->now - m->over_at < DRAIN)) {
		look_whether_over(m);
		TRY(advance(m, &more, e));
	}
	look_whether_over(m);
	if (!m->over)
		m->r.end = end_of(m);
	law_end(m);
	sum_up(m);
	return 0;
}

int course_run(const struct course_conf *c, struct course_result *out, struct err *e)
{
	struct course m CLEANUP(course_fini) = {.c = c,
		.sc = c->scenario,
		.p = c->policy,
		.random = {c->seed},
		.now = c->scenario->begin};
	int rc;

	if (!c->policy->n_waves || !c->devices) {
		m.c = &(const struct course_conf){0};
		return err_set(e, ERR_BAD_INPUT, "a simulation without waves or devices");
	}
	rc = scenario_bounded(c->scenario, c->devices, e);
	if (rc < 0)
		m.c = &(const struct course_conf){0};
	else
		rc = run(&m, e);
	if (rc < 0)
		return rc;
	*out = m.r;
	return 0;
}

/* ---- what a scenario expects ---- */

static const char *too_many(uint32_t is, uint32_t most, const char *what, char *out, size_t cap)
{
	if (is <= most)
		return NULL;
	snprintf(out, cap, "%u %s, at most %u expected", is, what, most);
	return out;
}

const char *course_differs(
	const struct scenario *s, const struct course_result *r, char *out, size_t cap)
{
	const struct scenario_expect *x = &s->expect;
	const char *said = NULL;

	if (!x->on)
		return NULL;
	if (r->end != x->end) {
		snprintf(out, cap, "%s, expected %s", scenario_end_name(r->end),
			scenario_end_name(x->end));
		return out;
	}
	said = too_many(r->had_it, x->had_it, "had it", out, cap);
	if (!said)
		said = too_many(
			r->bad_committed, x->bad_committed, "accepted what is bad there", out, cap);
	if (!said)
		said = too_many(r->bricked, x->bricked, "are gone for good", out, cap);
	if (!said)
		said = too_many(
			r->false_rollbacks, x->false_rollbacks, "went back for nothing", out, cap);
	return said;
}

const char *course_mistake_text(enum course_mistake m)
{
	static const char *const texts[] = {
#define X(id, text) text,
		COURSE_MISTAKES(X)
#undef X
	};

	return m < COURSE_MISTAKE_MAX ? texts[m] : "?";
}
