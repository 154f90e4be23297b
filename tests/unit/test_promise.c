#include "tests/lib/expect.h"

#include <string.h>

#include "agent/core/promise.h"

#define LOST MINUTE(5)

static struct upd_record record(enum upd_state s)
{
	struct upd_record r;

	upd_record_init(&r);
	r.state = s;
	memset(&r.txn, 0xa1, sizeof r.txn);
	r.start_timeout = SEC(30);
	r.soak_want = MINUTE(10);
	return r;
}

static void what_is_promised_follows_from_the_record(void **state)
{
	static const struct {
		enum upd_state state;
		ms_t soak_done;
		bool on_trial;
		ms_t decision_in;
	} rows[] = {
		{UPD_IDLE, 0, false, 0},
		{UPD_READY, 0, false, 0},
		{UPD_SWITCHING, 0, true, MINUTE(26)},
		{UPD_STARTING, 0, true, MINUTE(26)},
		{UPD_SOAKING, 0, true, MINUTE(26)},
		{UPD_SOAKING, MINUTE(6), true, MINUTE(14)},
		{UPD_SOAKING, MINUTE(11), true, MINUTE(6)},
		{UPD_COMMITTING, MINUTE(10), true, MINUTE(6)},
		{UPD_REVERTING, MINUTE(1), true, MINUTE(6)},
		{UPD_RESTORING, MINUTE(1), true, MINUTE(6)},
		{UPD_COMMITTED, 0, false, 0},
		{UPD_REVERTED, 0, false, 0},
		{UPD_FAILED, 0, false, 0},
		{UPD_STUCK, 0, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct upd_record r = record(rows[i].state);
		struct promise p;

		r.soak_done = rows[i].soak_done;
		promise_eval(&r, LOST, &p);
		assert_int_equal(p.on_trial, rows[i].on_trial);
		assert_int_equal(p.decision_in, rows[i].decision_in);
		assert_int_equal(p.message_in, rows[i].on_trial ? LOST : 0);
		if (p.on_trial)
			assert_true(promise_every(&p) * 3 < p.message_in);
		/* the agent ends a soak that gets nowhere before anybody else does */
		if (rows[i].state == UPD_SOAKING)
			assert_true(
				promise_patience(r.soak_want - r.soak_done, LOST) < p.decision_in);
	}
}

static void a_decision_is_never_put_off(void **state)
{
	struct promise p = {true, SEC(10), SEC(100)};
	struct txn_id one = {{1}}, other = {{2}};
	struct promise_note n, next;

	(void)state;
	promise_note(&p, &one, SEC(1000), NULL, &n);
	assert_int_equal(n.message_due, SEC(1010));
	assert_int_equal(n.decision_due, SEC(1100));
	promise_note(&p, &one, SEC(1050), &n, &next);
	assert_int_equal(next.message_due, SEC(1060));
	assert_int_equal(next.decision_due, SEC(1100));
	p.decision_in = SEC(20);
	promise_note(&p, &one, SEC(1050), &n, &next);
	assert_int_equal(next.decision_due, SEC(1070));
	promise_note(&p, &other, SEC(2000), &n, &next);
	assert_int_equal(next.decision_due, SEC(2020));
}

static void a_broken_promise_is_seen(void **state)
{
	struct promise_note n = {.pid = 7, .message_due = SEC(1000), .decision_due = SEC(2000)};
	struct promise_note late = {.pid = 7, .message_due = SEC(9000), .decision_due = SEC(2000)};
	struct promise_note strange = n;
	const struct {
		enum upd_state state;
		const struct promise_note *n;
		ms_t awake;
		enum promise_fault want;
	} rows[] = {
		{UPD_SOAKING, &n, SEC(999), PROMISE_KEPT},
		{UPD_SOAKING, &n, SEC(1000), PROMISE_SILENT},
		{UPD_SOAKING, &n, SEC(2000), PROMISE_UNDECIDED},
		{UPD_SOAKING, &late, SEC(1999), PROMISE_KEPT},
		{UPD_SOAKING, &late, SEC(2000), PROMISE_UNDECIDED},
		{UPD_RESTORING, &n, SEC(1000), PROMISE_SILENT},
		{UPD_IDLE, &n, SEC(9000), PROMISE_KEPT},
		{UPD_READY, &n, SEC(9000), PROMISE_KEPT},
		{UPD_STUCK, &n, SEC(9000), PROMISE_KEPT},
		/* started again since: it has as long as it may be silent */
		{UPD_SOAKING, NULL, LOST - 1, PROMISE_KEPT},
		{UPD_SOAKING, NULL, LOST, PROMISE_SILENT},
		{UPD_SOAKING, &strange, LOST - 1, PROMISE_KEPT},
		{UPD_SOAKING, &strange, LOST, PROMISE_SILENT},
	};

	(void)state;
	memset(&n.txn, 0xa1, sizeof n.txn);
	memset(&late.txn, 0xa1, sizeof late.txn);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct upd_record r = record(rows[i].state);

		assert_int_equal(promise_look(&r, rows[i].n, rows[i].awake, LOST), rows[i].want);
	}
}

