/* The whole agent on a disk that is full, broken or read-only from operation N on, with a clock
 * that jumps at step N, and over state files that somebody has damaged. While it lasts the device
 * works as far as its disk lets it and says what is wrong; afterwards it comes to a good end, with
 * the quarantine it had.
 *
 * Tables of what happens, and one line of numbers each. BACKSTAY_LONG=1 tries every operation, step
 * and byte, in every scenario. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/expect.h"
#include "tests/lib/lab.h"

#define LASTS         MINUTE(3)
#define RESTART_AFTER SEC(5)
#define STEPS_MAX     2000 /* of the agent's loop in that time; more is a loop without an end */

static struct lab lab;
static ms_t late;
static unsigned steps;

static bool is_late(const struct simdev *d)
{
	steps++;
	return d->now >= late || steps >= STEPS_MAX;
}

/* The device lives on; an agent that cannot start is tried again, as a service manager does. */
static void endure(struct lab_life *x, ms_t span)
{
	struct simdev *d = &x->dev;
	struct err e = {0};

	late = d->now + span;
	steps = 0;
	while (d->now < late && steps < STEPS_MAX && !d->violation[0]) {
		if (d->agent || simdev_start_agent(d, &e) == 0) {
			simdev_run(d, is_late, NULL, NULL);
			continue;
		}
		if (e.code == ERR_OK || e.code == ERR_BUG)
			simdev_blame(d, "it does not start, for no reason: %s", e.text);
		d->now += RESTART_AFTER;
	}
	if (steps >= STEPS_MAX)
		simdev_blame(d, "it turns in a circle");
}

/* What runs is whole, and something does, unless it was ordered not to start at all. */
static void check_work(struct lab_life *x)
{
	struct simdev *d = &x->dev;

	if (!x->start->s->before[0][0] || strcmp(x->start->s->wanted, "sim-dead") == 0)
		return;
	if (!d->work.alive)
		simdev_blame(d, "nothing runs while it lasts");
	else if (!simdev_content(d, d->work.slot))
		simdev_blame(d, "what runs is not whole");
}

/* ---- the disk ---- */

static const struct disk_trouble {
	const char *name;
	int sys;
	bool half; /* writes leave their first half behind */
	enum {
		PASSES,  /* it is over after a while */
		RESTART, /* the agent is killed and started while it lasts */
		START
	} ends; /* it is over when the machine is started again */
} disk_troubles[] = {
	{"a full disk", ENOSPC, false, PASSES},
	{"a full disk and short writes", ENOSPC, true, RESTART},
	{"input/output errors", EIO, false, PASSES},
	{"input/output errors and short writes", EIO, true, START},
	{"a disk that becomes read-only", EROFS, false, START},
	{"a disk that is read-only for a while", EROFS, false, RESTART},
};

static uint64_t operations_of(const struct lab_start *t)
{
	struct lab_life x;

	lab_enter(&lab, t, &x);
	lab_run_machine(&x);
	uint64_t ops = crashfs_ops(x.disk);

	lab_check_end(&x, true);
	lab_leave(&x, "nothing");
	return ops;
}

static bool try_disk(const struct lab_start *t, const struct disk_trouble *trouble, uint64_t n)
{
	struct lab_life x;
	char what[200];

	lab_enter(&lab, t, &x);
	crashfs_write_half(x.disk, trouble->half);
	crashfs_fail_at(x.disk, n, UINT64_MAX, trouble->sys);
	simdev_power_up(&x.dev);
	endure(&x, LASTS);
	check_work(&x);
	if (trouble->ends == RESTART) {
		simdev_stop_agent(&x.dev);
		endure(&x, LASTS);
		check_work(&x);
	}
	crashfs_fail_at(x.disk, 0, 0, 0);
	if (trouble->ends == START)
		lab_go_on(&x, 2 + n, 0);
	else if (x.dev.agent)
		simdev_run(&x.dev, NULL, NULL, NULL);
	else
		lab_run_agent(&x);
	bool is_new = lab_check_end(&x, false);

	snprintf(what, sizeof(what), "%s from operation %llu on", trouble->name,
		(unsigned long long)n);
	lab_leave(&x, what);
	return is_new;
}

