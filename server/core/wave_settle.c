#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/core/freeze.h"
#include "server/core/wave_priv.h"

uint32_t wave_ever_admitted(const struct wave_state *s)
{
	return s->recipients - s->all.n[RECIPIENT_WAITING];
}

uint32_t wave_failures(const struct wave_state *s)
{
	return s->all.n[RECIPIENT_REVERTED] + s->all.n[RECIPIENT_FAILED] +
	       s->all.n[RECIPIENT_SILENT];
}

uint32_t wave_heard(const struct wave_state *s)
{
	return s->all.n[RECIPIENT_COMMITTED] + s->all.n[RECIPIENT_REVERTED] +
	       s->all.n[RECIPIENT_FAILED];
}

void wave_act(struct step *x, enum wave_act_kind kind, const char *fmt, ...)
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

void wave_enter(struct step *x, enum wave_phase phase, const char *fmt, ...)
{
	va_list ap;

	x->s.phase = phase;
	x->s.since = x->s.quiet_since = x->ev->now;
	if (wave_is_over(phase))
		x->s.paused = false;
	if (phase != WAVE_HOLD) {
		x->s.hold = WAVE_NO_HOLD;
		memset(x->s.agreed, 0, sizeof x->s.agreed);
	}
	memset(x->s.why, 0, sizeof x->s.why); /* states are compared as bytes */
	va_start(ap, fmt);
	vsnprintf(x->s.why, sizeof x->s.why, fmt, ap);
	va_end(ap);
	wave_act(x, WACT_AUDIT, "%s: %s", wave_phase_name(phase), x->s.why);
}

/* ---- waves ---- */

bool wave_is_last(const struct step *x)
{
	return x->s.open_to == x->s.recipients;
}

static bool is_proven(const struct step *x)
{
	return x->s.all.n[RECIPIENT_COMMITTED] > x->s.committed_before;
}

/* Nobody who asked would have been let in before: freezes, and the rate. */
static ms_t could_ask_since(const struct step *x)
{
	struct freeze_view v;

	freeze_look(x->p, x->ev->now, &v);
	return MAX(x->s.next_at, v.frozen && x->ev->now >= x->s.thawed ? v.until : v.ended);
}

/* When the recipients of the wave that have never asked are passed over; 0: never. */
static ms_t pass_over_at(const struct step *x)
{
	if (wave_is_last(x) || !is_proven(x) || x->s.all.n[RECIPIENT_ADMITTED])
		return 0;
	return MAX(x->s.quiet_since, could_ask_since(x)) + wave_silence(x->p, x->s.wave);
}

static bool has_ended(const struct step *x)
{
	ms_t at = pass_over_at(x);

	if (x->s.all.n[RECIPIENT_ADMITTED])
		return false;
	return x->s.open_to == wave_ever_admitted(&x->s) ||
	       (at && at <= x->ev->now && !x->s.paused);
}

void wave_open(struct step *x, unsigned wave)
{
	x->s.wave = wave;
	x->s.open_to = wave_control_hold_back(x, x->s.end[wave]);
	x->s.committed_before = x->s.all.n[RECIPIENT_COMMITTED];
	x->s.admitted_before = wave_ever_admitted(&x->s);
	x->s.heard_before = wave_heard(&x->s);
	x->s.passed = 0;
	x->s.opened = x->ev->now;
	x->s.extended = 0;
	wave_control_ask(x);
	wave_judge_wave(x);
}

/* The first that adds a recipient to those that have been let in; the last one opens once more for
 * the control group. */
static unsigned next_wave(const struct step *x)
{
	unsigned wave = MIN(x->s.wave + 1, x->p->n_waves - 1);

	while (wave + 1 < x->p->n_waves && x->s.end[wave] <= x->s.open_to)
		wave++;
	return wave;
}

void wave_hold(struct step *x, enum wave_hold what, enum wave_phase resume, const char *why)
{
	x->s.hold = what;
	x->s.resume = resume;
	memset(x->s.agreed, 0, sizeof x->s.agreed);
	wave_enter(x, WAVE_HOLD, "%s", why);
}

