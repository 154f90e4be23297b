/* The update machine, cell by cell: that every one is filled, that no event in any state and before
 * any background breaks a law, and what the important ones do. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/core/update_priv.h"

#define NOW 1700000000000LL

/* ---- a device in the middle of an update from slot a to slot b ---- */

static void device_in(enum upd_state state, struct upd_record *r)
{
	upd_record_init(r);
	r->state = state;
	r->slot_old = 0;
	r->slot_new = 1;
	r->boot_id = 7;
	r->counter_floor = 3;
	if (state == UPD_IDLE)
		return;
	r->txn.b[0] = 1;
	strcpy(r->goal.release.s, "ocr-4");
	r->goal.document.b[0] = 4;
	r->goal.director_version = 40;
	r->goal.counter = 4;
	strcpy(r->from.s, "ocr-2");
	r->from_document.b[0] = 2;
	r->attempt = 1;
	r->soak_want = SEC(60);
	r->start_timeout = SEC(20);
	if (state != UPD_ACCEPTED && state != UPD_STAGING)
		r->content.b[0] = 44;
	if (state == UPD_COMMITTING)
		r->soak_done = r->soak_want;
	if (state >= UPD_REVERTING)
		r->why = ERR_TRIGGERED;
}

static struct upd_event event(enum upd_ev kind)
{
	struct upd_event ev = {
		.kind = kind,
		.wall = NOW,
		.boot_id = 7,
		.txn = {{1}},
		.ok = true,
		.looked = true,
		.boot = {.active = 0, .confirmed = 0},
		.svc = {.alive = true, .slot = 0},
		.slot = {{.mark = SLOT_VALID, .release = {"ocr-2"}, .document = {{2}}}},
		.goal = {.release = {"ocr-4"},
			.document = {{4}},
			.director_version = 40,
			.counter = 4},
		.content = {{44}},
		.soak = SEC(60),
		.start_timeout = SEC(20),
		.soak_done = SEC(60),
		.cause = TRIG_LATENCY,
	};

	return ev;
}

static struct upd_event event_on_new(enum upd_ev kind)
{
	struct upd_event ev = event(kind);

	ev.boot.active = 1;
	ev.svc.slot = 1;
	return ev;
}

static struct upd_event failure(enum upd_ev kind, enum err_code code)
{
	struct upd_event ev = event(kind);

	ev.ok = false;
	err_set(&ev.err, code, "because");
	return ev;
}

static struct upd_acts acts;

static void step(struct upd_record *r, struct upd_event ev)
{
	struct err e = {0};

	if (upd_step(r, &ev, r, &acts, &e) < 0)
		fail_msg("%s", e.text);
}

static const struct upd_act *find_act(enum upd_act_kind kind)
{
	for (unsigned i = 0; i < acts.n; i++)
		if (acts.v[i].kind == kind)
			return &acts.v[i];
	return NULL;
}

/* "stop go_back report" */
static const char *acts_text(void)
{
	static char text[200];

	text[0] = '\0';
	for (unsigned i = 0; i < acts.n; i++) {
		if (i > 0)
			strcat(text, " ");
		strcat(text, upd_act_name(acts.v[i].kind));
	}
	return text;
}

static void expect(const struct upd_record *r, enum upd_state state, const char *want)
{
	assert_string_equal(upd_state_name(r->state), upd_state_name(state));
	assert_string_equal(acts_text(), want);
}

/* ---- the whole table ---- */

static void every_cell_is_filled(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned s = 0; s < UPD_STATE_MAX; s++)
		for (unsigned ev = 0; ev < UEV_MAX; ev++, n++)
			if (!cells_at(s, ev))
				fail_msg("nobody said what %s does in %s", upd_event_name(ev),
					upd_state_name(s));
	printf("== cells: %d states x %d events, %u cells, all filled\n", UPD_STATE_MAX, UEV_MAX,
		n);
}

static const enum err_code reasons[] = {
	ERR_OK, ERR_NET, ERR_IO, ERR_SMOKE_FAILED, ERR_EXPIRED, ERR_NEED_HAND};
static const unsigned places[] = {0, 1, SLOT_NONE};
static const ms_t wakes[] = {0, NOW - 1, NOW + SEC(5), NOW + MINUTE(600)};

/* Digits of a mixed-radix number pick one value of everything that a step may look at. */
static unsigned pick(uint64_t *n, unsigned radix)
{
	unsigned digit = (unsigned)(*n % radix);

	*n /= radix;
	return digit;
}

static struct upd_event background(uint64_t n, enum upd_ev kind, struct upd_record *r)
{
	struct upd_event ev = event(kind);

	ev.ok = pick(&n, 2);
	ev.looked = pick(&n, 2);
	err_set(&ev.err, reasons[1 + pick(&n, ARRAY_LEN(reasons) - 1)], "because");
	if (pick(&n, 4) == 0)
		ev.err = (struct err){0};
	ev.boot.active = places[pick(&n, 3)];
	ev.boot.confirmed = places[pick(&n, 3)];
	ev.boot.fell_back = pick(&n, 2);
	ev.svc.alive = pick(&n, 2);
	ev.svc.slot = places[pick(&n, 3)];
	ev.boot_id += pick(&n, 2);
	ev.goal.document.b[0] = (uint8_t)(2 + pick(&n, 3));
	ev.goal.director_version += pick(&n, 2);
	ev.content.b[0] = (uint8_t)(1 + pick(&n, 2));
	r->attempt = 1 + 2 * pick(&n, 3);
	r->wake_wall = wakes[pick(&n, ARRAY_LEN(wakes))];
	if (r->state == UPD_SOAKING)
		r->soak_done = SEC(30 * pick(&n, 3));
	return ev;
}

