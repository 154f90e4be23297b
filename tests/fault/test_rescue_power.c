/* The agent was lost in the middle of a soak, and another process takes the trial out of its hands
 * (agent_rescue). The power is cut at every operation of that; then the machine starts again with
 * what the disk has, and either the rescue or the device's own agent comes next. Whoever it is, it
 * must come to a good end; a rescue always ends on the old version. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/log.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/expect.h"
#include "tests/lib/simdev.h"

#define WHY       "the agent was silent for too long during the trial"
#define SEED_KILL UINT64_MAX /* the rescue is killed, the machine stays up */

struct lab {
	struct sim_vendor vendor;
	const struct sim_release *old, *new;
	struct simdev image; /* soaks, and has no agent any more */
	struct crashfs *disk;
	unsigned cuts, ends_old, ends_new;
};

static bool is_lost(void *ctx)
{
	return crashfs_is_cut(ctx);
}

static bool is_soaking(const struct simdev *d)
{
	return agent_state(d->agent) == UPD_SOAKING;
}

static void run(struct simdev *d, struct crashfs *c, bool rescue)
{
	struct err e;

	/* As the program does it: nobody is asked. */
	snprintf(d->conf.server.url, sizeof d->conf.server.url, "%s", rescue ? "" : "http://sim");
	if (simdev_start_agent(d, &e) < 0) {
		if (!crashfs_is_cut(c))
			simdev_blame(d, "the agent does not start: %s", e.text);
		return;
	}
	if (rescue)
		agent_rescue(d->agent, WHY);
	simdev_run(d, NULL, is_lost, c);
}

static void prepare(struct lab *l)
{
	struct simdev *d = &l->image;

	sim_vendor_init(&l->vendor);
	sim_vendor_make(&l->vendor, "sim-1", 1, SIM_GOOD);
	sim_vendor_make(&l->vendor, "sim-2", 2, SIM_GOOD);
	l->old = &l->vendor.rel[0];
	l->new = &l->vendor.rel[1];
	l->disk = crashfs_new();
	simdev_init(d, crashfs_fs(l->disk), &l->vendor, 7);
	simdev_power_up(d);
	simdev_want(d, l->old, false);
	run(d, l->disk, false);
	simdev_check_rest(d);
	simdev_want(d, l->new, false);
	simdev_run(d, is_soaking, is_lost, l->disk);
	assert_int_equal(agent_state(d->agent), UPD_SOAKING);
	simdev_stop_agent(d);
	expect_text(d->violation, "");
	crashfs_settle(l->disk);
}

static void check_end(struct lab *l, struct simdev *d, uint64_t cut, uint64_t seed, bool rescued)
{
	simdev_check_rest(d);
	const struct sim_release *is = simdev_content(d, simdev_active(d));

	if (is == l->new && !rescued)
		l->ends_new++;
	else if (is == l->old)
		l->ends_old++;
	else
		simdev_blame(d, "it ended on %s", is ? is->id.s : "nothing");
	if (d->violation[0])
		fail_msg("cut %llu seed %llu: %s", (unsigned long long)cut,
			(unsigned long long)seed, d->violation);
}

/* Returns the number of operations of the first rescue. `next` says whether a rescue comes after
 * the cut, too. */
static uint64_t try(struct lab *l, uint64_t cut, uint64_t seed, bool next)
{
	struct crashfs *c = crashfs_dup(l->disk);
	struct simdev d = l->image;
	bool rescued = true;

	simdev_adopt(&d, crashfs_fs(c));
	crashfs_reset_ops(c);
	crashfs_cut_at(c, cut);
	run(&d, c, true);
	uint64_t ops = crashfs_ops(c);

	while (crashfs_is_cut(c)) {
		simdev_stop_agent(&d);
		if (seed == SEED_KILL)
			crashfs_revive(c);
		else
			crashfs_reboot(c, seed);
		simdev_check_marks(&d);
		crashfs_cut_at(c, 0);
		if (seed != SEED_KILL)
			simdev_power_up(&d);
		rescued = next;
		run(&d, c, next);
	}
	assert_non_null(d.agent);
	check_end(l, &d, cut, seed, rescued);
	simdev_fini(&d);
	crashfs_free(&c);
	return ops;
}

static void a_rescue_survives_a_cut_anywhere(void **state)
{
	static struct lab l;

	(void)state;
	log_init("test_rescue_power", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	prepare(&l);
	uint64_t ops = try(&l, 0, 0, true);

	assert_int_equal(l.ends_old, 1);
	for (uint64_t cut = 1; cut <= ops; cut++) {
		const uint64_t seeds[] = {0, 1, 2 + cut, SEED_KILL};

		for (size_t i = 0; i < ARRAY_LEN(seeds); i++, l.cuts++)
			try(&l, cut, seeds[i], (cut + i) % 2);
	}
	printf("== power cuts in a rescue: %llu operations, %u cuts; ended on the old release %u times, on the new one %u, no "
	       "violation\n",
		(unsigned long long)ops, l.cuts, l.ends_old, l.ends_new);
	simdev_fini(&l.image);
	crashfs_free(&l.disk);
	sim_vendor_fini(&l.vendor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_rescue_survives_a_cut_anywhere)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