void wave_to_next(struct step *x)
{
	wave_open(x, next_wave(x));
	wave_enter(x, WAVE_OPEN, "wave %s opens, up to %u of %u recipients",
		x->p->waves[x->s.wave].name, x->s.open_to, x->s.recipients);
}

/* Does the next to open want an approval of its own? */
static bool wants_approval(const struct step *x)
{
	unsigned next = next_wave(x);

	return next != x->s.wave && x->p->waves[next].approval;
}

void wave_go_on(struct step *x)
{
	char text[LIMIT_TEXT];
	bool asked = x->s.hold == WAVE_HOLD_APPROVAL;

	if (x->s.hold)
		x->s.passed |= 1U << x->s.hold;
	if (x->s.hold == WAVE_HOLD_LADDER) {
		x->s.forgiven = wave_failures(&x->s);
		x->s.rung = POLICY_RUNG_NONE;
	}
	if (x->s.hold && x->s.resume) {
		wave_enter(x, x->s.resume, "it goes on in wave %s", x->p->waves[x->s.wave].name);
		wave_settle(x);
		return;
	}
	memset(x->s.agreed, 0, sizeof x->s.agreed);
	if (!asked && wants_approval(x)) {
		snprintf(text, sizeof text, "wave %s waits for approval",
			x->p->waves[next_wave(x)].name);
		wave_hold(x, WAVE_HOLD_APPROVAL, WAVE_DRAFT, text);
	} else {
		wave_to_next(x);
	}
}

