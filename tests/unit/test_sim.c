/* Campaigns in virtual time: that they end as they must, and that a seed is a course. */
#include "tests/lib/expect.h"

#include <string.h>

#include "server/sim/queue.h"
#include "server/sim/sim.h"

static const struct policy judged = {
	.first_alone = true,
	.max_failures = LIMIT_DEVICES,
	.silence = MINUTE(60),
	.roll_back_on_abort = true,
	.judge = {.on = true,
		.abort_alpha = 10000,
		.promote_alpha = 50000,
		.bad = 50000,
		.base = 5000,
		.guard_failures = 2,
		.guard_first = 5,
		.unsure = POLICY_WIDEN,
		.extend_max = 1},
	.n_waves = 3,
	.waves = {{.name = "a", .count = 5, .soak = MINUTE(60)},
		{.name = "b", .permille = 50, .soak = MINUTE(60)}, {.name = "c"}},
};

static struct sim_conf usual(const struct policy *p, uint32_t fail)
{
	return (struct sim_conf){.policy = p,
		.devices = 300,
		.begin = MINUTE(1000000),
		.poll = MINUTE(5),
		.update_min = MINUTE(1),
		.update_max = MINUTE(4),
		.fail = fail,
		.silent = 100000,
		.seed = 7};
}

static struct sim_result run(const struct sim_conf *c)
{
	struct sim_result r;
	struct err e;

	expect_ok(sim_campaign(c, &r, &e), &e);
	return r;
}

static void moments_come_in_order(void **state)
{
	struct queue q = {0};
	struct prng random = {3};
	ms_t last = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		queue_put(&q, (struct moment){(ms_t)prng_below(&random, 90), i, 0});
	for (uint32_t i = 0, device = 0; i < 1000; i++) {
		const struct moment m = *queue_first(&q);

		assert_true(m.at > last || (m.at == last && (m.device > device || !i)));
		last = m.at;
		device = m.device;
		queue_take(&q);
	}
	assert_null(queue_first(&q));
	queue_fini(&q);
}

static void a_good_release_reaches_everybody(void **state)
{
	struct sim_conf c = usual(&judged, 0);
	struct sim_result r = run(&c);

	(void)state;
	assert_int_equal(r.end, SIM_DONE);
	assert_int_equal(r.had_it, 300);
	assert_int_equal(r.failed, 0);
	assert_true(r.took >= MINUTE(120)); /* two soaks */
}

static void a_very_bad_one_stays_with_a_few(void **state)
{
	struct sim_conf c = usual(&judged, 900000);

	(void)state;
	for (c.seed = 1; c.seed < 50; c.seed++) {
		struct sim_result r = run(&c);

		assert_int_equal(r.end, SIM_ABORTED);
		assert_true(r.had_it <= 20);
		assert_true(r.failed >= 2);
	}
}

static void a_seed_is_a_course(void **state)
{
	struct sim_conf c = usual(&judged, 30000);
	struct sim_result a = run(&c), b = run(&c), other;

	(void)state;
	assert_memory_equal(&a, &b, sizeof a);
	c.seed++;
	other = run(&c);
	assert_true(other.trace != a.trace);
}

static void a_freeze_is_waited_for(void **state)
{
	struct policy p = judged;
	struct sim_conf c = usual(&p, 0);

	(void)state;
	p.n_freezes = 1;
	p.freezes[0] = (struct policy_freeze){
		.name = "fair", .from = c.begin, .until = c.begin + MINUTE(60 * 24 * 10)};
	assert_true(run(&c).took > MINUTE(60 * 24 * 10));
}

static void people_are_asked(void **state)
{
	struct policy p = judged;
	struct sim_conf c = usual(&p, 0);

	(void)state;
	p.judge.unsure = POLICY_HOLD;
	assert_int_equal(run(&c).end, SIM_ASKS);
	p = judged;
	p.waves[2].approval = true;
	c.approve_after = MINUTE(60 * 24);
	assert_int_equal(run(&c).end, SIM_DONE);
	assert_true(run(&c).took > MINUTE(60 * 24));
	c.horizon = MINUTE(60);
	assert_int_equal(run(&c).end, SIM_TOO_LONG);
}

/* Hundreds begin together, and those that fail are heard of first. */
static void what_is_usual_is_no_reason(void **state)
{
	struct policy p = judged;
	struct sim_conf c = usual(&p, 5000);
	unsigned aborted = 0;

	(void)state;
	c.devices = 1000;
	c.silent = 0;
	c.update_min = c.watch = MINUTE(10);
	c.update_max = MINUTE(20);
	for (c.seed = 1; c.seed <= 100; c.seed++)
		aborted += run(&c).end == SIM_ABORTED;
	assert_in_range(aborted, 0, 4);
}

