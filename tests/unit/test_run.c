/* The server's engine from reports and orders to signed metadata, without HTTP. Every file that a
 * device is given here is verified by the code that devices use. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/excluded.h"
#include "server/run/admit.h"
#include "server/run/campaign.h"
#include "server/run/intake.h"
#include "server/run/publish.h"
#include "tests/lib/fleet.h"

#define N 6

static struct fleet f;
static struct fleet_device dev[N];

#define WAVES                                                                                      \
	"[{\"name\": \"one\", \"count\": 1, \"soak_ms\": 60000},"                                  \
	" {\"name\": \"two\", \"count\": 2, \"soak_ms\": 60000},"                                  \
	" {\"name\": \"rest\", \"share_permille\": 1000, \"soak_ms\": 0}]"

static struct fleet_device kept[N];

/* Signing takes a while: two releases and six devices are made once. */
static int make(void **state)
{
	(void)state;
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_release(&f, "toy-2", 2, "toy-1");
	fleet_lanes(&f, kept, N, "toy-1");
	fleet_keep(&f);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fleet_open(&f);
	memcpy(dev, kept, sizeof dev);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fleet_close(&f);
	return 0;
}

/* The device at a position of the campaign. */
static struct fleet_device *at(const char *campaign, uint32_t position)
{
	for (unsigned i = 0; i < N; i++)
		if (fleet_position(&f, campaign, dev[i].id) == position)
			return &dev[i];
	fail_msg("no device at position %u", position);
	return NULL;
}

static void start(const char *campaign, const char *release, unsigned max_failures)
{
	fleet_campaign(&f, campaign, release, WAVES, max_failures);
	fleet_order(&f, campaign, WEV_START);
}

/* ---- stories ---- */

static void a_device_without_an_order_stays_as_it_is(void **state)
{
	(void)state;
	assert_false(fleet_poll(&f, &dev[0]));
	assert_int_equal(dev[0].desired.order, DESIRED_NOTHING);
	assert_true(*dev[0].etag);
	assert_false(fleet_poll(&f, &dev[0])); /* the same tag again */
}

static void a_good_release_reaches_everybody(void **state)
{
	(void)state;
	start("spring", "toy-2", 0);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_FIRST);
	for (uint32_t i = 1; i < N; i++)
		assert_false(fleet_update(&f, at("spring", i), "committed"));
	assert_true(fleet_update(&f, at("spring", 0), "committed"));
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_SOAK);
	assert_false(fleet_update(&f, at("spring", 1), "committed"));
	fleet_pass(&f, 60000);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_OPEN);
	assert_true(fleet_update(&f, at("spring", 2), "committed"));
	assert_true(fleet_update(&f, at("spring", 1), "committed"));
	assert_false(fleet_update(&f, at("spring", 3), "committed"));
	fleet_pass(&f, 60000);
	for (uint32_t i = 3; i < N; i++)
		assert_true(fleet_update(&f, at("spring", i), "committed"));
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_DONE);
	fleet_check(&f, "spring");
	for (unsigned i = 0; i < N; i++)
		assert_false(fleet_poll(&f, &dev[i])); /* told what it runs: nothing to do */
}

