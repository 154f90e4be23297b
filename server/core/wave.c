#include "server/core/wave.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One step in the making. */
struct step {
	const struct policy *p;
	const struct wave_event *ev;
	struct wave_state s;
	struct wave_acts a;
	bool changed;
};

typedef int on_event_f(struct step *x, struct err *e);

static uint32_t ever_admitted(const struct wave_state *s)
{
	return s->recipients - s->all.n[RECIPIENT_WAITING];
}

static uint32_t failures(const struct wave_state *s)
{
	return s->all.n[RECIPIENT_REVERTED] + s->all.n[RECIPIENT_FAILED] +
	       s->all.n[RECIPIENT_SILENT];
}

PRINTF(3, 4) static void act(struct step *x, enum wave_act_kind kind, const char *fmt, ...)
{
	struct wave_act *a;
	va_list ap;

	assert(x->a.n < ARRAY_LEN(x->a.v));
	a = &x->a.v[x->a.n++];
	a->kind = kind;
	va_start(ap, fmt);
	vsnprintf(a->text, sizeof a->text, fmt, ap);
	va_end(ap);
	x->changed = true;
}

PRINTF(3, 4) static void enter(struct step *x, enum wave_phase phase, const char *fmt, ...)
{
	va_list ap;

	x->s.phase = phase;
	x->s.since = x->s.quiet_since = x->ev->now;
	if (wave_is_over(phase))
		x->s.paused = false;
	memset(x->s.why, 0, sizeof x->s.why); /* states are compared as bytes */
	va_start(ap, fmt);
	vsnprintf(x->s.why, sizeof x->s.why, fmt, ap);
	va_end(ap);
	act(x, WACT_AUDIT, "%s: %s", wave_phase_name(phase), x->s.why);
}

/* ---- waves ---- */

static bool is_last(const struct step *x)
{
	return x->s.open_to == x->s.recipients;
}

static bool is_proven(const struct step *x)
{
	return x->s.all.n[RECIPIENT_COMMITTED] > x->s.committed_before;
}

/* When the recipients of the wave that have never asked are passed over; 0: never. */
static ms_t pass_over_at(const struct step *x)
{
	if (is_last(x) || !is_proven(x) || x->s.all.n[RECIPIENT_ADMITTED] || !x->p->silence)
		return 0;
	return x->s.quiet_since + x->p->silence;
}

static bool has_ended(const struct step *x)
{
	ms_t at = pass_over_at(x);

	if (x->s.all.n[RECIPIENT_ADMITTED])
		return false;
	return x->s.open_to == ever_admitted(&x->s) || (at && at <= x->ev->now && !x->s.paused);
}

/* The first wave that adds a recipient to those that have been let in already. */
static void open_wave(struct step *x, unsigned wave)
{
	while (wave + 1 < x->p->n_waves && wave_end(x->p, x->s.recipients, wave) <= x->s.open_to)
		wave++;
	x->s.wave = wave;
	x->s.open_to = wave_end(x->p, x->s.recipients, wave);
	x->s.committed_before = x->s.all.n[RECIPIENT_COMMITTED];
}

static void leave_wave(struct step *x)
{
	if (x->s.paused && !is_last(x))
		return;
	if (is_last(x)) {
		enter(x, WAVE_DONE, "%u of %u recipients run the release",
			x->s.all.n[RECIPIENT_COMMITTED], x->s.recipients);
		return;
	}
	open_wave(x, x->s.wave + 1);
	enter(x, WAVE_OPEN, "wave %s opens, up to %u of %u recipients", x->p->waves[x->s.wave].name,
		x->s.open_to, x->s.recipients);
}

/* ---- the end of a campaign ---- */

static uint32_t order_back(struct step *x)
{
	static const enum recipient_state who[] = {
		RECIPIENT_ADMITTED, RECIPIENT_COMMITTED, RECIPIENT_SILENT};
	uint32_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(who); i++) {
		n += x->s.all.n[who[i]];
		x->s.all.n[who[i]] = 0;
	}
	x->s.all.n[RECIPIENT_ORDERED_BACK] += n;
	return n;
}

