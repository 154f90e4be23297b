#include "tests/lib/waves.h"

#include <stdio.h>
#include <string.h>

#include "server/core/freeze.h"
#include "tests/lib/expect.h"

struct policy waves_policy(unsigned n, const struct policy_wave *waves, uint32_t max_failures)
{
	struct policy p = {
		.name = "p",
		.first_alone = true,
		.n_waves = n,
		.max_failures = max_failures,
		.silence = MINUTE(10),
		.roll_back_on_abort = true,
	};

	memcpy(p.waves, waves, n * sizeof *waves);
	return p;
}

void waves_freeze(struct policy *p, ms_t from, ms_t until)
{
	p->freezes[0] = (struct policy_freeze){.name = "fair", .from = from, .until = until};
	p->n_freezes = 1;
}

const struct policy_wave waves_three[3] = {
	{.name = "canary", .count = 1, .soak = MINUTE(1)},
	{.name = "some", .permille = 300, .parallel = 2, .soak = MINUTE(2)},
	{.name = "rest"},
};

/* ---- a campaign with its devices, as the server would keep it ---- */

unsigned waves_acts(const struct waves *f, enum wave_act_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->acts.n; i++)
		n += f->acts.v[i].kind == kind;
	return n;
}

static void apply(struct waves *f, const struct wave_event *ev)
{
	if (ev->kind == WEV_MOVED)
		f->device[ev->position] = ev->is;
	if (waves_acts(f, WACT_ADMIT))
		f->device[ev->position] = RECIPIENT_ADMITTED;
	for (unsigned i = 0; waves_acts(f, WACT_ROLL_BACK) && i < f->s.recipients; i++)
		if (f->device[i] == RECIPIENT_ADMITTED || f->device[i] == RECIPIENT_COMMITTED ||
			f->device[i] == RECIPIENT_SILENT)
			f->device[i] = RECIPIENT_ORDERED_BACK;
}

uint32_t waves_admitted(const struct waves *f)
{
	return f->s.recipients - f->s.all.n[RECIPIENT_WAITING];
}

/* What must hold whatever happened; independent of the engine's own check. */
static void check_laws(
	const struct waves *before, const struct waves *after, const struct wave_event *ev)
{
	struct wave_counts c = {{0}};
	bool admitted = waves_admitted(after) > waves_admitted(before) && ev->kind != WEV_START;

	for (uint32_t i = 0; i < after->s.recipients; i++)
		c.n[after->device[i]]++;
	assert_memory_equal(&c, &after->s.all, sizeof c);
	assert_true(waves_admitted(after) <= after->s.end[after->s.wave] || !after->s.recipients);
	assert_int_equal(admitted, waves_acts(after, WACT_ADMIT));
	if (admitted) {
		uint32_t parallel = after->p->waves[after->s.wave].parallel;

		assert_false(before->s.paused);
		assert_true(before->s.phase == WAVE_FIRST || before->s.phase == WAVE_OPEN);
		assert_true(ev->position < before->s.open_to);
		assert_true(!parallel || c.n[RECIPIENT_ADMITTED] <= parallel);
		if (before->s.phase == WAVE_FIRST)
			assert_int_equal(c.n[RECIPIENT_ADMITTED], 1);
	}
	if (admitted) {
		struct freeze_view v;

		freeze_look(after->p, ev->now, &v);
		assert_true(!v.frozen || ev->now < before->s.thawed);
		assert_true(ev->now >= before->s.next_at);
	}
	if (before->s.phase == WAVE_HOLD && after->s.phase == WAVE_OPEN)
		assert_int_equal(ev->kind, WEV_APPROVE);
	if (before->s.phase == WAVE_HOLD && after->s.phase == WAVE_OPEN &&
		before->s.hold != WAVE_HOLD_APPROVAL)
		assert_true(*before->s.agreed && strcmp(before->s.agreed, ev->who) != 0);
	for (uint32_t i = after->s.control_from;
		i < after->s.control_to && !after->s.control_released; i++)
		assert_int_equal(after->device[i], RECIPIENT_WAITING);
	if (after->s.rung < before->s.rung)
		assert_true(ev->kind == WEV_APPROVE || ev->kind == WEV_PROMOTE);
	if (after->s.phase == WAVE_OPEN && after->s.wave != before->s.wave &&
		after->p->waves[after->s.wave].approval)
		assert_true(ev->kind == WEV_APPROVE || ev->kind == WEV_PROMOTE);
	if (before->s.judge.verdict == JUDGE_ABORT && ev->kind != WEV_MOVED &&
		before->s.phase != WAVE_DONE)
		assert_true(before->s.phase == WAVE_ROLLING_BACK || before->s.phase == WAVE_HALTED);
	if (before->s.phase == WAVE_HALTED && after->s.phase != WAVE_HALTED)
		assert_true(ev->kind == WEV_ROLL_BACK || ev->kind == WEV_ROLL_BACK_ALL);
	if (after->s.phase == WAVE_DONE && before->s.phase != WAVE_DONE)
		assert_true(
			c.n[RECIPIENT_REVERTED] + c.n[RECIPIENT_FAILED] + c.n[RECIPIENT_SILENT] <=
			after->p->max_failures);
	if (after->s.phase == WAVE_FIRST || after->s.phase == WAVE_OPEN ||
		after->s.phase == WAVE_SOAK)
		assert_int_equal(c.n[RECIPIENT_ORDERED_BACK] + c.n[RECIPIENT_BACK], 0);
	if (after->acts.n)
		assert_int_equal(after->s.rev, before->s.rev + 1);
	if (after->s.rev == before->s.rev)
		assert_memory_equal(&before->s, &after->s, sizeof after->s);
}