static void check_step(const struct upd_record *r, const struct upd_event *ev)
{
	struct upd_record next;
	struct err e = {0};

	if (upd_step(r, ev, &next, &acts, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(laws_is_move(r->state, next.state));
	assert_true(acts.n <= ARRAY_LEN(acts.v));
	if (!acts.save)
		assert_memory_equal(r, &next, sizeof next);
	if (next.state != r->state && upd_act_of(next.state) != UACT_NONE)
		assert_non_null(find_act(upd_act_of(next.state)));
}

/* A prime stride walks the product of all backgrounds evenly. */
static void no_event_breaks_a_law(void **state)
{
	const uint64_t stride = 1299709, per_cell = 1500;
	uint64_t n = 0, steps = 0;
	struct upd_record r;

	(void)state;
	for (unsigned s = 0; s < UPD_STATE_MAX; s++)
		for (unsigned kind = 0; kind < UEV_MAX; kind++)
			for (uint64_t i = 0; i < per_cell; i++, steps++) {
				struct upd_event ev;

				device_in(s, &r);
				ev = background(n += stride, kind, &r);
				check_step(&r, &ev);
			}
	printf("== steps: %llu states, events and backgrounds, no law broken\n",
		(unsigned long long)steps);
}

static void what_means_nothing_changes_nothing(void **state)
{
	struct upd_record r;

	(void)state;
	for (unsigned s = 0; s < UPD_STATE_MAX; s++)
		for (unsigned kind = 0; kind < UEV_MAX; kind++) {
			if (cells_at(s, kind) != cells_at(UPD_IDLE, UEV_CANCEL))
				continue;
			device_in(s, &r);
			step(&r, event(kind));
			assert_int_equal(acts.n, 0);
			assert_false(acts.save);
		}
}

/* An answer of an update that has ended comes late: it must not move the present one. */
static void late_answers_are_ignored(void **state)
{
	struct upd_record r;

	(void)state;
	for (unsigned s = 0; s < UPD_STATE_MAX; s++)
		for (unsigned kind = UEV_PRECOND; kind <= UEV_TAIL_DONE; kind++) {
			struct upd_event ev = event_on_new(kind);

			device_in(s, &r);
			ev.txn.b[0] = 99;
			step(&r, ev);
			assert_int_equal(r.state, s);
			assert_int_equal(acts.n, 0);
		}
}

/* ---- one good update ---- */

static void a_good_update_is_committed(void **state)
{
	struct upd_event ev;
	struct upd_record r;

	(void)state;
	device_in(UPD_IDLE, &r);
	step(&r, event(UEV_DESIRED));
	expect(&r, UPD_ACCEPTED, "precond report");
	assert_int_equal(r.slot_old, 0);
	assert_int_equal(r.slot_new, 1);
	assert_string_equal(r.from.s, "ocr-2");
	assert_int_equal(r.director_seen, 40);
	assert_int_equal(r.counter_floor, 3);
	step(&r, event(UEV_PRECOND));
	expect(&r, UPD_STAGING, "stage report");
	assert_int_equal(find_act(UACT_STAGE)->slot, 1);
	step(&r, event(UEV_STAGED));
	expect(&r, UPD_SEALED, "smoke report");
	step(&r, event(UEV_SMOKE));
	expect(&r, UPD_READY, "ask_window report");
	ev = event(UEV_WINDOW);
	ev.n_trig = 1;
	ev.trig[0].baseline = 0.12;
	step(&r, ev);
	expect(&r, UPD_SWITCHING, "try_next report");
	assert_int_equal(find_act(UACT_TRY_NEXT)->slot, 1);
	assert_int_equal(r.n_trig, 1);
	ev = event_on_new(UEV_SWITCHED);
	ev.svc.slot = 0; /* the old one still runs */
	step(&r, ev);
	expect(&r, UPD_STARTING, "apply report");
	ev = event_on_new(UEV_STARTED);
	ev.svc.ended = 5;
	step(&r, ev);
	expect(&r, UPD_SOAKING, "watch report");
	assert_int_equal(r.start_ended, 5);
	assert_int_equal(r.soak_done, 0);
	ev = event_on_new(UEV_CHECKPOINT);
	ev.soak_done = SEC(20);
	step(&r, ev);
	expect(&r, UPD_SOAKING, "");
	assert_true(acts.save);
	assert_int_equal(r.soak_done, SEC(20));
	step(&r, event_on_new(UEV_SOAK_OVER));
	expect(&r, UPD_COMMITTING, "confirm report");
	assert_int_equal(r.counter_floor, 3);
	ev = event_on_new(UEV_CONFIRMED);
	ev.boot.confirmed = 1;
	step(&r, ev);
	expect(&r, UPD_COMMITTED, "tail");
	assert_int_equal(r.counter_floor, 4);
	step(&r, event_on_new(UEV_TAIL_DONE));
	expect(&r, UPD_IDLE, "report");
	assert_string_equal(r.goal.release.s, "");
	assert_int_equal(r.slot_old, 1);
	assert_int_equal(r.why, ERR_OK);
}

static void preconditions_hold_an_update_up(void **state)
{
	struct upd_event ev;
	struct upd_record r;

	(void)state;
	/* Before the download: looked at again when it is worth it, and nothing is written for it.
	 */
	device_in(UPD_ACCEPTED, &r);
	ev = failure(UEV_PRECOND, ERR_UNMET);
	step(&r, ev);
	expect(&r, UPD_ACCEPTED, "wake_at");
	assert_false(acts.save);
	assert_true(find_act(UACT_WAKE_AT)->at == NOW + SEC(30));
	ev.retry_after = MINUTE(7);
	step(&r, ev);
	assert_true(find_act(UACT_WAKE_AT)->at == NOW + MINUTE(7));
	/* While it is staged: what works stops, and goes on later. */
	device_in(UPD_STAGING, &r);
	step(&r, ev);
	expect(&r, UPD_STAGING, "stop wake_at");
	assert_true(acts.save);
	assert_true(r.wake_wall >= NOW + MINUTE(7));
	ev = event(UEV_TICK);
	ev.wall = r.wake_wall;
	step(&r, ev);
	expect(&r, UPD_STAGING, "stage");
	/* One that holds changes nothing. */
	step(&r, event(UEV_PRECOND));
	expect(&r, UPD_STAGING, "");
	/* Before the switch. */
	device_in(UPD_READY, &r);
	step(&r, failure(UEV_WINDOW, ERR_UNMET));
	expect(&r, UPD_READY, "wake_at");
	step(&r, event(UEV_TICK));
	expect(&r, UPD_READY, "ask_window");
	/* The way back is never asked. */
	for (enum upd_state s = UPD_SWITCHING; s <= UPD_STUCK; s++) {
		device_in(s, &r);
		step(&r, failure(UEV_PRECOND, ERR_UNMET));
		expect(&r, s, "");
		step(&r, failure(UEV_WINDOW, ERR_UNMET));
		expect(&r, s, "");
	}
}

/* Waiting has an end, and it speaks against nobody. */
static void a_wait_that_lasts_too_long_ends_the_update(void **state)
{
	static const struct {
		enum upd_state in;
		enum upd_ev ev;
	} cases[] = {
		{UPD_ACCEPTED, UEV_PRECOND}, {UPD_STAGING, UEV_PRECOND}, {UPD_READY, UEV_WINDOW}};
	struct upd_record r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		device_in(cases[i].in, &r);
		step(&r, failure(cases[i].ev, ERR_EXPIRED));
		expect(&r, UPD_FAILED, "stop tail");
		assert_int_equal(r.why, ERR_EXPIRED);
		assert_false(upd_is_blamed(&r));
	}
}

static void the_first_release_of_all_has_no_way_back(void **state)
{
	struct upd_event ev = event(UEV_DESIRED);
	struct upd_record r;

	(void)state;
	upd_record_init(&r);
	ev.boot = (struct boot_view){.active = SLOT_NONE, .confirmed = SLOT_NONE};
	ev.svc = (struct svc_view){.alive = false, .slot = SLOT_NONE};
	ev.slot[0].mark = SLOT_INVALID;
	step(&r, ev);
	expect(&r, UPD_ACCEPTED, "precond report");
	assert_int_equal(r.slot_old, SLOT_NONE);
	assert_int_equal(r.slot_new, 0);
	ev.kind = UEV_CANCEL;
	step(&r, ev);
	expect(&r, UPD_FAILED, "stop tail");
	r.state = UPD_RESTORING;
	ev.kind = UEV_RESTORED;
	step(&r, ev);
	expect(&r, UPD_REVERTED, "tail");
}

/* Where nothing ran before, nothing running is where the way back leads. */
static void the_way_back_from_the_first_release_is_silence(void **state)
{
	struct upd_event ev = event(UEV_POWER_UP);
	struct upd_record r;

	(void)state;
	ev.boot = (struct boot_view){.active = SLOT_NONE, .confirmed = SLOT_NONE};
	ev.svc = (struct svc_view){.alive = false, .slot = SLOT_NONE};
	device_in(UPD_RESTORING, &r);
	r.slot_old = SLOT_NONE;
	step(&r, ev); /* that it does not run just now is no proof that it will not */
	expect(&r, UPD_RESTORING, "restore");
	ev.kind = UEV_RESTORED;
	step(&r, ev);
	expect(&r, UPD_REVERTED, "tail");
	step(&r, event(UEV_TAIL_DONE));
	expect(&r, UPD_IDLE, "report");
	assert_int_equal(r.slot_old, SLOT_NONE);
	assert_int_equal(r.slot_new, SLOT_NONE);
	device_in(UPD_SOAKING, &r);
	r.slot_old = SLOT_NONE;
	ev.kind = UEV_POWER_UP;
	ev.svc.alive = true;
	step(&r, ev); /* it runs, and the boot layer says that there never was anything */
	expect(&r, UPD_REVERTING, "go_back report");
}

static void what_runs_already_is_not_wanted_again(void **state)
{
	struct upd_event ev = event(UEV_DESIRED);
	struct upd_record r;

	(void)state;
	device_in(UPD_IDLE, &r);
	ev.goal.document.b[0] = 2;
	step(&r, ev);
	expect(&r, UPD_IDLE, "");
	ev = event(UEV_DESIRED);
	ev.svc.slot = 1; /* the slot to be written is in use */
	step(&r, ev);
	expect(&r, UPD_IDLE, "");
	ev = event(UEV_DESIRED);
	ev.goal.release.s[0] = '\0';
	step(&r, ev);
	expect(&r, UPD_IDLE, "");
	ev = event(UEV_DESIRED);
	ev.looked = false;
	step(&r, ev);
	expect(&r, UPD_IDLE, "");
}

/* ---- tries and failures ---- */

static const struct {
	enum upd_state state;
	enum upd_ev ev;
	enum err_code code;
	enum upd_state to;
	const char *acts;
	unsigned cause;
	bool blamed;
} failures[] = {
	{UPD_ACCEPTED, UEV_PRECOND, ERR_OK, UPD_ACCEPTED, "wake_at", TRIG_TYPE_MAX, 0},
	{UPD_ACCEPTED, UEV_PRECOND, ERR_BUSY, UPD_ACCEPTED, "wake_at", TRIG_TYPE_MAX, 0},
	{UPD_ACCEPTED, UEV_PRECOND, ERR_EXPIRED, UPD_FAILED, "stop tail", TRIG_TYPE_MAX, 0},
	{UPD_ACCEPTED, UEV_PRECOND, ERR_WRONG_DEVICE, UPD_FAILED, "stop tail", TRIG_TYPE_MAX, 1},
	{UPD_STAGING, UEV_STAGED, ERR_NET, UPD_STAGING, "wake_at", TRIG_TYPE_MAX, 0},
	{UPD_STAGING, UEV_STAGED, ERR_NO_SPACE, UPD_STAGING, "wake_at", TRIG_TYPE_MAX, 0},
	{UPD_STAGING, UEV_STAGED, ERR_ALTERED, UPD_FAILED, "tail", TRIG_TYPE_MAX, 0},
	{UPD_STAGING, UEV_STAGED, ERR_NOT_FOUND, UPD_FAILED, "tail", TRIG_TYPE_MAX, 0},
	{UPD_STAGING, UEV_STAGED, ERR_DENIED, UPD_FAILED, "tail", TRIG_TYPE_MAX, 0},
	{UPD_STAGING, UEV_STAGED, ERR_BAD_INPUT, UPD_FAILED, "tail", TRIG_TYPE_MAX, 0},
	{UPD_STAGING, UEV_STAGED, ERR_TOO_LARGE, UPD_FAILED, "tail", TRIG_TYPE_MAX, 0},
	{UPD_STAGING, UEV_STAGED, ERR_WORKER, UPD_STAGING, "wake_at", TRIG_TYPE_MAX, 0},
	{UPD_SEALED, UEV_SMOKE, ERR_SMOKE_FAILED, UPD_FAILED, "tail", TRIG_SMOKE_FAILED, 1},
	{UPD_SEALED, UEV_SMOKE, ERR_BUSY, UPD_SEALED, "wake_at", TRIG_TYPE_MAX, 0},
	{UPD_READY, UEV_WINDOW, ERR_OK, UPD_READY, "wake_at", TRIG_TYPE_MAX, 0},
	{UPD_READY, UEV_WINDOW, ERR_DENIED, UPD_FAILED, "stop tail", TRIG_TYPE_MAX, 0},
	{UPD_SWITCHING, UEV_SWITCHED, ERR_IO, UPD_SWITCHING, "wake_at", TRIG_TYPE_MAX, 0},
	{UPD_STARTING, UEV_STARTED, ERR_START_FAILED, UPD_REVERTING, "go_back report",
		TRIG_START_FAILED, 1},
	{UPD_STARTING, UEV_TRIGGER, ERR_OK, UPD_REVERTING, "stop go_back report", TRIG_LATENCY, 1},
	{UPD_SOAKING, UEV_TRIGGER, ERR_OK, UPD_REVERTING, "stop go_back report", TRIG_LATENCY, 1},
	{UPD_COMMITTING, UEV_TRIGGER, ERR_OK, UPD_REVERTING, "stop go_back report", TRIG_LATENCY,
		1},
	{UPD_COMMITTED, UEV_TAIL_DONE, ERR_IO, UPD_COMMITTED, "wake_at", TRIG_TYPE_MAX, 0},
	{UPD_REVERTING, UEV_BACK, ERR_IO, UPD_REVERTING, "wake_at", TRIG_TYPE_MAX, 1},
	{UPD_RESTORING, UEV_RESTORED, ERR_IO, UPD_RESTORING, "wake_at", TRIG_TYPE_MAX, 1},
};

static void failures_lead_where_the_table_says(void **state)
{
	struct upd_record r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		struct upd_event ev = failure(failures[i].ev, failures[i].code);

		if (failures[i].code == ERR_OK)
			ev.err = (struct err){0};
		device_in(failures[i].state, &r);
		step(&r, ev);
		expect(&r, failures[i].to, failures[i].acts);
		assert_int_equal(r.cause, failures[i].cause);
		assert_int_equal(upd_is_blamed(&r), failures[i].blamed);
	}
}