static void roll_back(struct step *x, const char *why)
{
	uint32_t n = order_back(x);

	if (!n) {
		enter(x, WAVE_HALTED, "%s; nobody has the release", why);
		return;
	}
	enter(x, WAVE_ROLLING_BACK, "%s", why);
	act(x, WACT_ROLL_BACK, "%u recipients are ordered back to what they ran before", n);
}

static void abort_campaign(struct step *x, const char *why)
{
	if (x->p->roll_back_on_abort)
		roll_back(x, why);
	else
		enter(x, WAVE_HALTED, "%s; devices keep what they have", why);
}

static bool has_too_many_failures(struct step *x, char *why, size_t cap)
{
	const uint32_t *n = x->s.all.n;

	if (failures(&x->s) <= x->p->max_failures)
		return false;
	snprintf(why, cap,
		"%u of %u recipients failed (%u went back, %u gave up, %u are silent), %u %s allowed",
		failures(&x->s), x->s.recipients, n[RECIPIENT_REVERTED], n[RECIPIENT_FAILED],
		n[RECIPIENT_SILENT], x->p->max_failures, x->p->max_failures == 1 ? "is" : "are");
	return true;
}

/* ---- what follows from the counts and the time, phase by phase ---- */

static void settle_first(struct step *x)
{
	if (x->s.all.n[RECIPIENT_COMMITTED])
		enter(x, WAVE_OPEN, "the first device has committed; wave %s opens for %u",
			x->p->waves[x->s.wave].name, x->s.open_to);
	else if (has_ended(x))
		abort_campaign(x, "no device of the first wave has accepted the release");
}

static void settle_open(struct step *x)
{
	const struct policy_wave *w = &x->p->waves[x->s.wave];

	if (!has_ended(x))
		return;
	if (!x->s.all.n[RECIPIENT_COMMITTED])
		abort_campaign(x, "no device has accepted the release");
	else if (w->soak)
		enter(x, WAVE_SOAK, "wave %s has ended, %u of %u recipients run the release",
			w->name, x->s.all.n[RECIPIENT_COMMITTED], x->s.recipients);
	else
		leave_wave(x);
}

static void settle_soak(struct step *x)
{
	if (x->ev->now - x->s.since >= x->p->waves[x->s.wave].soak &&
		!x->s.all.n[RECIPIENT_ADMITTED])
		leave_wave(x);
}

static void settle(struct step *x)
{
	static void (*const by_phase[WAVE_PHASE_MAX])(struct step *) = {
		[WAVE_FIRST] = settle_first,
		[WAVE_OPEN] = settle_open,
		[WAVE_SOAK] = settle_soak,
	};
	char why[LIMIT_TEXT / 2];

	for (enum wave_phase was = WAVE_PHASE_MAX; was != x->s.phase && by_phase[x->s.phase];) {
		was = x->s.phase;
		if (has_too_many_failures(x, why, sizeof why))
			abort_campaign(x, why);
		else
			by_phase[was](x);
	}
	if (x->s.phase == WAVE_ROLLING_BACK && !x->s.all.n[RECIPIENT_ORDERED_BACK])
		enter(x, WAVE_HALTED, "%u of %u recipients are back on what they ran before",
			x->s.all.n[RECIPIENT_BACK], x->s.recipients);
}

static ms_t next_wake(const struct step *x)
{
	if (x->s.paused)
		return 0;
	if (x->s.phase == WAVE_SOAK && !x->s.all.n[RECIPIENT_ADMITTED])
		return x->s.since + x->p->waves[x->s.wave].soak;
	return x->s.phase == WAVE_OPEN ? pass_over_at(x) : 0;
}

/* ---- events ---- */