static void a_judged_campaign_is_stored_and_replayed(void **state)
{
	struct campaign_row c;
	struct err e;

	(void)state;
	fleet_campaign(&f, "spring", "toy-2",
		"[{\"name\": \"two\", \"count\": 2, \"soak_ms\": 60000},"
		" {\"name\": \"rest\", \"share_permille\": 1000, \"approval\": true}],"
		" \"judge\": {\"when_inconclusive\": \"hold\"}",
		10);
	fleet_order(&f, "spring", WEV_START);
	assert_true(fleet_update(&f, at("spring", 0), "reverted"));
	assert_true(fleet_update(&f, at("spring", 1), "committed"));
	fleet_restart(&f);
	fleet_pass(&f, 60000);
	expect_ok(campaigns_get(&f.store, "spring", &c, &e), &e);
	assert_int_equal(c.wave.phase, WAVE_HOLD);
	assert_int_equal(c.wave.hold, WAVE_HOLD_JUDGE);
	assert_int_equal(c.wave.judge.devices, 2);
	assert_int_equal(c.wave.judge.failures, 1);
	assert_int_equal(c.wave.judge.verdict, JUDGE_INCONCLUSIVE);
	campaign_row_fini(&c);
	fleet_check(&f, "spring");
	expect_ok(campaign_order(f.run, "spring", WEV_APPROVE, "ann", "the lab is sure", &e), &e);
	expect_err(campaign_order(f.run, "spring", WEV_APPROVE, "ann", "really", &e), &e,
		ERR_CONFLICT, "somebody else", "ann");
	fleet_restart(&f);
	expect_ok(campaign_order(f.run, "spring", WEV_APPROVE, "bob", "me too", &e), &e);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_HOLD); /* the wave wants an approval */
	fleet_order(&f, "spring", WEV_APPROVE);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_OPEN);
	fleet_check(&f, "spring");
}

static void a_bad_release_is_taken_back_everywhere(void **state)
{
	struct fleet_device *first, *second, *third;

	(void)state;
	start("spring", "toy-2", 0);
	first = at("spring", 0);
	second = at("spring", 1);
	third = at("spring", 2);
	assert_true(fleet_update(&f, first, "committed"));
	fleet_pass(&f, 60000);
	assert_true(fleet_poll(&f, third)); /* admitted, and knows it */
	assert_true(fleet_update(&f, second, "reverted"));
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_ROLLING_BACK);
	/* who went back by itself is told to stay, the others to go back */
	assert_false(fleet_poll(&f, second));
	expect_text(second->desired.path, "toy/toy-1.json");
	assert_int_equal(fleet_state(&f, "spring", second->id), RECIPIENT_REVERTED);
	assert_true(fleet_update(&f, first, "committed"));
	assert_int_equal(first->desired.order, DESIRED_ROLLBACK);
	expect_text(first->running.s, "toy-1");
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_BACK);
	/* the third had not left: that it has read the order is enough */
	assert_false(fleet_poll(&f, third));
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_ROLLING_BACK);
	assert_false(fleet_poll(&f, third));
	assert_int_equal(fleet_state(&f, "spring", third->id), RECIPIENT_BACK);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_HALTED);
	fleet_check(&f, "spring");
}

static void a_release_that_fails_on_the_first_goes_nowhere(void **state)
{
	(void)state;
	start("spring", "toy-2", 3);
	assert_true(fleet_update(&f, at("spring", 0), "failed"));
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_HALTED);
	for (unsigned i = 0; i < N; i++)
		assert_false(fleet_update(&f, &dev[i], "committed"));
	/* and its devices are free for the next one */
	fleet_release(&f, "toy-3", 3, "toy-1");
	start("summer", "toy-3", 0);
	assert_true(fleet_update(&f, at("summer", 0), "committed"));
	fleet_check(&f, "spring");
	fleet_check(&f, "summer");
}

static void a_refusal_counts_when_asking_again_cannot_help(void **state)
{
	struct fleet_device *first;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < N; i++)
		assert_false(fleet_poll(&f, &dev[i])); /* so that there is an older order */
	start("spring", "toy-2", 0);
	first = at("spring", 0);
	assert_true(fleet_poll(&f, first));
	expect_ok(fleet_report(&f, first, REPORT_REFUSED, ERR_EXPIRED, &e), &e);
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_ADMITTED);
	first->desired.director_version--;
	expect_ok(fleet_report(&f, first, REPORT_REFUSED, ERR_QUARANTINED, &e), &e);
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_ADMITTED);
	first->desired.director_version++;
	expect_ok(fleet_report(&f, first, REPORT_REFUSED, ERR_QUARANTINED, &e), &e);
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_FAILED);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_HALTED);
}