/* ---- with a control group ---- */

static struct policy compared(void)
{
	struct policy p = judged;

	p.control = (struct policy_control){200000, 20};
	p.ratio_alpha = 1000;
	p.judge.guard_failures = 0;
	p.waves[1].permille = 200;
	return p;
}

static struct sim_conf watched(const struct policy *p, uint32_t fail)
{
	struct sim_conf c = usual(p, fail);

	c.update_min = c.watch = MINUTE(10);
	c.update_max = MINUTE(20);
	return c;
}

static void a_control_group_is_heard(void **state)
{
	struct policy p = compared();
	struct sim_conf c = watched(&p, 0);
	struct sim_result r;

	(void)state;
	c.usual = 5000;
	for (c.seed = 1; c.seed < 20; c.seed++) {
		r = run(&c);
		assert_int_equal(r.end, SIM_DONE);
		assert_int_equal(r.had_it, 300);
		assert_in_range(r.compared, 100, 180); /* 60 of them, in each of two waves */
		assert_in_range(r.compared_bad, 0, 5);
	}
}

/* Before anybody of the last wave has it. */
static void it_shows_what_is_worse(void **state)
{
	struct policy p = compared();
	struct sim_conf c = watched(&p, 300000);
	unsigned found = 0;

	(void)state;
	for (c.seed = 1; c.seed <= 50; c.seed++) {
		struct sim_result r = run(&c);

		assert_int_equal(r.end, SIM_ABORTED);
		found += r.by == JUDGE_BY_POOLED && r.wave < 2 && r.had_it <= 65;
	}
	assert_in_range(found, 45, 50);
}

/* Those who fail whatever they run are in both arms. */
static void what_fails_in_any_case_is_not_held_against_it(void **state)
{
	struct policy p = compared();
	struct sim_conf c = watched(&p, 0);
	unsigned aborted = 0;

	(void)state;
	c.sick = 150000;
	c.until_wave = 2; /* in which nobody is left to compare with */
	for (c.seed = 1; c.seed <= 100; c.seed++) {
		struct sim_result r = run(&c);

		aborted += r.end == SIM_ABORTED;
		assert_in_range(r.compared_bad, 4, 40);
	}
	assert_in_range(aborted, 0, 2);
}

/* Who cannot be reached does not ask, is taken for silent, and is heard of again. */
static void an_outage_is_lived_through(void **state)
{
	struct policy p = judged;
	struct sim_conf c = watched(&p, 0);
	uint32_t silent = 0;

	(void)state;
	p.judge.on = false;
	c.trouble = (struct sim_trouble){500000, true, MINUTE(95), MINUTE(200)};
	for (c.seed = 1; c.seed <= 10; c.seed++) {
		struct sim_result r = run(&c);

		assert_int_equal(r.end, SIM_DONE);
		assert_int_equal(r.had_it, 300);
		assert_true(r.took > MINUTE(295));
		silent += r.failed;
	}
	assert_true(silent > 0);
}

static void what_cannot_be_is_refused(void **state)
{
	const struct policy none = {0};
	const struct policy c = compared();
	struct sim_conf bad[] = {usual(&none, 0), usual(&judged, 1000001), usual(&judged, 0),
		usual(&judged, 0), usual(&judged, 0), usual(&c, 0), usual(&judged, 0),
		usual(&judged, 0)};
	struct sim_result r = {.steps = 5};
	struct err e;

	(void)state;
	bad[2].devices = 0;
	bad[3].poll = 0;
	bad[4].update_max = 0;
	bad[6].watch = bad[6].update_min + 1;
	bad[7].sick = 1000001;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_err(sim_campaign(&bad[i], &r, &e), &e, ERR_BAD_INPUT, NULL, "row");
	assert_int_equal(r.steps, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_come_in_order),
		cmocka_unit_test(a_good_release_reaches_everybody),
		cmocka_unit_test(a_very_bad_one_stays_with_a_few),
		cmocka_unit_test(a_seed_is_a_course),
		cmocka_unit_test(a_freeze_is_waited_for),
		cmocka_unit_test(people_are_asked),
		cmocka_unit_test(what_is_usual_is_no_reason),
		cmocka_unit_test(a_control_group_is_heard),
		cmocka_unit_test(it_shows_what_is_worse),
		cmocka_unit_test(what_fails_in_any_case_is_not_held_against_it),
		cmocka_unit_test(an_outage_is_lived_through),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