static int on_start(struct step *x, struct err *e)
{
	if (!x->ev->recipients)
		return err_set(e, ERR_CONFLICT, "no device fits the campaign");
	if (!x->p->n_waves)
		return err_set(e, ERR_BUG, "a policy without waves");
	x->s.recipients = x->ev->recipients;
	x->s.all.n[RECIPIENT_WAITING] = x->ev->recipients;
	open_wave(x, 0);
	act(x, WACT_AUDIT, "%s started it for %u recipients in %u waves%s%s", x->ev->who,
		x->s.recipients, x->p->n_waves, *x->ev->text ? ": " : "", x->ev->text);
	if (x->p->first_alone)
		enter(x, WAVE_FIRST, "one device alone, then wave %s up to %u of %u recipients",
			x->p->waves[x->s.wave].name, x->s.open_to, x->s.recipients);
	else
		enter(x, WAVE_OPEN, "wave %s opens, up to %u of %u recipients",
			x->p->waves[x->s.wave].name, x->s.open_to, x->s.recipients);
	return 0;
}

static int on_ask(struct step *x, struct err *e)
{
	if (!x->s.all.n[RECIPIENT_WAITING])
		return err_set(e, ERR_BUG, "%s asks, but nobody waits", x->ev->who);
	if (!wave_admits(x->p, &x->s, x->ev->position))
		return 0;
	x->s.all.n[RECIPIENT_WAITING]--;
	x->s.all.n[RECIPIENT_ADMITTED]++;
	x->s.quiet_since = x->ev->now;
	act(x, WACT_ADMIT, "%s is admitted in wave %s (position %u, %u in update)", x->ev->who,
		x->p->waves[wave_of(x->p, x->s.recipients, x->ev->position)].name, x->ev->position,
		x->s.all.n[RECIPIENT_ADMITTED]);
	return 0;
}

/* Nobody is on the way back before it was ordered. */
static bool can_move(const struct step *x, enum recipient_state was, enum recipient_state is)
{
	bool is_back = is == RECIPIENT_ORDERED_BACK || is == RECIPIENT_BACK;

	return recipient_may_move(was, is) && x->s.all.n[was] &&
	       (!is_back || x->s.phase == WAVE_ROLLING_BACK || x->s.phase == WAVE_HALTED);
}

static int on_moved(struct step *x, struct err *e)
{
	const struct wave_event *ev = x->ev;

	if (!can_move(x, ev->was, ev->is))
		return err_set(e, ERR_BUG, "%s cannot go from %s to %s", ev->who,
			recipient_state_name(ev->was), recipient_state_name(ev->is));
	x->s.all.n[ev->was]--;
	x->s.all.n[ev->is]++;
	x->s.quiet_since = ev->now;
	act(x, WACT_AUDIT, "%s: %s, was %s%s%s", ev->who, recipient_state_name(ev->is),
		recipient_state_name(ev->was), *ev->text ? ": " : "", ev->text);
	settle(x);
	return 0;
}

static int on_tick(struct step *x, struct err *e UNUSED)
{
	settle(x);
	return 0;
}

static int on_pause(struct step *x, struct err *e UNUSED)
{
	if (x->s.paused)
		return 0;
	x->s.paused = true;
	act(x, WACT_AUDIT, "%s paused it%s%s", x->ev->who, *x->ev->text ? ": " : "", x->ev->text);
	return 0;
}

static int on_resume(struct step *x, struct err *e UNUSED)
{
	if (!x->s.paused)
		return 0;
	x->s.paused = false;
	x->s.quiet_since = x->ev->now;
	act(x, WACT_AUDIT, "%s resumed it%s%s", x->ev->who, *x->ev->text ? ": " : "", x->ev->text);
	settle(x);
	return 0;
}

static int on_halt(struct step *x, struct err *e UNUSED)
{
	enter(x, WAVE_HALTED, "%s halted it: %s", x->ev->who, x->ev->text);
	return 0;
}