/* Staging is tried for as long as it takes, at growing intervals, and a clock that jumps back does
 * not stop it. */
static void staging_waits_longer_and_longer(void **state)
{
	struct upd_event ev = failure(UEV_STAGED, ERR_NET);
	struct upd_record r;
	ms_t before = 0;

	(void)state;
	device_in(UPD_STAGING, &r);
	ev.jitter = UINT64_MAX;
	for (unsigned i = 1; i <= 20; i++) {
		ms_t pause;

		step(&r, ev);
		pause = find_act(UACT_WAKE_AT)->at - ev.wall;
		assert_int_equal(r.wake_wall, ev.wall + pause);
		assert_int_equal(r.retries, i);
		assert_true(pause >= SEC(1) && pause <= MINUTE(5));
		before = pause;
		ev.wall = r.wake_wall - 1;
		ev.kind = UEV_TICK;
		step(&r, ev);
		expect(&r, UPD_STAGING, "wake_at"); /* too early */
		assert_false(acts.save);
		ev.wall++;
		step(&r, ev);
		expect(&r, UPD_STAGING, "stage");
		step(&r, ev);
		expect(&r, UPD_STAGING, ""); /* it is under way */
		ev.kind = UEV_STAGED;
	}
	assert_true(before > MINUTE(2));
	step(&r, ev);
	ev.kind = UEV_TICK;
	ev.wall -= MINUTE(10000);
	step(&r, ev);
	expect(&r, UPD_STAGING, "stage");
	ev.kind = UEV_STAGED;
	ev.retry_after = MINUTE(30);
	step(&r, ev);
	assert_int_equal(find_act(UACT_WAKE_AT)->at, ev.wall + MINUTE(30));
}