static void silence_is_a_failure_and_polls_are_not_silence(void **state)
{
	struct fleet_device *first;

	(void)state;
	start("spring", "toy-2", 0);
	first = at("spring", 0);
	assert_true(fleet_poll(&f, first));
	for (unsigned i = 0; i < 5; i++) { /* it waits for its window, and says that it lives */
		fleet_pass(&f, MINUTE(9));
		fleet_poll(&f, first);
	}
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_ADMITTED);
	fleet_pass(&f, MINUTE(9));
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_ADMITTED);
	fleet_pass(&f, MINUTE(2));
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_ORDERED_BACK);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_ROLLING_BACK);
	fleet_pass(&f, MINUTE(11));
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_SILENT);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_HALTED);
	/* it had committed meanwhile, and comes home late */
	first->running = first->target;
	first->running_digest = first->desired.hash;
	first->state = "idle";
	assert_true(fleet_update(&f, first, "committed"));
	assert_int_equal(first->desired.order, DESIRED_ROLLBACK);
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_BACK);
	fleet_check(&f, "spring");
}

static void nobody_is_silent_while_the_server_was_down(void **state)
{
	struct fleet_device *first;

	(void)state;
	start("spring", "toy-2", 0);
	first = at("spring", 0);
	assert_true(fleet_poll(&f, first));
	f.now += MINUTE(600);
	fleet_restart(&f);
	fleet_pass(&f, MINUTE(9));
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_ADMITTED);
	fleet_pass(&f, MINUTE(2));
	assert_int_not_equal(fleet_state(&f, "spring", first->id), RECIPIENT_ADMITTED);
}

static void a_person_rolls_back_what_was_done(void **state)
{
	struct err e;

	(void)state;
	a_good_release_reaches_everybody(state);
	expect_err(campaign_order(f.run, "spring", WEV_ROLL_BACK, "ann", "", &e), &e, ERR_BAD_INPUT,
		"reason", "rollback");
	fleet_order(&f, "spring", WEV_ROLL_BACK);
	fleet_order(&f, "spring", WEV_ROLL_BACK); /* again: the same */
	for (unsigned i = 0; i < N; i++)
		assert_true(fleet_update(&f, &dev[i], "committed"));
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_HALTED);
	for (unsigned i = 0; i < N; i++)
		expect_text(dev[i].running.s, "toy-1");
	fleet_check(&f, "spring");
}

static void a_later_campaign_is_rolled_back_first(void **state)
{
	struct err e;

	(void)state;
	a_good_release_reaches_everybody(state);
	fleet_release(&f, "toy-3", 3, "toy-2");
	start("summer", "toy-3", 0);
	expect_err(campaign_order(f.run, "spring", WEV_ROLL_BACK, "ann", "why not", &e), &e,
		ERR_CONFLICT, "campaign summer", "two at once");
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_DONE);
}

static void a_device_with_nothing_to_go_back_to_says_so(void **state)
{
	struct fleet_device fresh;

	(void)state;
	start("spring", "toy-2", 0);
	fleet_order(&f, "spring", WEV_HALT);
	fleet_device(&f, &fresh, "fresh", "");
	for (unsigned i = 0; i < N; i++)
		fleet_device(&f, &dev[i], dev[i].id, "toy-2"); /* run it already */
	fleet_campaign(&f, "first", "toy-2", WAVES, 0);
	fleet_order(&f, "first", WEV_START);
	assert_true(fleet_update(&f, &fresh, "committed"));
	fleet_order(&f, "first", WEV_ROLL_BACK);
	assert_int_equal(fleet_state(&f, "first", "fresh"), RECIPIENT_FAILED);
	assert_int_equal(fleet_phase(&f, "first"), WAVE_HALTED);
	assert_false(fleet_poll(&f, &fresh));
	assert_int_equal(fresh.desired.order, DESIRED_NOTHING);
}

