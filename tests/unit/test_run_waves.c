/* What the server does around the wave engine: the control group is heard once a wave, what is
 * transient is tried again, who comes late joins, and a frozen channel starts nothing. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/run/campaign.h"
#include "server/run/channel.h"
#include "server/run/control.h"
#include "server/run/run_priv.h"
#include "tests/lib/fleet.h"

#define N 8

static struct fleet f;
static struct fleet_device d[N + 1];

static void setup(const char *policy)
{
	JSON_AUTO *selector = json_pack("{s:b}", "all", 1);
	struct campaign_new in = {.id = {"spring"}, .who = "ann", .selector = selector};
	struct err e;
	bool is_new;

	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_release(&f, "toy-2", 2, "toy-1");
	for (unsigned i = 0; i < N; i++) {
		char id[16];

		snprintf(id, sizeof id, "dev-%u", i);
		fleet_device(&f, &d[i], id, "toy-1");
	}
	snprintf(in.release, sizeof in.release, "toy-2");
	expect_ok(policy_parse(str_of(policy), &in.policy, &e), &e);
	expect_ok(campaign_create(f.run, &in, &is_new, &e), &e);
}

static struct fleet_device *at(uint32_t position)
{
	for (unsigned i = 0; i < N; i++)
		if (fleet_position(&f, "spring", d[i].id) == position)
			return &d[i];
	fail_msg("nobody is at %u", position);
	return NULL;
}

static void look(struct campaign_row *out)
{
	struct err e;

	expect_ok(campaigns_get(&f.store, "spring", out, &e), &e);
}

static uint32_t heard(void)
{
	CAMPAIGN_ROW_AUTO c = {0};

	look(&c);
	return c.wave.control_heard;
}

static void watch(const struct fleet_device *who, ms_t when, uint64_t samples)
{
	struct telemetry_watch w = {.at = when, .release = who->running_digest, .samples = samples};
	struct err e;

	expect_ok(run_begin(f.run, &e), &e);
	expect_ok(run_end(f.run, control_watched(f.run, who->id, &w, &e), &e), &e);
}

static void the_control_group_counts_once_a_wave(void **state)
{
	struct fleet_device stranger = {.id = "nobody"};

	(void)state;
	setup("{\"format\": 1, \"name\": \"p\", \"judge\": {}, \"control\": {\"share_ppm\": 500000},"
	      " \"waves\": [{\"name\": \"a\", \"count\": 2}, {\"name\": \"b\", \"count\": 2}]}");
	fleet_order(&f, "spring", WEV_START);
	f.now += 10;
	watch(at(0), f.now, 5);
	watch(at(7), f.now - 20, 5);
	watch(at(7), f.now, 0);
	watch(&stranger, f.now, 5);
	assert_int_equal(heard(), 0);
	watch(at(7), f.now, 5);
	watch(at(7), f.now, 5);
	watch(at(7), f.now + 1000, 5);
	assert_int_equal(heard(), 1);
	watch(at(6), f.now, 5);
	assert_int_equal(heard(), 2);
	fleet_restart(&f);
	watch(at(6), f.now, 5);
	assert_int_equal(heard(), 2);
	fleet_check(&f, "spring");
	fleet_close(&f);
}

static void what_is_transient_is_tried_again_and_no_more_often(void **state)
{
	struct fleet_device *first;
	struct err e;

	(void)state;
	setup("{\"format\": 1, \"name\": \"p\", \"max_failures\": 3, \"retry\": {\"disk\": 1},"
	      " \"waves\": [{\"name\": \"a\", \"count\": 2}, {\"name\": \"b\", \"count\": 2}]}");
	fleet_order(&f, "spring", WEV_START);
	first = at(0);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(fleet_poll(&f, first));
		assert_int_equal(fleet_state(&f, "spring", first->id), RECIPIENT_ADMITTED);
		first->state = "failed";
		expect_ok(fleet_report(&f, first, REPORT_OUTCOME, ERR_NO_SPACE, &e), &e);
		assert_int_equal(fleet_state(&f, "spring", first->id),
			i ? RECIPIENT_FAILED : RECIPIENT_WAITING);
	}
	fleet_check(&f, "spring");
	fleet_close(&f);
}

static void who_comes_late_is_the_last(void **state)
{
	CAMPAIGN_ROW_AUTO c = {0};

	(void)state;
	setup("{\"format\": 1, \"name\": \"p\", \"late\": \"join\","
	      " \"waves\": [{\"name\": \"a\", \"count\": 2}, {\"name\": \"b\", \"count\": 2}]}");
	fleet_order(&f, "spring", WEV_START);
	fleet_device(&f, &d[N], "dev-late", "toy-1");
	look(&c);
	assert_int_equal(c.wave.recipients, N + 1);
	assert_int_equal(fleet_position(&f, "spring", "dev-late"), N);
	fleet_check(&f, "spring");
	fleet_close(&f);
}

static uint32_t recipients(const char *campaign)
{
	CAMPAIGN_ROW_AUTO c = {0};
	struct err e;

	expect_ok(campaigns_get(&f.store, campaign, &c, &e), &e);
	return c.wave.recipients;
}

static void labelled(struct fleet_device *who, const char *labels)
{
	struct err e;

	who->labels = labels;
	expect_ok(fleet_report(&f, who, REPORT_HELLO, ERR_OK, &e), &e);
}

static void make_for(const char *id, const char *release, json_t *selector, const char *policy)
{
	struct campaign_new in = {.who = "ann", .selector = selector};
	struct err e;
	bool is_new;

	snprintf(in.id.s, sizeof in.id.s, "%s", id);
	snprintf(in.release, sizeof in.release, "%s", release);
	expect_ok(policy_parse(str_of(policy), &in.policy, &e), &e);
	expect_ok(campaign_create(f.run, &in, &is_new, &e), &e);
	json_decref(selector);
}

#define LATE                                                                                       \
	"{\"format\": 1, \"name\": \"p\", \"late\": \"join\", \"waves\": [{\"name\": \"a\", \"count\": 9}]}"

/* Known for long; a label, and with it a campaign, comes later. One that is in update when it says
 * so takes part as soon as it is not. */