/* Repeats a failing answer (each with its wake-up) until the state is left; returns how often. */
static unsigned fail_until_it_ends(struct upd_record *r, struct upd_event ev)
{
	enum upd_state was = r->state;
	unsigned n = 0;

	for (;;) {
		struct upd_event tick = event(UEV_TICK);

		step(r, ev);
		n++;
		if (r->state != was)
			return n;
		assert_true(n < 100);
		tick.wall = r->wake_wall;
		step(r, tick);
		assert_non_null(find_act(upd_act_of(was)));
	}
}

static void tries_are_bounded(void **state)
{
	struct upd_event ev;
	struct upd_record r;

	(void)state;
	device_in(UPD_SEALED, &r);
	assert_int_equal(fail_until_it_ends(&r, failure(UEV_SMOKE, ERR_BUSY)), UPD_ATTEMPT_MAX);
	expect(&r, UPD_FAILED, "tail");
	assert_false(upd_is_blamed(&r));

	device_in(UPD_SWITCHING, &r);
	assert_int_equal(fail_until_it_ends(&r, failure(UEV_SWITCHED, ERR_IO)), UPD_ATTEMPT_MAX);
	expect(&r, UPD_FAILED, "tail");
	assert_false(upd_is_blamed(&r));

	device_in(UPD_SWITCHING, &r);
	ev = failure(UEV_SWITCHED, ERR_IO);
	ev.looked = false; /* nobody knows where the pointer is */
	assert_int_equal(fail_until_it_ends(&r, ev), UPD_ATTEMPT_MAX);
	expect(&r, UPD_REVERTING, "go_back report");

	device_in(UPD_SOAKING, &r);
	ev = event_on_new(UEV_SOAK_OVER);
	ev.svc.alive = false;
	assert_int_equal(fail_until_it_ends(&r, ev), UPD_ATTEMPT_MAX + 1);
	expect(&r, UPD_REVERTING, "stop go_back report");

	device_in(UPD_REVERTING, &r);
	assert_int_equal(fail_until_it_ends(&r, failure(UEV_BACK, ERR_IO)), UPD_BACK_MAX);
	expect(&r, UPD_STUCK, "report");

	device_in(UPD_RESTORING, &r);
	assert_int_equal(fail_until_it_ends(&r, failure(UEV_RESTORED, ERR_IO)), UPD_BACK_MAX);
	expect(&r, UPD_STUCK, "report");
	step(&r, event(UEV_DESIRED));
	expect(&r, UPD_STUCK, "");
	step(&r, event(UEV_RESET));
	expect(&r, UPD_IDLE, "report");
}