static void somebody_at_the_device_may_take_it_back(void **state)
{
	struct fleet_device *first;
	struct sha256 before;
	struct err e;

	(void)state;
	before = dev[0].running_digest;
	start("spring", "toy-2", 0);
	first = at("spring", 0);
	assert_true(fleet_update(&f, first, "committed"));
	first->state = "idle";
	expect_ok(fleet_report(&f, first, REPORT_STATE, ERR_OK, &e), &e);
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_COMMITTED);
	first->running_digest = before;
	expect_ok(fleet_report(&f, first, REPORT_OUTCOME, ERR_OK, &e), &e);
	assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_REVERTED);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_HALTED);
}

/* ---- recipients ---- */

static int see(void *ctx, const char *device, const char *verdict, struct err *e)
{
	(void)e;
	buf_addf(ctx, "%s %s\n", device, verdict);
	return 0;
}

static void who_cannot_take_part_is_told_why(void **state)
{
	struct fleet_device other, done, newer;
	BUF_AUTO said = {0};
	struct err e;

	(void)state;
	fleet_release(&f, "toy-3", 3, "toy-1");
	fleet_campaign(&f, "busy", "toy-3", WAVES, 0);
	fleet_order(&f, "busy", WEV_START); /* takes all six */
	fleet_device(&f, &done, "done", "toy-2");
	fleet_device(&f, &newer, "newer", "toy-3");
	fleet_device(&f, &other, "other", "toy-1");
	fleet_campaign(&f, "spring", "toy-2", WAVES, 0);
	fleet_order(&f, "spring", WEV_START);
	expect_ok(excluded_each(&f.store, "spring", see, &said, &e), &e);
	expect_text(buf_cstr(&said), "done runs it already\n"
				     "lane-0 takes part in campaign busy\n"
				     "lane-1 takes part in campaign busy\n"
				     "lane-2 takes part in campaign busy\n"
				     "lane-3 takes part in campaign busy\n"
				     "lane-4 takes part in campaign busy\n"
				     "lane-5 takes part in campaign busy\n"
				     "newer runs toy-3, whose release counter is higher (3 > 2)\n");
	assert_int_equal(fleet_position(&f, "spring", "other"), 0);
}

static void a_campaign_for_nobody_is_refused(void **state)
{
	struct err e;

	(void)state;
	fleet_campaign(&f, "again", "toy-1", WAVES, 0);
	expect_err(campaign_order(f.run, "again", WEV_START, "ann", "", &e), &e, ERR_CONFLICT,
		"runs it already", "start");
	assert_int_equal(fleet_phase(&f, "again"), WAVE_DRAFT);
}

/* What the device would refuse is not tried: better no update than no way back. */
static void nobody_takes_part_who_could_not_be_ordered_back(void **state)
{
	struct err e;

	(void)state;
	fleet_release(&f, "toy-3", 3, "toy-2");
	fleet_campaign(&f, "spring", "toy-3", WAVES, 0);
	expect_err(campaign_order(f.run, "spring", WEV_START, "ann", "", &e), &e, ERR_CONFLICT,
		"does not pre-authorise toy-1", "start");
}

static void positions_survive_a_restart(void **state)
{
	uint32_t before[N];

	(void)state;
	start("spring", "toy-2", 0);
	for (unsigned i = 0; i < N; i++)
		before[i] = fleet_position(&f, "spring", dev[i].id);
	fleet_restart(&f);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(before[i], fleet_position(&f, "spring", dev[i].id));
	assert_true(fleet_update(&f, at("spring", 0), "committed"));
}

/* ---- reports ---- */

static void a_report_counts_once(void **state)
{
	BUF_AUTO before = {0}, after = {0}, body = {0};
	struct report r;
	bool duplicate;
	struct err e;

	(void)state;
	report_init(&r);
	r.seq = dev[0].seq;
	r.at = f.now;
	r.kind = REPORT_OUTCOME;
	report_encode(&r, &body);
	fleet_dump(&f, &before);
	expect_ok(intake_report(f.run, dev[0].id, &r, buf_str(&body), &duplicate, &e), &e);
	assert_true(duplicate);
	fleet_dump(&f, &after);
	expect_text(buf_cstr(&after), buf_cstr(&before));
}