static void a_label_that_comes_later_counts(void **state)
{
	struct err e;

	(void)state;
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_release(&f, "toy-2", 2, "toy-1");
	for (unsigned i = 0; i < 4; i++)
		fleet_device(&f, &d[i], (char[]){'d', (char)('0' + i), 0}, "toy-1");
	labelled(&d[0], "line=north");
	make_for("spring", "toy-2", json_pack("{s:{s:s}}", "labels", "line", "north"), LATE);
	fleet_order(&f, "spring", WEV_START);
	assert_int_equal(recipients("spring"), 1);
	labelled(&d[1], "line=south");
	assert_int_equal(recipients("spring"), 1);
	labelled(&d[1], "line=north,site=berlin");
	assert_int_equal(recipients("spring"), 2);
	d[2].state = "staging";
	labelled(&d[2], "line=north");
	assert_int_equal(recipients("spring"), 2);
	d[2].state = "failed";
	expect_ok(fleet_report(&f, &d[2], REPORT_OUTCOME, ERR_NET, &e), &e);
	assert_int_equal(recipients("spring"), 3);
	assert_int_equal(fleet_position(&f, "spring", d[2].id), 2);
	fleet_check(&f, "spring");
	fleet_close(&f);
}

/* Whoever is in another campaign when one begins is left out, and has nothing to say when the other
 * one ends: polling is enough. */
