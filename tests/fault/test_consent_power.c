/* The power is cut at every operation that a person's answer makes on the disk: afterwards it was
 * given or it was not, one that was acknowledged is kept, and the server hears of it once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/log.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/expect.h"
#include "tests/lib/simdev.h"

#define SEEDS 4

static struct sim_vendor vendor;

static void run_for(struct simdev *d, ms_t span)
{
	ms_t end = d->now + span;

	while (d->now < end) {
		agent_run(d->agent);
		d->now = MAX(d->now + 1, MIN(end, d->booted + d->wake));
	}
	agent_run(d->agent);
}

static void power_up(struct simdev *d)
{
	struct err e;

	simdev_power_up(d);
	expect_ok(simdev_start_agent(d, &e), &e);
}

static void wait_in_ready(struct simdev *d)
{
	run_for(d, MINUTE(2));
	expect_text(upd_state_name(agent_state(d->agent)), upd_state_name(UPD_READY));
}

static int answer(struct simdev *d)
{
	JSON_AUTO *ask = json_pack("{s:s, s:s}", "answer", "yes", "who", "anna");
	json_t *got = NULL;
	struct err e;
	int rc = agent_answer(d->agent, CTL_CONSENT, ask, &got, &e);

	json_decref(got);
	return rc;
}

static unsigned consents(const struct simdev *d)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->server.n_reports; i++)
		n += d->server.report[i].kind == REPORT_CONSENT;
	return n;
}

/* A device that waits for consent, with everything durable. */
static void make(struct simdev *d, struct crashfs **out_disk, const struct sim_release *r)
{
	*out_disk = crashfs_new();
	simdev_init(d, crashfs_fs(*out_disk), &vendor, 3);
	snprintf(d->conf.precond.rule[PRECOND_CONSENT], LIMIT_PRECOND_TEXT, "yes");
	simdev_want(d, r, false);
	power_up(d);
	wait_in_ready(d);
	simdev_stop_agent(d);
	crashfs_settle(*out_disk);
}

/* True when the cut came after the answer. */
static bool try(const struct simdev *image, const struct crashfs *disk, uint64_t cut, uint64_t seed)
{
	struct crashfs *c = crashfs_dup(disk);
	struct simdev d = *image;

	simdev_adopt(&d, crashfs_fs(c));
	power_up(&d);
	wait_in_ready(&d);
	crashfs_reset_ops(c);
	crashfs_cut_at(c, cut);
	bool taken = answer(&d) == 0, beyond = !crashfs_is_cut(c);

	simdev_stop_agent(&d);
	if (beyond)
		crashfs_settle(c);
	else
		crashfs_reboot(c, seed);
	power_up(&d);
	run_for(&d, MINUTE(3));
	if (agent_state(d.agent) == UPD_READY) {
		if (taken)
			simdev_blame(&d, "an answer that was acknowledged is gone");
		assert_int_equal(answer(&d), 0);
	}
	simdev_run(&d, NULL, NULL, NULL);
	simdev_check_rest(&d);
	if (!d.violation[0] && consents(&d) != 1)
		simdev_blame(&d, "the server has heard of it %u times", consents(&d));
	if (d.violation[0])
		fail_msg("cut %llu seed %llu: %s", (unsigned long long)cut,
			(unsigned long long)seed, d.violation);
	simdev_fini(&d);
	crashfs_free(&c);
	return beyond;
}

static bool is_idle(const struct simdev *d)
{
	return agent_state(d->agent) == UPD_IDLE;
}

static bool is_lost(void *disk)
{
	return crashfs_is_cut(disk);
}

/* Everybody has agreed: whenever the power goes from here to the end, what runs then did not begin
 * without the server being told what its preconditions saw. True when the cut came too late. */
static bool try_switch(
	const struct simdev *image, const struct crashfs *disk, uint64_t cut, uint64_t seed)
{
	struct crashfs *c = crashfs_dup(disk);
	struct simdev d = *image;

	simdev_adopt(&d, crashfs_fs(c));
	power_up(&d);
	wait_in_ready(&d);
	assert_int_equal(answer(&d), 0);
	crashfs_settle(c);
	crashfs_reset_ops(c);
	crashfs_cut_at(c, cut);
	simdev_run(&d, is_idle, is_lost, c);
	bool beyond = !crashfs_is_cut(c);

	simdev_stop_agent(&d);
	if (beyond)
		crashfs_settle(c);
	else
		crashfs_reboot(c, seed);
	power_up(&d);
	simdev_run(&d, NULL, NULL, NULL);
	simdev_check_rest(&d);
	if (!d.violation[0] && d.server.switched.n_conditions != 1)
		simdev_blame(
			&d, "the server was told of %u conditions", d.server.switched.n_conditions);
	if (d.violation[0])
		fail_msg("cut %llu seed %llu: %s", (unsigned long long)cut,
			(unsigned long long)seed, d.violation);
	simdev_fini(&d);
	crashfs_free(&c);
	return beyond;
}

static void the_power_goes_at_the_switch(void **state UNUSED)
{
	struct crashfs *disk;
	struct simdev image;
	uint64_t cut = 1, cuts = 0;
	bool beyond = false;

	log_init("test_consent_power", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	sim_vendor_init(&vendor);
	make(&image, &disk, sim_vendor_make(&vendor, "sim-1", 1, SIM_GOOD));
	for (; !beyond; cut++)
		for (uint64_t seed = 0; seed < SEEDS; seed++, cuts++)
			beyond = try_switch(&image, disk, cut, seed);
	printf("== the switch: %llu cuts at %llu operations, what was seen is told each time\n",
		(unsigned long long)cuts, (unsigned long long)cut - 1);
	assert_true(cut > 20);
	simdev_fini(&image);
	sim_vendor_fini(&vendor);
	crashfs_free(&disk);
}

static void the_power_goes_while_somebody_agrees(void **state UNUSED)
{
	struct crashfs *disk;
	struct simdev image;
	uint64_t cut = 1, cuts = 0;
	bool beyond = false;

	log_init("test_consent_power", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	sim_vendor_init(&vendor);
	make(&image, &disk, sim_vendor_make(&vendor, "sim-1", 1, SIM_GOOD));
	for (; !beyond; cut++)
		for (uint64_t seed = 0; seed < SEEDS; seed++, cuts++)
			beyond = try(&image, disk, cut, seed);
	printf("== consent: %llu cuts at %llu operations, each given or not, none lost, none told "
	       "twice\n",
		(unsigned long long)cuts, (unsigned long long)cut - 1);
	assert_true(cut > 20);
	simdev_fini(&image);
	sim_vendor_fini(&vendor);
	crashfs_free(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_power_goes_while_somebody_agrees),
		cmocka_unit_test(the_power_goes_at_the_switch)};

	return cmocka_run_group_tests_name("consent_power", tests, NULL, NULL);
}