static void finish(struct step *x)
{
	char said[LIMIT_TEXT] = "";

	if (x->p->judge.on)
		wave_judge_say(x, said, sizeof said);
	wave_enter(x, WAVE_DONE, "%u of %u recipients run the release%s%s",
		x->s.all.n[RECIPIENT_COMMITTED], x->s.recipients, *said ? "; " : "", said);
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

void wave_roll_back(struct step *x, const char *why)
{
	uint32_t n = order_back(x);

	if (!n) {
		wave_enter(x, WAVE_HALTED, "%s; nobody has the release", why);
		return;
	}
	wave_enter(x, WAVE_ROLLING_BACK, "%s", why);
	wave_act(x, WACT_ROLL_BACK, "%u recipients are ordered back to what they ran before", n);
}

static bool has_failed(struct step *x, char *why, size_t cap)
{
	const uint32_t *n = x->s.all.n;

	if (wave_judge_aborts(x)) {
		wave_judge_say(x, why, cap);
		return true;
	}
	if (wave_failures(&x->s) <= x->p->max_failures)
		return false;
	snprintf(why, cap,
		"%u of %u recipients failed (%u went back, %u gave up, %u are silent), %u %s allowed",
		wave_failures(&x->s), x->s.recipients, n[RECIPIENT_REVERTED], n[RECIPIENT_FAILED],
		n[RECIPIENT_SILENT], x->p->max_failures, x->p->max_failures == 1 ? "is" : "are");
	return true;
}

/* ---- when a wave has soaked ---- */

static void widen(struct step *x, const char *said UNUSED)
{
	if (wave_is_last(x))
		finish(x);
	else
		wave_go_on(x);
}

/* In the last wave there is nothing left that people could keep from happening. */
static void ask_people(struct step *x, const char *said)
{
	if (x->s.wave + 1 == x->p->n_waves)
		widen(x, said);
	else
		wave_hold(x, WAVE_HOLD_JUDGE, WAVE_DRAFT, said);
}

static void extend(struct step *x, const char *said)
{
	if (x->s.extended < x->p->judge.extend_max) {
		x->s.extended++;
		wave_enter(x, WAVE_SOAK, "wave %s soaks again, %u of at most %u times; %s",
			x->p->waves[x->s.wave].name, x->s.extended, x->p->judge.extend_max, said);
	} else {
		ask_people(x, said);
	}
}

/* Whoever cannot tell does what the policy says. */
static void leave_wave(struct step *x)
{
	static void (*const unsure[POLICY_UNSURE_MAX])(struct step *, const char *said) = {
		[POLICY_WIDEN] = widen,
		[POLICY_EXTEND] = extend,
		[POLICY_HOLD] = ask_people,
		[POLICY_ROLL_BACK] = wave_abort,
	};
	char said[LIMIT_TEXT] = "";

	if ((x->s.paused && !wave_is_last(x)) || wave_control_wait(x) || !wave_ratio_fits(x))
		return;
	if (x->s.rung == POLICY_RUNG_HOLD && !wave_is_last(x)) {
		wave_hold(
			x, WAVE_HOLD_LADDER, WAVE_DRAFT, "people must look at the failures first");
		return;
	}
	if (x->p->judge.on && wave_judge_end(x) == JUDGE_INCONCLUSIVE) {
		wave_judge_say(x, said, sizeof said);
		unsure[x->p->judge.unsure](x, said);
	} else {
		widen(x, said);
	}
}

/* ---- what follows from the counts and the time, phase by phase ---- */

static void settle_first(struct step *x)
{
	if (x->s.all.n[RECIPIENT_COMMITTED])
		wave_enter(x, WAVE_OPEN, "the first device has committed; wave %s opens for %u",
			x->p->waves[x->s.wave].name, x->s.open_to);
	else if (has_ended(x))
		wave_abort(x, "no device of the first wave has accepted the release");
}

static void settle_open(struct step *x)
{
	const struct policy_wave *w = &x->p->waves[x->s.wave];

	if (!has_ended(x))
		return;
	if (!x->s.all.n[RECIPIENT_COMMITTED])
		wave_abort(x, "no device has accepted the release");
	else if (!wave_floor_met(x))
		return;
	else if (w->soak)
		wave_enter(x, WAVE_SOAK, "wave %s has ended, %u of %u recipients run the release",
			w->name, x->s.all.n[RECIPIENT_COMMITTED], x->s.recipients);
	else
		leave_wave(x);
}

/* Somebody waits again, or has joined, and no further wave would take him. */
static bool is_unfinished(const struct step *x)
{
	return wave_is_last(x) && x->s.open_to != wave_ever_admitted(&x->s);
}

static void settle_soak(struct step *x)
{
	if (is_unfinished(x)) {
		wave_enter(x, WAVE_OPEN, "wave %s goes on: somebody waits again",
			x->p->waves[x->s.wave].name);
		return;
	}
	if (x->ev->now - x->s.since >= x->p->waves[x->s.wave].soak &&
		!x->s.all.n[RECIPIENT_ADMITTED])
		leave_wave(x);
}

/* A person's turn. */
static void settle_hold(struct step *x UNUSED)
{
}

void wave_settle(struct step *x)
{
	static void (*const by_phase[WAVE_PHASE_MAX])(struct step *) = {
		[WAVE_FIRST] = settle_first,
		[WAVE_OPEN] = settle_open,
		[WAVE_SOAK] = settle_soak,
		[WAVE_HOLD] = settle_hold,
	};
	char why[LIMIT_TEXT];

	for (enum wave_phase was = WAVE_PHASE_MAX; was != x->s.phase && by_phase[x->s.phase];) {
		was = x->s.phase;
		if (has_failed(x, why, sizeof why))
			wave_abort(x, why);
		else if (!wave_ladder(x))
			by_phase[was](x);
	}
	if (x->s.phase == WAVE_ROLLING_BACK && !x->s.all.n[RECIPIENT_ORDERED_BACK])
		wave_enter(x, WAVE_HALTED, "%u of %u recipients are back on what they ran before",
			x->s.all.n[RECIPIENT_BACK], x->s.recipients);
}

ms_t wave_next_wake(const struct step *x)
{
	if (x->s.paused)
		return 0;
	if (x->s.phase == WAVE_SOAK && !x->s.all.n[RECIPIENT_ADMITTED])
		return MAX(x->s.since + x->p->waves[x->s.wave].soak, wave_control_wait(x));
	if (x->s.phase != WAVE_OPEN)
		return 0;
	if (x->s.open_to == wave_ever_admitted(&x->s))
		return x->s.all.n[RECIPIENT_ADMITTED] ? 0
						      : MAX(wave_floor_at(x), wave_control_wait(x));
	return pass_over_at(x) ? MAX(wave_floor_at(x), pass_over_at(x)) : 0;
}