static int on_roll_back(struct step *x, struct err *e UNUSED)
{
	char why[LIMIT_TEXT];

	snprintf(why, sizeof why, "%s ordered it back: %.*s", x->ev->who, LIMIT_TEXT / 2,
		x->ev->text);
	roll_back(x, why);
	return 0;
}

/* ---- the step ---- */

static on_event_f *const handlers[WEV_MAX] = {
	[WEV_START] = on_start,
	[WEV_ASK] = on_ask,
	[WEV_MOVED] = on_moved,
	[WEV_TICK] = on_tick,
	[WEV_PAUSE] = on_pause,
	[WEV_RESUME] = on_resume,
	[WEV_HALT] = on_halt,
	[WEV_ROLL_BACK] = on_roll_back,
};

/* Which event fits which phase: yes, it is so already, or no. */
enum fit { NO, SAME, YES };

static const enum fit fits[WAVE_PHASE_MAX][WEV_MAX] = {
	/* START, ASK, MOVED, TICK, PAUSE, RESUME, HALT, ROLL_BACK */
	[WAVE_DRAFT] = {YES, SAME, NO, SAME, NO, NO, YES, NO},
	[WAVE_FIRST] = {SAME, YES, YES, YES, YES, YES, YES, YES},
	[WAVE_OPEN] = {SAME, YES, YES, YES, YES, YES, YES, YES},
	[WAVE_SOAK] = {SAME, SAME, YES, YES, YES, YES, YES, YES},
	[WAVE_ROLLING_BACK] = {NO, SAME, YES, SAME, NO, NO, YES, SAME},
	[WAVE_HALTED] = {NO, SAME, YES, SAME, NO, NO, SAME, YES},
	[WAVE_DONE] = {NO, SAME, YES, SAME, NO, NO, NO, YES},
};

static bool keeps_the_laws(const struct step *x, const struct wave_state *was)
{
	const struct wave_state *is = &x->s;
	bool admits = x->ev->kind != WEV_START &&
		      is->all.n[RECIPIENT_WAITING] != was->all.n[RECIPIENT_WAITING];
	uint64_t sum = 0;

	for (size_t i = 0; i < RECIPIENT_STATE_MAX; i++)
		sum += is->all.n[i];
	if (sum != is->recipients || ever_admitted(is) > is->open_to || is->open_to > sum)
		return false;
	if (is->phase != WAVE_DRAFT && is->open_to > wave_end(x->p, is->recipients, is->wave) &&
		is->recipients)
		return false;
	if (admits && (was->paused || (was->phase != WAVE_FIRST && was->phase != WAVE_OPEN)))
		return false;
	return was->phase != WAVE_HALTED || is->phase == WAVE_HALTED ||
	       x->ev->kind == WEV_ROLL_BACK;
}

int wave_step(const struct policy *p, const struct wave_state *now, const struct wave_event *ev,
	struct wave_state *next, struct wave_acts *acts, struct err *e)
{
	struct step x = {.p = p, .ev = ev, .s = *now};

	assert(ev->kind < WEV_MAX && now->phase < WAVE_PHASE_MAX);
	if (fits[now->phase][ev->kind] == NO)
		return err_set(e, ev->kind == WEV_MOVED ? ERR_BUG : ERR_CONFLICT,
			"%s does not fit a campaign that is %s", wave_event_name(ev->kind),
			wave_phase_name(now->phase));
	if (fits[now->phase][ev->kind] == YES)
		TRY(handlers[ev->kind](&x, e));
	if (x.changed) {
		x.s.rev++;
		x.s.wake_at = next_wake(&x);
	}
	if (!keeps_the_laws(&x, now))
		return err_set(e, ERR_BUG, "%s would break a law of the wave engine in phase %s",
			wave_event_name(ev->kind), wave_phase_name(now->phase));
	*next = x.s;
	*acts = x.a;
	return 0;
}