/* A trigger that nobody knows by name still goes back. */
static void an_unknown_cause_is_an_order(void **state)
{
	struct upd_event ev = event_on_new(UEV_TRIGGER);
	struct upd_record r;

	(void)state;
	device_in(UPD_SOAKING, &r);
	ev.cause = TRIG_TYPE_MAX;
	step(&r, ev);
	expect(&r, UPD_REVERTING, "stop go_back report");
	assert_int_equal(r.cause, TRIG_OPERATOR);
}

/* What an answer claims is only believed when it was seen. */
static void answers_need_evidence(void **state)
{
	struct upd_event ev;
	struct upd_record r;

	(void)state;
	device_in(UPD_ACCEPTED, &r);
	step(&r, event_on_new(UEV_PRECOND)); /* the slot to be written is in use */
	expect(&r, UPD_REVERTING, "stop go_back report");
	assert_false(upd_is_blamed(&r));
	device_in(UPD_SWITCHING, &r);
	step(&r, event(UEV_SWITCHED));
	expect(&r, UPD_SWITCHING, "wake_at");
	device_in(UPD_STARTING, &r);
	step(&r, event(UEV_STARTED)); /* the old one runs */
	expect(&r, UPD_REVERTING, "go_back report");
	assert_string_equal(r.why_text, "the new version does not run");
	device_in(UPD_SOAKING, &r);
	ev = event_on_new(UEV_SOAK_OVER);
	ev.soak_done = SEC(59);
	step(&r, ev);
	expect(&r, UPD_SOAKING, "watch");
	device_in(UPD_COMMITTING, &r);
	step(&r, event_on_new(UEV_CONFIRMED)); /* the old one is still confirmed */
	expect(&r, UPD_COMMITTING, "wake_at");
	step(&r, event(UEV_CONFIRMED)); /* it is even active again */
	expect(&r, UPD_REVERTING, "stop go_back report");
	assert_int_equal(r.why, ERR_FELL_BACK);
	device_in(UPD_REVERTING, &r);
	step(&r, event_on_new(UEV_BACK));
	expect(&r, UPD_REVERTING, "wake_at");
	device_in(UPD_RESTORING, &r);
	ev = event(UEV_RESTORED);
	ev.svc.alive = false;
	step(&r, ev);
	expect(&r, UPD_RESTORING, "wake_at");
}

/* ---- orders from outside ---- */

static void cancel_has_an_end_from_every_state(void **state)
{
	struct upd_record r;

	(void)state;
	for (unsigned s = 0; s < UPD_STATE_MAX; s++) {
		device_in(s, &r);
		step(&r, event(UEV_CANCEL));
		if (s >= UPD_ACCEPTED && s <= UPD_READY)
			expect(&r, UPD_FAILED, "stop tail");
		else if (s >= UPD_SWITCHING && s <= UPD_SOAKING)
			expect(&r, UPD_REVERTING, "stop go_back report");
		else
			expect(&r, s, "");
		if (r.state != s)
			assert_int_equal(r.why, ERR_CANCELLED);
	}
}

static void only_a_soak_can_be_vouched_for(void **state)
{
	struct upd_event ev = event_on_new(UEV_VOUCH);
	struct upd_record r;

	(void)state;
	for (unsigned s = 0; s < UPD_STATE_MAX; s++) {
		device_in(s, &r);
		r.soak_done = s == UPD_SOAKING ? SEC(20) : r.soak_done;
		ev.soak_done = SEC(30);
		step(&r, ev);
		if (s != UPD_SOAKING) {
			expect(&r, s, "");
			continue;
		}
		expect(&r, UPD_COMMITTING, "stop confirm report");
		assert_int_equal(r.soak_done, SEC(30));
		assert_int_equal(r.soak_want, SEC(30));
	}
	device_in(UPD_SOAKING, &r);
	step(&r, event(UEV_VOUCH)); /* the old one runs */
	expect(&r, UPD_SOAKING, "");
	ev = event_on_new(UEV_VOUCH);
	ev.svc.alive = false;
	step(&r, ev);
	expect(&r, UPD_SOAKING, "");
	ev = event_on_new(UEV_VOUCH);
	ev.txn.b[0] = 99; /* of another update */
	step(&r, ev);
	expect(&r, UPD_SOAKING, "");
}

static void a_newer_wish_ends_what_has_not_switched(void **state)
{
	struct upd_event ev;
	struct upd_record r;

	(void)state;
	for (unsigned s = UPD_ACCEPTED; s <= UPD_READY; s++) {
		device_in(s, &r);
		ev = event(UEV_DESIRED);
		step(&r, ev); /* the same order again */
		expect(&r, s, "");
		ev.goal.director_version++;
		step(&r, ev); /* the same release, signed again */
		expect(&r, s, "");
		assert_int_equal(r.goal.director_version, 41);
		ev.goal.director_version++;
		ev.goal.rollback = true; /* the same release, but now as a way back */
		step(&r, ev);
		expect(&r, UPD_FAILED, "stop tail");
		device_in(s, &r);
		ev = event(UEV_DESIRED);
		ev.goal.director_version++;
		step(&r, ev);
		ev.goal.director_version--;
		ev.goal.document.b[0] = 5;
		step(&r, ev); /* another release, but an older order */
		expect(&r, s, "");
		ev.goal.director_version += 2;
		step(&r, ev);
		expect(&r, UPD_FAILED, "stop tail");
		assert_int_equal(r.why, ERR_SUPERSEDED);
		assert_false(upd_is_blamed(&r));
	}
}