static void who_is_let_go_joins_at_its_next_poll(void **state)
{
	(void)state;
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_release(&f, "toy-2", 2, "toy-1");
	fleet_release(&f, "toy-3", 3, "toy-2");
	for (unsigned i = 0; i < 3; i++)
		fleet_device(&f, &d[i], (char[]){'d', (char)('0' + i), 0}, i ? "toy-1" : "toy-2");
	make_for("winter", "toy-2", json_pack("{s:[s, s]}", "devices", "d1", "d2"),
		"{\"format\": 1, \"name\": \"p\", \"waves\": [{\"name\": \"a\", \"count\": 2}]}");
	make_for("spring", "toy-3", json_pack("{s:b}", "all", 1), LATE);
	fleet_order(&f, "winter", WEV_START);
	fleet_order(&f, "spring", WEV_START);
	assert_int_equal(recipients("spring"), 1);
	for (unsigned i = 0; i < 2; i++) {
		struct fleet_device *next = &d[fleet_position(&f, "winter", "d1") == i ? 1 : 2];

		assert_true(fleet_update(&f, next, "committed"));
	}
	fleet_pass(&f, MINUTE(60));
	assert_int_equal(fleet_phase(&f, "winter"), WAVE_DONE);
	assert_int_equal(recipients("spring"), 1);
	assert_true(fleet_update(&f, &d[1], "committed"));
	expect_text(d[1].running.s, "toy-3");
	assert_int_equal(recipients("spring"), 2);
	fleet_restart(&f);
	assert_true(fleet_update(&f, &d[2], "committed"));
	assert_int_equal(recipients("spring"), 3);
	assert_true(fleet_update(&f, &d[0], "committed"));
	fleet_pass(&f, MINUTE(60));
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_DONE);
	fleet_check(&f, "spring");
	fleet_close(&f);
}

static void a_frozen_channel_starts_nothing(void **state)
{
	struct err e;

	(void)state;
	setup("{\"format\": 1, \"name\": \"p\", \"waves\": [{\"name\": \"a\", \"count\": 8}]}");
	expect_err(channel_freeze(f.run, "toy", "ann", "", &e), &e, ERR_BAD_INPUT, "reason", "");
	expect_ok(channel_freeze(f.run, "toy", "ann", "recall", &e), &e);
	expect_err(campaign_order(f.run, "spring", WEV_START, "ann", "go", &e), &e, ERR_CONFLICT,
		"the channel toy is frozen by ann: recall", "");
	expect_ok(channel_thaw(f.run, "toy", "bob", "found", &e), &e);
	expect_err(channel_thaw(f.run, "toy", "bob", "again", &e), &e, ERR_CONFLICT,
		"is not frozen", "");
	fleet_order(&f, "spring", WEV_START);
	fleet_close(&f);
}

static void the_last_rung_freezes_the_channel(void **state)
{
	CAMPAIGN_ROW_AUTO c = {0};
	struct err e;

	(void)state;
	setup("{\"format\": 1, \"name\": \"p\", \"first_alone\": false,"
	      " \"ladder\": {\"abort\": \"channel\"}, \"waves\": [{\"name\": \"a\", \"count\": 8}]}");
	fleet_order(&f, "spring", WEV_START);
	assert_true(fleet_update(&f, at(0), "reverted"));
	look(&c);
	expect_err(channel_check(f.run, &c, &e), &e, ERR_CONFLICT, "frozen by server", "");
	fleet_check(&f, "spring");
	fleet_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_control_group_counts_once_a_wave),
		cmocka_unit_test(what_is_transient_is_tried_again_and_no_more_often),
		cmocka_unit_test(who_comes_late_is_the_last),
		cmocka_unit_test(a_label_that_comes_later_counts),
		cmocka_unit_test(who_is_let_go_joins_at_its_next_poll),
		cmocka_unit_test(a_frozen_channel_starts_nothing),
		cmocka_unit_test(the_last_rung_freezes_the_channel),
	};

	return cmocka_run_group_tests_name("run_waves", tests, NULL, NULL);
}