static void a_device_that_was_reinstalled_counts_anew(void **state)
{
	struct device_row d;
	struct err e;

	(void)state;
	dev[0].state = "staging";
	expect_ok(fleet_report(&f, &dev[0], REPORT_STATE, ERR_OK, &e), &e);
	f.now += 1000;
	fleet_device(&f, &dev[0], dev[0].id, "toy-2"); /* number 1 again, other words */
	expect_ok(devices_get(&f.store, dev[0].id, &d, &e), &e);
	assert_int_equal(d.epoch, 2);
	assert_int_equal(d.seq, 1);
	expect_text(d.running.s, "toy-2");
	expect_ok(fleet_report(&f, &dev[0], REPORT_STATE, ERR_OK, &e), &e);
	expect_ok(devices_get(&f.store, dev[0].id, &d, &e), &e);
	assert_int_equal(d.seq, 2);
}

static void progress_is_written_with_the_contacts(void **state)
{
	struct device_row d;
	struct report r;
	bool duplicate;
	struct err e;

	(void)state;
	report_init(&r);
	r.seq = 9;
	r.at = f.now;
	r.kind = REPORT_PROGRESS;
	r.done = 5;
	r.total = 10;
	expect_ok(intake_report(f.run, dev[0].id, &r, STR("{}"), &duplicate, &e), &e);
	expect_ok(devices_get(&f.store, dev[0].id, &d, &e), &e);
	assert_int_equal(d.total, 0);
	fleet_pass(&f, 1000);
	expect_ok(devices_get(&f.store, dev[0].id, &d, &e), &e);
	assert_int_equal(d.done, 5);
	assert_int_equal(d.total, 10);
	assert_int_equal(d.contact, f.now - 1000);
}

static void a_stranger_is_told_to_register(void **state)
{
	char etag[80];
	struct err e;

	(void)state;
	expect_err(admit_poll(f.run, "stranger", "", etag, &e), &e, ERR_NOT_FOUND, "stranger", "");
}

/* ---- freshness ---- */

static void metadata_is_signed_again_before_it_expires(void **state)
{
	uint64_t version;
	char etag[80];

	(void)state;
	assert_false(fleet_poll(&f, &dev[0]));
	version = dev[0].desired.director_version;
	memcpy(etag, dev[0].etag, sizeof etag);
	fleet_pass(&f, SEC(86400) / 2 - 1000);
	assert_false(fleet_poll(&f, &dev[0]));
	expect_text(dev[0].etag, etag);
	fleet_pass(&f, 1000);
	assert_false(fleet_poll(&f, &dev[0]));
	assert_string_not_equal(dev[0].etag, etag);
	assert_int_equal(dev[0].desired.director_version, version); /* only the timestamp */
	for (unsigned day = 0; day < 40; day++) {
		fleet_pass(&f, SEC(86400));
		assert_false(fleet_poll(&f, &dev[0])); /* verifies both repositories */
	}
	assert_true(dev[0].desired.director_version > version);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_judged_campaign_is_stored_and_replayed),
		T(a_device_without_an_order_stays_as_it_is),
		T(a_good_release_reaches_everybody),
		T(a_bad_release_is_taken_back_everywhere),
		T(a_release_that_fails_on_the_first_goes_nowhere),
		T(a_refusal_counts_when_asking_again_cannot_help),
		T(silence_is_a_failure_and_polls_are_not_silence),
		T(nobody_is_silent_while_the_server_was_down),
		T(a_person_rolls_back_what_was_done),
		T(a_later_campaign_is_rolled_back_first),
		T(a_device_with_nothing_to_go_back_to_says_so),
		T(somebody_at_the_device_may_take_it_back),
		T(who_cannot_take_part_is_told_why),
		T(a_campaign_for_nobody_is_refused),
		T(nobody_takes_part_who_could_not_be_ordered_back),
		T(positions_survive_a_restart),
		T(a_report_counts_once),
		T(a_device_that_was_reinstalled_counts_anew),
		T(progress_is_written_with_the_contacts),
		T(a_stranger_is_told_to_register),
		T(metadata_is_signed_again_before_it_expires),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