static void a_trial_is_only_called_back_to_the_old_release(void **state)
{
	struct upd_event ev;
	struct upd_record r;

	(void)state;
	for (unsigned s = UPD_SWITCHING; s <= UPD_SOAKING; s++) {
		device_in(s, &r);
		ev = event_on_new(UEV_DESIRED);
		ev.goal.director_version++;
		ev.goal.document.b[0] = 5;
		step(&r, ev);
		expect(&r, s, "");
		ev.goal.document.b[0] = 2;
		step(&r, ev);
		expect(&r, UPD_REVERTING, "stop go_back report");
		assert_false(upd_is_blamed(&r));
	}
}

/* ---- power-up ---- */

enum { A = 0, B = 1, NONE = SLOT_NONE };

static const struct {
	enum upd_state state;
	unsigned active, confirmed;
	int runs; /* slot, NONE: it does not run, -1: it runs, nobody knows from where */
	bool fell_back, same_boot;
	unsigned attempt;
	enum upd_state to;
	unsigned to_attempt;
	const char *acts;
} power_ups[] = {
	{UPD_IDLE, A, A, A, 0, 0, 1, UPD_IDLE, 1, ""},
	{UPD_ACCEPTED, A, A, A, 0, 0, 1, UPD_ACCEPTED, 1, "precond"},
	{UPD_STAGING, A, A, A, 0, 0, 1, UPD_STAGING, 1, "stage"},
	{UPD_STAGING, A, A, NONE, 0, 0, 1, UPD_STAGING, 1, "stage"},
	{UPD_STAGING, B, A, A, 0, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_STAGING, A, A, B, 0, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_SEALED, A, A, A, 0, 0, 1, UPD_SEALED, 1, "smoke"},
	{UPD_READY, A, A, A, 0, 0, 1, UPD_READY, 1, "ask_window"},
	{UPD_READY, B, B, B, 0, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_SWITCHING, A, A, A, 0, 0, 1, UPD_SWITCHING, 2, "try_next"},
	{UPD_SWITCHING, A, A, A, 0, 1, 2, UPD_SWITCHING, 3, "try_next"},
	{UPD_SWITCHING, A, A, A, 0, 0, 3, UPD_FAILED, 1, "tail"},
	{UPD_SWITCHING, B, A, B, 0, 0, 3, UPD_STARTING, 1, "apply report"},
	{UPD_SWITCHING, B, A, A, 0, 1, 1, UPD_STARTING, 1, "apply report"},
	{UPD_SWITCHING, A, A, A, 1, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_SWITCHING, A, A, NONE, 1, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_SWITCHING, NONE, A, A, 0, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_STARTING, B, A, B, 0, 0, 1, UPD_STARTING, 1, "apply"},
	{UPD_STARTING, B, A, -1, 0, 0, 1, UPD_STARTING, 1, "apply"},
	{UPD_STARTING, B, A, -1, 0, 1, 1, UPD_STARTING, 2, "apply"},
	{UPD_STARTING, B, A, A, 0, 1, 1, UPD_STARTING, 2, "apply"},
	{UPD_STARTING, B, A, NONE, 0, 0, 2, UPD_STARTING, 3, "apply"},
	{UPD_STARTING, B, A, NONE, 0, 0, 3, UPD_REVERTING, 1, "go_back report"},
	{UPD_STARTING, A, A, A, 1, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_STARTING, A, A, A, 0, 0, 1, UPD_REVERTED, 1, "tail"},
	{UPD_STARTING, A, A, -1, 0, 0, 1, UPD_REVERTED, 1, "tail"},
	{UPD_STARTING, A, A, NONE, 1, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_SOAKING, B, A, B, 0, 0, 1, UPD_SOAKING, 1, "watch"},
	{UPD_SOAKING, B, A, -1, 0, 1, 1, UPD_SOAKING, 1, "watch"},
	{UPD_SOAKING, B, A, NONE, 0, 0, 1, UPD_STARTING, 1, "apply report"},
	{UPD_SOAKING, A, A, A, 1, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_SOAKING, NONE, NONE, B, 0, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_COMMITTING, B, A, B, 0, 0, 1, UPD_COMMITTING, 1, "confirm"},
	{UPD_COMMITTING, B, B, NONE, 0, 0, 1, UPD_COMMITTING, 1, "confirm"},
	{UPD_COMMITTING, A, A, A, 1, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_COMMITTED, B, B, B, 0, 0, 1, UPD_COMMITTED, 1, "tail"},
	{UPD_REVERTING, B, A, B, 0, 0, 1, UPD_REVERTING, 1, "go_back"},
	{UPD_RESTORING, A, A, A, 0, 0, 1, UPD_REVERTED, 1, "tail"},
	{UPD_RESTORING, A, A, -1, 0, 0, 1, UPD_REVERTED, 1, "tail"},
	{UPD_RESTORING, A, A, -1, 0, 1, 1, UPD_RESTORING, 1, "restore"},
	{UPD_RESTORING, A, A, B, 0, 1, 1, UPD_RESTORING, 1, "restore"},
	{UPD_RESTORING, A, A, NONE, 0, 0, 1, UPD_RESTORING, 1, "restore"},
	{UPD_RESTORING, B, A, B, 0, 0, 1, UPD_REVERTING, 1, "go_back report"},
	{UPD_REVERTED, A, A, A, 0, 0, 1, UPD_REVERTED, 1, "tail"},
	{UPD_FAILED, A, A, A, 0, 0, 1, UPD_FAILED, 1, "tail"},
	{UPD_STUCK, B, A, NONE, 0, 0, 1, UPD_STUCK, 1, ""},
};

static void power_up_goes_on_from_what_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(power_ups); i++) {
		struct upd_event ev = event(UEV_POWER_UP);
		struct upd_record r;

		device_in(power_ups[i].state, &r);
		r.attempt = power_ups[i].attempt;
		ev.boot.active = power_ups[i].active;
		ev.boot.confirmed = power_ups[i].confirmed;
		ev.boot.fell_back = power_ups[i].fell_back;
		ev.svc.alive = power_ups[i].runs != NONE;
		ev.svc.slot = power_ups[i].runs < 0 ? SLOT_NONE : (unsigned)power_ups[i].runs;
		ev.boot_id += !power_ups[i].same_boot;
		step(&r, ev);
		expect(&r, power_ups[i].to, power_ups[i].acts);
		assert_int_equal(r.attempt, power_ups[i].to_attempt);
	}
}