/* Steps and checks; false when the event was refused. */
bool waves_step(struct waves *f, struct wave_event ev)
{
	struct waves before = *f;
	struct err e = {0};

	ev.now = f->now;
	if (!*ev.who)
		snprintf(ev.who, sizeof ev.who, "dev-%u", ev.position);
	if (wave_step(f->p, &f->s, &ev, &f->s, &f->acts, &e) < 0) {
		assert_true(e.code == ERR_CONFLICT || e.code == ERR_BAD_INPUT);
		assert_memory_equal(&before, f, sizeof before);
		return false;
	}
	apply(f, &ev);
	check_laws(&before, f, &ev);
	return true;
}

bool waves_order(struct waves *f, enum wave_ev_kind kind)
{
	return waves_step(f, (struct wave_event){.kind = kind, .who = "ann", .text = "because"});
}

void waves_start(struct waves *f, const struct policy *p, uint32_t n)
{
	memset(f, 0, sizeof *f);
	f->p = p;
	f->now = 1000000;
	wave_init(&f->s);
	assert_true(waves_step(
		f, (struct wave_event){
			   .kind = WEV_START, .recipients = n, .who = "ann", .text = "go"}));
}

bool waves_ask(struct waves *f, uint32_t position)
{
	assert_int_equal(f->device[position], RECIPIENT_WAITING);
	assert_true(waves_step(f, (struct wave_event){.kind = WEV_ASK, .position = position}));
	return f->device[position] == RECIPIENT_ADMITTED;
}

void waves_move(struct waves *f, uint32_t position, enum recipient_state is)
{
	assert_true(waves_step(f, (struct wave_event){.kind = WEV_MOVED,
					  .position = position,
					  .was = f->device[position],
					  .is = is}));
}

void waves_pass(struct waves *f, ms_t span)
{
	f->now += span;
	assert_true(waves_step(f, (struct wave_event){.kind = WEV_TICK}));
}

/* What the server would let a report or a deadline do. */
bool waves_may_go(const struct waves *f, uint32_t position, enum recipient_state is)
{
	bool is_back = is == RECIPIENT_ORDERED_BACK || is == RECIPIENT_BACK;

	return recipient_may_move(f->device[position], is) &&
	       (is != RECIPIENT_WAITING || position < f->s.open_to) &&
	       (!is_back || f->s.phase == WAVE_ROLLING_BACK || f->s.phase == WAVE_HALTED);
}

bool waves_say(struct waves *f, enum wave_ev_kind kind, const char *who, const char *text)
{
	struct wave_event ev = {.kind = kind};

	snprintf(ev.who, sizeof ev.who, "%s", who);
	snprintf(ev.text, sizeof ev.text, "%s", text);
	return waves_step(f, ev);
}

struct policy waves_judged(unsigned n, const struct policy_wave *waves)
{
	struct policy p = waves_policy(n, waves, LIMIT_DEVICES);

	p.first_alone = false;
	p.judge = (struct policy_judge){true, 10000, 50000, 50000, 5000, 2, 5, POLICY_WIDEN, 1, ""};
	return p;
}
