/* A recall, from its order to the last device: whoever has the release goes back, from whatever
 * campaign, over restarts of the server; and who cannot be ordered back is told to a person. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/audit.h"
#include "server/run/campaign.h"
#include "tests/lib/fleet.h"

#define N 6

static struct fleet f;
static struct fleet_device kept[N], dev[N];

static int make(void **state UNUSED)
{
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_release(&f, "toy-2", 2, "toy-1");
	fleet_release(&f, "toy-3", 3, "toy-2");
	fleet_lanes(&f, kept, N, "toy-1");
	fleet_keep(&f);
	return 0;
}

static int setup(void **state UNUSED)
{
	fleet_open(&f);
	memcpy(dev, kept, sizeof dev);
	return 0;
}

static int teardown(void **state UNUSED)
{
	fleet_close(&f);
	return 0;
}

/* A draft for two devices. */
static void draft(const char *id, const char *release, unsigned one, unsigned two)
{
	JSON_AUTO *selector = json_pack("{s:[s, s]}", "devices", dev[one].id, dev[two].id);
	struct campaign_new in = {.who = "ann", .selector = selector};
	struct err e;
	bool is_new;

	snprintf(in.id.s, sizeof in.id.s, "%s", id);
	snprintf(in.release, sizeof in.release, "%s", release);
	expect_ok(policy_parse(
			  STR("{\"format\": 1, \"name\": \"p\", \"first_alone\": false,"
			      " \"waves\": [{\"name\": \"all\", \"count\": 2, \"soak_ms\": 0}]}"),
			  &in.policy, &e),
		&e);
	expect_ok(campaign_create(f.run, &in, &is_new, &e), &e);
}

static void run_on(const char *id, const char *release, unsigned one, unsigned two)
{
	draft(id, release, one, two);
	fleet_order(&f, id, WEV_START);
	assert_true(fleet_update(&f, &dev[one], "committed"));
	assert_true(fleet_update(&f, &dev[two], "committed"));
	assert_int_equal(fleet_phase(&f, id), WAVE_DONE);
}

struct wanted {
	const char *what, *text;
	unsigned found;
};

static int has_text(void *ctx, const struct audit_row *a, const struct sha256 *chain UNUSED,
	struct err *e UNUSED)
{
	struct wanted *w = ctx;

	w->found += strcmp(a->what, w->what) == 0 && strstr(a->text, w->text);
	return 0;
}

static void expect_audited(const char *what, const char *text)
{
	struct wanted w = {what, text, 0};
	struct err e;

	expect_ok(audit_each(&f.store, 0, 1000, has_text, &w, &e), &e);
	if (w.found != 1)
		fail_msg("the audit log has \"%s\" %u times", text, w.found);
}

/* What a device does that is ordered back to toy-1. */
static void goes_back(unsigned i)
{
	assert_true(fleet_update(&f, &dev[i], "committed"));
	expect_text(dev[i].running.s, "toy-1");
}

static void everybody_who_has_it_goes_back(void **state UNUSED)
{
	struct err e;

	run_on("north", "toy-2", 0, 1);
	draft("south", "toy-2", 2, 3);
	draft("never", "toy-2", 4, 5);
	fleet_order(&f, "south", WEV_START);
	assert_true(fleet_update(&f, &dev[2], "committed"));
	assert_true(fleet_poll(&f, &dev[3])); /* told, and not switched yet */

	expect_err(campaign_order(f.run, "south", WEV_ROLL_BACK_ALL, "ann", "", &e), &e,
		ERR_BAD_INPUT, "a reason is wanted", "");
	expect_ok(campaign_order(f.run, "south", WEV_ROLL_BACK_ALL, "ann", "26-114", &e), &e);
	assert_int_equal(fleet_phase(&f, "south"), WAVE_ROLLING_BACK);
	assert_int_equal(fleet_phase(&f, "north"), WAVE_ROLLING_BACK);
	assert_int_equal(fleet_phase(&f, "never"), WAVE_DRAFT);
	expect_audited("rollback", "campaign south of the same release went wrong");

	goes_back(0);
	fleet_restart(&f);
	goes_back(2);
	assert_int_equal(fleet_state(&f, "north", dev[0].id), RECIPIENT_BACK);
	assert_int_equal(fleet_phase(&f, "north"), WAVE_ROLLING_BACK);
	goes_back(1);
	assert_int_equal(fleet_phase(&f, "north"), WAVE_HALTED);
	/* It hears of it before it has switched: nothing is to be done. */
	assert_false(fleet_poll(&f, &dev[3]));
	assert_false(fleet_poll(&f, &dev[3]));
	assert_int_equal(fleet_state(&f, "south", dev[3].id), RECIPIENT_BACK);
	assert_int_equal(fleet_phase(&f, "south"), WAVE_HALTED);
	for (unsigned i = 0; i < N; i++)
		assert_false(fleet_poll(&f, &dev[i]));
	/* The same order once more changes nothing. */
	expect_ok(campaign_order(f.run, "south", WEV_ROLL_BACK_ALL, "ann", "26-114", &e), &e);
	assert_int_equal(fleet_phase(&f, "south"), WAVE_HALTED);
	fleet_check(&f, "north");
	fleet_check(&f, "south");
}

/* Devices that another campaign has taken further do what that one says. */
static void who_is_further_is_left_to_a_person(void **state UNUSED)
{
	run_on("west", "toy-2", 0, 1);
	run_on("east", "toy-2", 2, 3);
	draft("later", "toy-3", 0, 1);
	fleet_order(&f, "later", WEV_START);
	assert_true(fleet_update(&f, &dev[0], "committed"));
	fleet_order(&f, "east", WEV_ROLL_BACK_ALL);
	assert_int_equal(fleet_phase(&f, "east"), WAVE_ROLLING_BACK);
	assert_int_equal(fleet_phase(&f, "west"), WAVE_DONE);
	assert_int_equal(fleet_phase(&f, "later"), WAVE_OPEN);
	goes_back(2);
	goes_back(3);
	assert_int_equal(fleet_phase(&f, "east"), WAVE_HALTED);
	assert_true(fleet_update(&f, &dev[1], "committed"));
	expect_text(dev[1].running.s, "toy-3");
	expect_audited("left", " takes part in campaign later now: roll that one back");
	fleet_check(&f, "west");
	fleet_check(&f, "east");
	fleet_check(&f, "later");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(everybody_who_has_it_goes_back),
		T(who_is_further_is_left_to_a_person),
	};

	return cmocka_run_group_tests_name("run_recall", tests, make, NULL);
}