static void a_soak_goes_on_where_it_was(void **state)
{
	struct upd_event ev = event_on_new(UEV_POWER_UP);
	struct upd_record r;

	(void)state;
	device_in(UPD_SOAKING, &r);
	r.soak_done = SEC(40);
	r.start_ended = 9;
	ev.boot_id++;
	ev.svc.ended = 1;
	step(&r, ev);
	expect(&r, UPD_SOAKING, "watch");
	assert_int_equal(r.soak_done, SEC(40));
	assert_int_equal(
		r.start_ended, 1); /* the supervisor counts from the start of the machine */
	assert_true(acts.save);
	ev.svc.ended = 2;
	step(&r, ev); /* only the agent was restarted: what ended meanwhile counts */
	assert_int_equal(r.start_ended, 1);
	ev.svc.ended = 0;
	step(&r, ev); /* the supervisor was restarted, too */
	assert_int_equal(r.start_ended, 0);
	ev.svc.alive = false;
	step(&r, ev);
	expect(&r, UPD_STARTING, "apply report");
	assert_int_equal(r.soak_done, SEC(40));
}

/* What was seen, what was granted before; whether the tries are granted again. */
static const struct {
	enum upd_state state;
	bool counts, crashed, alive;
	unsigned left, rearms;
	bool again;
} losses[] = {
	{UPD_STARTING, 1, 0, 1, 2, 0, false}, /* the start that a trial takes */
	{UPD_STARTING, 1, 0, 1, 1, 0, true}, {UPD_STARTING, 1, 0, 1, 0, 0, true},
	{UPD_STARTING, 1, 0, 0, 0, 0, true}, /* the workload is not up yet */
	{UPD_STARTING, 1, 1, 1, 0, 0, false},
	{UPD_STARTING, 0, 0, 1, 0, 0, false}, /* nobody counts */
	{UPD_STARTING, 1, 0, 1, 0, 1, true}, {UPD_STARTING, 1, 0, 1, 0, 2, false},
	{UPD_SOAKING, 1, 0, 1, 1, 0, true}, {UPD_SOAKING, 1, 0, 0, 1, 1, true},
	{UPD_SOAKING, 1, 1, 1, 1, 0, false}, {UPD_SOAKING, 1, 0, 1, 2, 0, false},
	{UPD_COMMITTING, 1, 0, 1, 0, 0, false}, /* confirmed is better than granted */
};

static void lost_tries_are_granted_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		struct upd_event ev = event_on_new(UEV_POWER_UP);
		struct upd_record r;

		device_in(losses[i].state, &r);
		r.soak_done = losses[i].state == UPD_SOAKING ? SEC(40) : r.soak_done;
		r.rearms = losses[i].rearms;
		ev.boot_id++;
		ev.boot.counts = losses[i].counts;
		ev.boot.crashed = losses[i].crashed;
		ev.boot.tries_left = losses[i].left;
		ev.svc.alive = losses[i].alive;
		step(&r, ev);
		if (losses[i].again)
			expect(&r, UPD_SWITCHING, "try_next report");
		else
			assert_int_not_equal(r.state, UPD_SWITCHING);
		assert_int_equal(r.rearms, losses[i].rearms + losses[i].again);
		if (losses[i].state == UPD_SOAKING)
			assert_int_equal(r.soak_done, SEC(40));
	}
}

/* The machine was started from it: its workload may take its time, and no try is counted for that.
 */
static void a_slot_that_was_started_is_in_use(void **state)
{
	struct upd_event ev = event_on_new(UEV_POWER_UP);
	struct upd_record r;

	(void)state;
	ev.svc.alive = false;
	ev.boot_id++;
	device_in(UPD_STARTING, &r);
	step(&r, ev);
	expect(&r, UPD_STARTING, "apply");
	assert_int_equal(r.attempt, 1);
	device_in(UPD_STAGING, &r);
	ev.boot.active = ev.boot.confirmed = 0;
	step(&r, ev);
	expect(&r, UPD_REVERTING, "go_back report");
}

/* A boot loader that cannot count does not start it; that is no fault of the release. */
static void what_was_never_started_is_not_blamed(void **state)
{
	struct upd_event ev = event(UEV_POWER_UP);
	struct upd_record r;

	(void)state;
	device_in(UPD_STARTING, &r);
	r.attempt = UPD_ATTEMPT_MAX;
	ev.boot = (struct boot_view){.active = 1, .tries_left = 3, .counts = true};
	ev.boot_id++;
	step(&r, ev);
	expect(&r, UPD_REVERTING, "go_back report");
	assert_int_equal(r.why, ERR_TIMEOUT);
	assert_false(upd_is_blamed(&r));
}

static void a_boot_loader_that_gave_up_is_a_cause(void **state)
{
	struct upd_event ev = event(UEV_POWER_UP);
	struct upd_record r;

	(void)state;
	device_in(UPD_STARTING, &r);
	ev.boot.fell_back = true;
	ev.boot_id++;
	step(&r, ev);
	expect(&r, UPD_REVERTING, "go_back report");
	assert_int_equal(r.why, ERR_FELL_BACK);
	assert_int_equal(r.cause, TRIG_BOOT_FAILED);
	assert_true(upd_is_blamed(&r));
}

static void a_pause_survives_the_power_cut(void **state)
{
	struct upd_event ev = event(UEV_POWER_UP);
	struct upd_record r;

	(void)state;
	device_in(UPD_STAGING, &r);
	r.wake_wall = NOW + SEC(10);
	ev.boot_id++;
	step(&r, ev);
	expect(&r, UPD_STAGING, "wake_at");
	assert_int_equal(find_act(UACT_WAKE_AT)->at, NOW + SEC(10));
}

/* ---- the laws themselves: that each one bites ---- */

static void broken_law(struct step *s, const char *want)
{
	struct err e = {0};

	assert_int_equal(laws_check(s, &e), -ERR_BUG);
	if (!strstr(e.text, want))
		fail_msg("\"%s\" instead of \"%s\"", e.text, want);
}