static void the_disk_gives_trouble(void **state UNUSED)
{
	unsigned tried = 0, ends_new = 0;

	lab.violations = 0;
	for (unsigned s = 0; s < lab_n_scenarios; s++) {
		struct lab_start t;

		if (lab_scenarios[s].long_only && !lab.is_long)
			continue;
		lab_start_init(&lab, &lab_scenarios[s], &t);
		uint64_t ops = operations_of(&t);

		for (uint64_t n = 1 + s % 5; n <= ops; n += lab.is_long ? 1 : 5)
			for (size_t i = 0; i < ARRAY_LEN(disk_troubles); i++) {
				if (!lab.is_long && i != (n + s) % ARRAY_LEN(disk_troubles))
					continue;
				ends_new += try_disk(&t, &disk_troubles[i], n);
				tried++;
			}
		lab_start_fini(&t);
	}
	printf("== disk trouble: %u times from some operation on, %u ended on the new release, "
	       "%u violations\n",
		tried, ends_new, lab.violations);
	assert_int_equal(lab.violations, 0);
}

/* ---- the clock ---- */

#define DAY   ((ms_t)86400000)
#define Y1970 ((ms_t)-1700000000000) /* from the simulation's beginning */
#define Y2100 ((ms_t)2402444800000)

static const struct clock_trouble {
	const char *name;
	ms_t skew, then; /* after the second jump, a few steps later */
} clock_troubles[] = {
	{"a clock that falls to 1970", Y1970, Y1970},
	{"a clock that jumps to 2100", Y2100, Y2100},
	{"a clock that was in 1970 for a while", Y1970, 0},
	{"a clock that was in 2100 for a while", Y2100, 0},
	{"an hour back", -MINUTE(60), -MINUTE(60)},
	{"an hour forward", MINUTE(60), MINUTE(60)},
	{"a day forth and back", DAY, -DAY},
};

static unsigned left;

static bool is_enough(const struct simdev *d UNUSED)
{
	return left-- == 0;
}

static bool settles(const struct simdev *d)
{
	steps++;
	return steps >= STEPS_MAX || (agent_is_settled(d->agent) && !agent_trouble(d->agent, NULL));
}

/* Whether there was such a step. */
static bool try_clock(
	const struct lab_start *t, const struct clock_trouble *trouble, unsigned n, bool starts)
{
	struct lab_life x;
	struct err e;
	char what[200];

	lab_enter(&lab, t, &x);
	simdev_power_up(&x.dev);
	expect_ok(simdev_start_agent(&x.dev, &e), &e);
	left = n;
	simdev_run(&x.dev, is_enough, NULL, NULL);
	bool is_over = agent_is_settled(x.dev.agent);

	x.dev.skew = trouble->skew;
	if (starts) {
		simdev_stop_agent(&x.dev);
		simdev_power_up(&x.dev);
		expect_ok(simdev_start_agent(&x.dev, &e), &e);
	}
	left = 3;
	simdev_run(&x.dev, is_enough, NULL, NULL);
	x.dev.skew = trouble->then;
	steps = 0;
	simdev_run(&x.dev, settles, NULL, NULL);
	if (steps >= STEPS_MAX)
		simdev_blame(&x.dev, "it does not settle in %u steps", STEPS_MAX);
	lab_check_end(&x, true);
	snprintf(what, sizeof(what), "%s at step %u%s", trouble->name, n,
		starts ? ", and the machine starts" : "");
	lab_leave(&x, what);
	return !is_over;
}

static void the_clock_gives_trouble(void **state UNUSED)
{
	unsigned tried = 0;

	lab.violations = 0;
	for (unsigned s = 0; s < lab_n_scenarios; s++) {
		struct lab_start t;
		bool more = true;

		if (lab_scenarios[s].long_only && !lab.is_long)
			continue;
		lab_start_init(&lab, &lab_scenarios[s], &t);
		for (unsigned n = 0; more; n++)
			for (size_t i = 0; i < 2 * ARRAY_LEN(clock_troubles); i++) {
				if (!lab.is_long && i != (n + s) % (2 * ARRAY_LEN(clock_troubles)))
					continue;
				more = try_clock(&t, &clock_troubles[i / 2], n, i % 2);
				tried++;
			}
		lab_start_fini(&t);
	}
	printf("== clock trouble: %u jumps, %u violations\n", tried, lab.violations);
	assert_int_equal(lab.violations, 0);
}

/* ---- main ---- */

static int make(void **state UNUSED)
{
	lab_init(&lab, "test_trouble");
	return 0;
}

static int clean(void **state UNUSED)
{
	lab_fini(&lab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_disk_gives_trouble),
		cmocka_unit_test(the_clock_gives_trouble),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