/* Whatever the rescue sends, the machine has a cell for it that leads back. */
static void a_rescue_leads_back(void **state)
{
	(void)state;
	for (enum upd_state s = 0; s < UPD_STATE_MAX; s++) {
		struct upd_record r = record(s), next;
		struct upd_acts acts;
		struct upd_event ev = {
			.kind = promise_rescue(s), .txn = r.txn, .cause = TRIG_UNDECIDED};
		struct err e;

		if (ev.kind == UEV_MAX)
			continue;
		r.slot_old = 0;
		r.slot_new = 1;
		memset(&r.content, 1, sizeof r.content);
		err_set(&ev.err, ERR_TRIGGERED, "lost");
		expect_ok(upd_step(&r, &ev, &next, &acts, &e), &e);
		assert_int_equal(next.state, UPD_REVERTING);
	}
}

static const char good[] = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 17 9000 1000000 2000000\n";

static void notes_are_read(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 17 9000 1000000 2000000",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 17 9000 1000000\n",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 17 9000 1000000 2000000 3\n",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 17 9000 1000000 2000000 \n",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 17 9000 1000000 2000000\n",
		"g1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 17 9000 1000000 2000000\n",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 0 9000 1000000 2000000\n",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 -1 9000 1000000 2000000\n",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 2147483648 9000 1000000 2000000\n",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 17 9000 1000000 9223372036854775808\n",
		"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1  17 9000 1000000 2000000\n",
	};
	struct promise_note n, before;
	char text[PROMISE_NOTE_MAX], many[PROMISE_NOTE_MAX + 1];
	struct err e;

	(void)state;
	expect_ok(promise_parse(str_of(good), &n, &e), &e);
	assert_int_equal(n.pid, 17);
	assert_int_equal(n.start, 9000);
	assert_int_equal(n.message_due, SEC(1000));
	assert_int_equal(n.decision_due, SEC(2000));
	expect_text(promise_format(&n, text), good);
	before = n;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(promise_parse(str_of(bad[i]), &n, &e), -ERR_BAD_INPUT);
		assert_memory_equal(&n, &before, sizeof n);
	}
	memset(many, '1', sizeof many);
	many[sizeof many - 1] = '\n';
	assert_int_equal(promise_parse((struct str){many, sizeof many}, &n, &e), -ERR_BAD_INPUT);
	/* the longest that can be written is read */
	n = (struct promise_note){{{0}}, INT32_MAX, UINT64_MAX, INT64_MAX, INT64_MAX};
	expect_ok(promise_parse(str_of(promise_format(&n, text)), &n, &e), &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_promised_follows_from_the_record),
		cmocka_unit_test(a_decision_is_never_put_off),
		cmocka_unit_test(a_broken_promise_is_seen),
		cmocka_unit_test(a_rescue_leads_back),
		cmocka_unit_test(notes_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