static void each_law_bites(void **state)
{
	struct upd_event ev = event(UEV_POWER_UP);
	struct upd_record now, next;
	struct upd_acts a = {.save = true, .n = 1};
	struct step s = {&now, &ev, &next, &a};
	struct err e = {0};

#define GIVEN(from, to) (device_in(from, &now), next = now, next.state = to, a.n = 0, a.save = true)
#define WITH(k, sl)     (a.n = 1, a.v[0] = (struct upd_act){.kind = k, .slot = sl})
	(void)state;
	GIVEN(UPD_SWITCHING, UPD_SWITCHING), WITH(UACT_TRY_NEXT, 0);
	broken_law(&s, "law 1");
	GIVEN(UPD_SWITCHING, UPD_SWITCHING), WITH(UACT_TRY_NEXT, 1);
	assert_int_equal(laws_check(&s, &e), 0);
	memset(&now.content, 0, sizeof now.content);
	memset(&next.content, 0, sizeof next.content);
	broken_law(&s, "law 1");
	GIVEN(UPD_REVERTING, UPD_REVERTING), WITH(UACT_GO_BACK, 1);
	broken_law(&s, "law 1");
	GIVEN(UPD_STAGING, UPD_STAGING), WITH(UACT_STAGE, 0);
	broken_law(&s, "law 2");
	GIVEN(UPD_STAGING, UPD_STAGING), WITH(UACT_STAGE, 1);
	ev.svc.slot = 1;
	broken_law(&s, "law 2");
	ev.svc.slot = 0;
	ev.boot.active = 1;
	broken_law(&s, "law 2");
	GIVEN(UPD_COMMITTING, UPD_COMMITTED);
	broken_law(&s, "law 3: committed");
	GIVEN(UPD_RESTORING, UPD_REVERTED);
	broken_law(&s, "law 3: reverted");
	GIVEN(UPD_SWITCHING, UPD_FAILED), next.why = ERR_IO;
	broken_law(&s, "law 3: failed");
	ev.boot.active = 0;
	GIVEN(UPD_SOAKING, UPD_COMMITTING);
	broken_law(&s, "before the soak is over");
	GIVEN(UPD_STAGING, UPD_SEALED);
	broken_law(&s, "without a sealed slot");
	GIVEN(UPD_SOAKING, UPD_SOAKING), next.counter_floor = 4;
	broken_law(&s, "law 4: the floor rises");
	GIVEN(UPD_SOAKING, UPD_SOAKING), next.counter_floor = 2;
	broken_law(&s, "law 4: the floor sinks");
	GIVEN(UPD_STAGING, UPD_SOAKING);
	broken_law(&s, "a move that is not in the table");
	GIVEN(UPD_SOAKING, UPD_SOAKING), a.save = false, next.soak_done = 1;
	broken_law(&s, "would not be saved");
	GIVEN(UPD_SOAKING, UPD_SOAKING), next.txn.b[0] = 9;
	broken_law(&s, "another");
	GIVEN(UPD_SOAKING, UPD_SOAKING), WITH(UACT_STAGE, 1);
	broken_law(&s, "not the state's");
	GIVEN(UPD_SOAKING, UPD_REVERTING);
	broken_law(&s, "without a reason");
	GIVEN(UPD_IDLE, UPD_ACCEPTED), next.slot_new = 0, now = next;
	broken_law(&s, "no slot");
#undef GIVEN
#undef WITH
}

static void names_come_from_the_table(void **state)
{
	(void)state;
	assert_string_equal(upd_state_name(UPD_SOAKING), "soaking");
	assert_string_equal(upd_state_name(UPD_STATE_MAX), "?");
	assert_string_equal(upd_event_name(UEV_SOAK_OVER), "soak_over");
	assert_string_equal(upd_event_name(UEV_MAX), "?");
	assert_string_equal(upd_act_name(UACT_GO_BACK), "go_back");
	assert_string_equal(upd_act_name(UACT_NONE), "?");
	assert_string_equal(upd_state_text(UPD_IDLE), "waits for a desired state");
	assert_string_equal(upd_state_text(UPD_STATE_MAX), "?");
	assert_true(upd_event_looks(UEV_POWER_UP));
	assert_false(upd_event_looks(UEV_TICK));
	assert_false(upd_event_looks(UEV_MAX));
	assert_false(upd_is_busy(UPD_IDLE));
	assert_true(upd_is_busy(UPD_FAILED));
	assert_false(upd_is_busy(UPD_STUCK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_filled),
		cmocka_unit_test(no_event_breaks_a_law),
		cmocka_unit_test(what_means_nothing_changes_nothing),
		cmocka_unit_test(late_answers_are_ignored),
		cmocka_unit_test(a_good_update_is_committed),
		cmocka_unit_test(preconditions_hold_an_update_up),
		cmocka_unit_test(a_wait_that_lasts_too_long_ends_the_update),
		cmocka_unit_test(the_first_release_of_all_has_no_way_back),
		cmocka_unit_test(the_way_back_from_the_first_release_is_silence),
		cmocka_unit_test(what_runs_already_is_not_wanted_again),
		cmocka_unit_test(failures_lead_where_the_table_says),
		cmocka_unit_test(staging_waits_longer_and_longer),
		cmocka_unit_test(tries_are_bounded),
		cmocka_unit_test(an_unknown_cause_is_an_order),
		cmocka_unit_test(answers_need_evidence),
		cmocka_unit_test(cancel_has_an_end_from_every_state),
		cmocka_unit_test(only_a_soak_can_be_vouched_for),
		cmocka_unit_test(a_newer_wish_ends_what_has_not_switched),
		cmocka_unit_test(a_trial_is_only_called_back_to_the_old_release),
		cmocka_unit_test(power_up_goes_on_from_what_is_seen),
		cmocka_unit_test(a_soak_goes_on_where_it_was),
		cmocka_unit_test(lost_tries_are_granted_twice),
		cmocka_unit_test(a_slot_that_was_started_is_in_use),
		cmocka_unit_test(what_was_never_started_is_not_blamed),
		cmocka_unit_test(a_boot_loader_that_gave_up_is_a_cause),
		cmocka_unit_test(a_pause_survives_the_power_cut),
		cmocka_unit_test(each_law_bites),
		cmocka_unit_test(names_come_from_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
