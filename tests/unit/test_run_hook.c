/* Events of the fleet become letters, in the transaction in which they happen; drift is gathered;
 * what ends soon is told; letters are tried again, given up, and sent again. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/telemetry.h"
#include "server/repo/drifts.h"
#include "server/repo/metadata.h"
#include "server/run/channel.h"
#include "server/run/drift.h"
#include "server/run/ending.h"
#include "server/run/hook.h"
#include "server/run/hook_order.h"
#include "tests/lib/fleet.h"

#define WAVES "[{\"name\": \"all\", \"share_permille\": 1000, \"soak_ms\": 0}]"

static struct fleet f;
static struct fleet_device kept, dev;
static struct err e;

static int make(void **state UNUSED)
{
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_release(&f, "toy-2", 2, "toy-1");
	fleet_device(&f, &kept, "lane-1", "toy-1");
	fleet_keep(&f);
	return 0;
}

static int setup(void **state UNUSED)
{
	fleet_open(&f);
	dev = kept;
	return 0;
}

static int teardown(void **state UNUSED)
{
	fleet_close(&f);
	return 0;
}

/* ---- what the tests ask ---- */

static void add_hook(const char *name, const char *events)
{
	struct hook_new in = {.kind = HOOK_KIND_WEBHOOK, .by = "ann"};
	char secret[HOOK_SECRET_TEXT];

	snprintf(in.name, sizeof in.name, "%s", name);
	snprintf(in.url, sizeof in.url, "http://127.0.0.1:1/%s", name);
	snprintf(in.events, sizeof in.events, "%s", events);
	expect_ok(hook_add(f.run, &in, secret, &e), &e);
	assert_memory_equal(secret, HOOK_SECRET_PREFIX, strlen(HOOK_SECRET_PREFIX));
}

static struct hook_row row_of(const char *name)
{
	struct hook_row h;

	expect_ok(hooks_get(&f.db, name, &h, &e), &e);
	return h;
}

static int64_t ask(const char *sql)
{
	DB_ROWS_AUTO rows = {0};

	expect_ok(db_one(&f.db, sql, DB_NO_ARGS, "answer", &rows, &e), &e);
	return db_col_int(&rows, 0);
}

/* Takes the next letter of a hook and has it arrive; what it was about. HOOK_EVENT_MAX: none. */
static enum hook_event take(const char *name, struct hook_event_row *out)
{
	const struct hook_rule rule = {3, SEC(5), SEC(60)};
	const struct hook_answer ok = {204, 0};
	struct hook_row h = row_of(name);
	struct letter l;
	bool dead;
	int rc = hook_next(f.run, &h, &l, out, &e);

	expect_ok(rc, &e);
	if (rc == 0)
		return HOOK_EVENT_MAX;
	expect_ok(hook_settle(f.run, &l, &rule, &ok, "", &dead, &e), &e);
	assert_false(dead);
	return out->type;
}

static bool is_told(const char *name, enum hook_event want, char *out_text, size_t cap)
{
	for (;;) {
		HOOK_EVENT_AUTO ev = {0};
		enum hook_event type = take(name, &ev);

		if (type == HOOK_EVENT_MAX)
			return false;
		assert_true(ev.audit > 0);
		snprintf(out_text, cap, "%s", ev.text);
		if (type == want)
			return true;
	}
}

/* ---- what happens is told ---- */

static void a_campaign_is_told_from_start_to_end(void **state UNUSED)
{
	static const enum hook_event want[] = {HOOK_CAMPAIGN_STARTED, HOOK_CAMPAIGN_DONE};

	add_hook("all", "*");
	add_hook("deaf", "device.stuck");
	fleet_campaign(&f, "spring", "toy-2", WAVES, 0);
	fleet_order(&f, "spring", WEV_START);
	fleet_order(&f, "spring", WEV_PAUSE);
	fleet_order(&f, "spring", WEV_RESUME);
	assert_true(fleet_update(&f, &dev, "committed"));
	fleet_pass(&f, SEC(1));
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_DONE);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		char text[LIMIT_TEXT * 2];

		assert_true(is_told("all", want[i], text, sizeof text));
	}
	assert_int_equal(row_of("deaf").kept, 0);
	assert_int_equal(row_of("all").kept, 0);
	assert_int_equal(ask("SELECT count(*) FROM hook_events"), 0);
}

static void a_device_that_goes_back_is_told_and_the_campaign_that_gives_up(void **state UNUSED)
{
	char text[LIMIT_TEXT * 2];

	add_hook("devices", "device.reverted");
	add_hook("campaigns", "campaign.aborted,campaign.halted");
	fleet_campaign(&f, "spring", "toy-2", WAVES, 0);
	fleet_order(&f, "spring", WEV_START);
	assert_true(fleet_update(&f, &dev, "reverted"));
	assert_true(is_told("devices", HOOK_DEVICE_REVERTED, text, sizeof text));
	assert_true(is_told("campaigns", HOOK_CAMPAIGN_ABORTED, text, sizeof text));
	assert_true(is_told("campaigns", HOOK_CAMPAIGN_HALTED, text, sizeof text));
}

static void a_channel_that_is_frozen_is_told(void **state UNUSED)
{
	char text[LIMIT_TEXT * 2];

	add_hook("ops", "channel.frozen");
	expect_ok(channel_freeze(f.run, "toy", "ann", "plates are misread", &e), &e);
	assert_true(is_told("ops", HOOK_CHANNEL_FROZEN, text, sizeof text));
	assert_non_null(strstr(text, "plates are misread"));
}

static void silence_is_told(void **state UNUSED)
{
	char text[LIMIT_TEXT * 2];

	add_hook("ops", "device.silent");
	fleet_campaign(&f, "spring", "toy-2", WAVES, 0);
	fleet_order(&f, "spring", WEV_START);
	assert_true(fleet_poll(&f, &dev));
	fleet_pass(&f, MINUTE(24 * 60 * 20));
	assert_true(is_told("ops", HOOK_DEVICE_SILENT, text, sizeof text));
}

/* Whatever fails, there is neither an event without its letter nor a letter without its event. */
static void an_event_and_its_letters_are_one_thing(void **state UNUSED)
{
	const struct hook_fact fact = {.event = HOOK_DEVICE_STUCK, .text = "lane-1 is stuck"};
	int64_t rows = ask("SELECT count(*) FROM audit") + 2;
	uint64_t n;
	int rc = -1;

	add_hook("a", "*");
	add_hook("b", "*");
	for (n = 1; rc < 0; n++) {
		f.fault.calls = 0;
		f.fault.fail_at = n;
		rc = run_begin(f.run, &e);
		if (rc == 0)
			rc = run_audit(f.run, NULL, "server", "test", "lane-1", "stuck", &e);
		if (rc == 0)
			rc = hook_raise(f.run, &fact, &e);
		rc = f.db.in_transaction ? run_end(f.run, rc, &e) : rc;
		f.fault.fail_at = 0;
		assert_int_equal(ask("SELECT count(*) FROM letters"), rc < 0 ? 0 : 2);
		assert_int_equal(ask("SELECT count(*) FROM hook_events"), rc < 0 ? 0 : 1);
		assert_int_equal(ask("SELECT count(*) FROM audit"), rows + (rc == 0));
	}
	assert_true(n > 8);
}

/* ---- the life of a letter ---- */

static void fail_once(const char *name, int status, bool want_dead)
{
	const struct hook_rule rule = {3, SEC(5), SEC(60)};
	const struct hook_answer a = {status, 0};
	HOOK_EVENT_AUTO ev = {0};
	struct hook_row h = row_of(name);
	struct letter l;
	bool dead;

	assert_int_equal(hook_next(f.run, &h, &l, &ev, &e), 1);
	expect_ok(hook_settle(f.run, &l, &rule, &a, "no", &dead, &e), &e);
	assert_int_equal(dead, want_dead);
}

static void a_letter_is_tried_given_up_and_sent_again(void **state UNUSED)
{
	HOOK_EVENT_AUTO ev = {0}, again = {0};
	struct hook_row h;
	struct letter l;
	uint64_t event, n;

	add_hook("ops", "*");
	expect_ok(hook_test(f.run, "ops", "ann", &event, &e), &e);
	fail_once("ops", 500, false);
	h = row_of("ops");
	assert_int_equal(hook_next(f.run, &h, &l, &ev, &e), 0);
	f.now += SEC(6);
	fail_once("ops", 400, false);
	f.now += SEC(16);
	h = row_of("ops");
	assert_int_equal(hook_next(f.run, &h, &l, &ev, &e), 1);
	fail_once("ops", 0, true);
	assert_int_equal(ask("SELECT tries FROM letters WHERE dead_ms > 0"), 3);
	f.now += MINUTE(600);
	h = row_of("ops");
	assert_int_equal(hook_next(f.run, &h, &l, &again, &e), 0);
	expect_err(hook_resend(f.run, "ops", event + 1, "ann", &n, &e), &e, ERR_NOT_FOUND, "", "");
	expect_ok(hook_resend(f.run, "ops", event, "ann", &n, &e), &e);
	assert_int_equal(n, 1);
	assert_int_equal(take("ops", &again), HOOK_TEST);
	expect_text(again.id, ev.id);
	assert_int_equal(row_of("ops").delivered, 1);
	assert_int_equal(row_of("ops").kept, 0);
}

static void a_letter_that_was_removed_meanwhile_is_nobodys(void **state UNUSED)
{
	const struct hook_rule rule = {3, SEC(5), SEC(60)};
	const struct hook_answer a = {204, 0};
	HOOK_EVENT_AUTO ev = {0};
	struct hook_row h;
	struct letter l;
	uint64_t event;
	bool dead;

	add_hook("ops", "*");
	expect_ok(hook_test(f.run, "ops", "ann", &event, &e), &e);
	h = row_of("ops");
	assert_int_equal(hook_next(f.run, &h, &l, &ev, &e), 1);
	expect_ok(hook_remove(f.run, "ops", "ann", &e), &e);
	expect_ok(hook_settle(f.run, &l, &rule, &a, "", &dead, &e), &e);
	assert_int_equal(ask("SELECT count(*) FROM letters"), 0);
	assert_int_equal(ask("SELECT count(*) FROM hook_events"), 0);
}

static void a_full_box_loses_its_oldest_and_says_so(void **state UNUSED)
{
	struct hook_row h;
	uint64_t first, second, third;

	add_hook("ops", "*");
	expect_ok(hook_test(f.run, "ops", "ann", &first, &e), &e);
	expect_ok(hook_test(f.run, "ops", "ann", &second, &e), &e);
	h = row_of("ops");
	h.kept = LIMIT_HOOK_LETTERS;
	expect_ok(db_begin(&f.db, &e), &e);
	expect_ok(db_end(&f.db, hooks_put(&f.db, &h, &e), &e), &e);
	expect_ok(hook_test(f.run, "ops", "ann", &third, &e), &e);
	h = row_of("ops");
	assert_int_equal(h.kept, LIMIT_HOOK_LETTERS);
	assert_int_equal(h.dropped, 1);
	assert_int_equal(ask("SELECT min(event) FROM letters"), (int64_t)second);
	assert_int_equal(ask("SELECT count(*) FROM hook_events"), 2);
}

static void a_new_secret_leaves_the_old_one_in_use(void **state UNUSED)
{
	struct hook_new alerts = {.name = "am",
		.kind = HOOK_KIND_ALERTMANAGER,
		.by = "ann",
		.url = "http://x/",
		.events = "*"};
	char secret[HOOK_SECRET_TEXT], other[HOOK_SECRET_TEXT];
	struct hook_row first, second, h;
	uint64_t event;

	add_hook("ops", "*");
	first = row_of("ops");
	expect_err(hook_rotated(f.run, "ops", "ann", &e), &e, ERR_CONFLICT, "one secret", "none");
	expect_ok(hook_rotate(f.run, "ops", f.now + 1000, "ann", secret, &e), &e);
	second = row_of("ops");
	assert_memory_not_equal(second.secret, first.secret, HOOK_SECRET);
	assert_memory_equal(second.old[0], first.secret, HOOK_SECRET);
	assert_int_equal(second.n_old, 1);
	assert_int_equal(second.old_until, f.now + 1000);
	/* What a letter changes of a hook leaves its secrets alone; so does a restart. */
	expect_ok(hook_test(f.run, "ops", "ann", &event, &e), &e);
	fleet_restart(&f);
	h = row_of("ops");
	assert_memory_equal(h.secret, second.secret, HOOK_SECRET);
	assert_memory_equal(h.old[0], first.secret, HOOK_SECRET);
	/* The answer was lost, say: once more, and the first is good as long as the longer of both.
	 */
	expect_ok(hook_rotate(f.run, "ops", f.now + 500, "ann", other, &e), &e);
	assert_string_not_equal(other, secret);
	h = row_of("ops");
	assert_int_equal(h.n_old, 2);
	assert_memory_equal(h.old[0], second.secret, HOOK_SECRET);
	assert_memory_equal(h.old[1], first.secret, HOOK_SECRET);
	assert_int_equal(h.old_until, f.now + 1000);
	expect_err(hook_rotate(f.run, "ops", f.now + 500, "ann", other, &e), &e, ERR_CONFLICT,
		"3 secrets", "too many");
	expect_ok(hook_rotated(f.run, "ops", "ann", &e), &e);
	assert_int_equal(row_of("ops").n_old, 0);
	expect_err(hook_rotate(f.run, "nobody", f.now, "ann", other, &e), &e, ERR_NOT_FOUND,
		"nobody", "");
	expect_ok(hook_add(f.run, &alerts, other, &e), &e);
	expect_err(hook_rotate(f.run, "am", f.now + 1, "ann", other, &e), &e, ERR_BAD_INPUT,
		"not signed", "alerts");
	assert_int_equal(
		ask("SELECT count(*) FROM audit WHERE what = 'hook' AND text LIKE"
		    " 'ann made a new secret, the old one is good until %Z, for hook ops'"),
		2);
	assert_int_equal(ask("SELECT count(*) FROM audit WHERE text ="
			     " 'ann ended the old secret of hook ops'"),
		1);
}

/* One that is over counts no more, and leaves the store within the hour. */
static void an_old_secret_ends_by_itself(void **state UNUSED)
{
	char secret[HOOK_SECRET_TEXT];

	add_hook("ops", "*");
	expect_ok(hook_rotate(f.run, "ops", f.now + 1000, "ann", secret, &e), &e);
	f.now += 1000;
	expect_err(hook_rotated(f.run, "ops", "ann", &e), &e, ERR_CONFLICT, "one secret", "over");
	assert_int_equal(ask("SELECT count(*) FROM hooks WHERE length(old_secrets) > 0"), 1);
	fleet_pass(&f, MINUTE(60));
	assert_int_equal(ask("SELECT count(*) FROM hooks WHERE length(old_secrets) > 0"), 0);
	expect_ok(hook_rotate(f.run, "ops", f.now + 1000, "ann", secret, &e), &e);
	assert_int_equal(row_of("ops").n_old, 1);
}

static void no_more_hooks_than_there_may_be(void **state UNUSED)
{
	struct hook_new in = {
		.kind = HOOK_KIND_WEBHOOK, .by = "ann", .url = "http://x/", .events = "*"};
	char secret[HOOK_SECRET_TEXT], name[16];

	for (unsigned i = 0; i < LIMIT_HOOKS; i++) {
		snprintf(name, sizeof name, "h%u", i);
		add_hook(name, "*");
	}
	snprintf(in.name, sizeof in.name, "one-more");
	expect_err(hook_add(f.run, &in, secret, &e), &e, ERR_CONFLICT, "not more may be", "33rd");
	snprintf(in.name, sizeof in.name, "h1");
	expect_err(hook_add(f.run, &in, secret, &e), &e, ERR_CONFLICT, "already", "twice");
}

/* ---- drift ---- */

static void say(const char *device, const char *metric, uint64_t value)
{
	struct telemetry_drift d = {.value_milli = value,
		.threshold_milli = 250,
		.from = 1000,
		.to = 2000,
		.samples = 500,
		.release = dev.running_digest};

	snprintf(d.metric, sizeof d.metric, "%s", metric);
	expect_ok(run_begin(f.run, &e), &e);
	expect_ok(run_end(f.run, hook_drift(f.run, device, &d, &e), &e), &e);
}

static void many_devices_make_one_event(void **state UNUSED)
{
	HOOK_EVENT_AUTO ev = {0};
	JSON_AUTO *data = NULL;
	char device[24];

	add_hook("lab", "retraining.wanted");
	f.run->c.drift_gather = MINUTE(10);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(device, sizeof device, "car-%03u", i);
		say(device, "scores", 251 + i);
		say(device, "scores", 260);
	}
	say("car-000", "calm", 249);
	expect_ok(drift_tick(f.run, &e), &e);
	assert_int_equal(row_of("lab").kept, 0);
	f.now += MINUTE(10);
	expect_ok(drift_tick(f.run, &e), &e);
	expect_ok(drift_tick(f.run, &e), &e);
	assert_int_equal(row_of("lab").kept, 1);
	assert_int_equal(take("lab", &ev), HOOK_RETRAINING);
	expect_ok(json_read(buf_str(&ev.data), ev.data.n, &data, &e), &e);
	assert_int_equal(json_integer_value(json_object_get(data, "devices")), 300);
	assert_int_equal(json_integer_value(json_object_get(data, "reports")), 600);
	assert_int_equal(json_integer_value(json_object_get(data, "value_milli")), 550);
	assert_int_equal(json_integer_value(json_object_get(data, "samples")), 300000);
	assert_int_equal(
		json_array_size(json_object_get(data, "named_devices")), LIMIT_DRIFT_NAMES);
	expect_text(json_string_value(json_object_get(data, "release")), "toy-1");
	assert_int_equal(ask("SELECT count(*) FROM drifts"), 1);
}

static void who_comes_late_is_told_once_more_at_the_end(void **state UNUSED)
{
	HOOK_EVENT_AUTO ev = {0}, last = {0};

	add_hook("lab", "retraining.*");
	f.run->c.drift_gather = MINUTE(10);
	f.run->c.drift_window = MINUTE(60);
	say("car-1", "scores", 300);
	f.now += MINUTE(10);
	expect_ok(drift_tick(f.run, &e), &e);
	assert_int_equal(take("lab", &ev), HOOK_RETRAINING);
	say("car-1", "scores", 310);
	say("car-2", "scores", 300);
	f.now += MINUTE(49);
	expect_ok(drift_tick(f.run, &e), &e);
	assert_int_equal(row_of("lab").kept, 0);
	f.now += MINUTE(1);
	expect_ok(drift_tick(f.run, &e), &e);
	assert_int_equal(take("lab", &last), HOOK_RETRAINING);
	assert_non_null(strstr(last.text, "2 devices"));
	say("car-1", "scores", 300);
	assert_int_equal(ask("SELECT count(*) FROM drifts"), 2);
	assert_int_equal(ask("SELECT count(*) FROM drifts WHERE closed_ms > 0"), 1);
}

static void one_device_cannot_make_up_more_than_a_few(void **state UNUSED)
{
	char metric[24];

	for (unsigned i = 0; i < 20; i++) {
		snprintf(metric, sizeof metric, "made_up_%u", i);
		say("liar", metric, 900);
	}
	assert_int_equal(ask("SELECT count(*) FROM drifts"), LIMIT_DRIFTS_ALONE);
	say("honest", "scores", 300);
	assert_int_equal(ask("SELECT count(*) FROM drifts"), LIMIT_DRIFTS_ALONE + 1);
}

/* ---- what ends ---- */

static void what_people_signed_is_told_before_it_ends(void **state UNUSED)
{
	META_ROW_AUTO m = {0};
	char text[LIMIT_TEXT * 2];

	expect_ok(metadata_get(&f.db, REPO_IMAGE, "engineering", 0, &m, &e), &e);
	add_hook("keys", "metadata.ending");
	f.now = (m.expires_s - 31 * 24 * 3600) * 1000;
	expect_ok(ending_tick(f.run, &e), &e);
	while (is_told("keys", HOOK_METADATA_ENDING, text, sizeof text))
		assert_null(strstr(text, "image/engineering"));
	f.now += SEC(2 * 24 * 3600);
	expect_ok(ending_tick(f.run, &e), &e);
	do
		assert_true(is_told("keys", HOOK_METADATA_ENDING, text, sizeof text));
	while (!strstr(text, "image/engineering"));
	while (is_told("keys", HOOK_METADATA_ENDING, text, sizeof text))
		assert_null(strstr(text, "snapshot"));
	f.now += SEC(2 * 24 * 3600);
	expect_ok(ending_tick(f.run, &e), &e);
	assert_int_equal(row_of("keys").kept, 0);
	f.now += SEC(22 * 24 * 3600);
	expect_ok(ending_tick(f.run, &e), &e);
	assert_true(row_of("keys").kept > 0);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_campaign_is_told_from_start_to_end),
		TEST(a_device_that_goes_back_is_told_and_the_campaign_that_gives_up),
		TEST(a_channel_that_is_frozen_is_told),
		TEST(silence_is_told),
		TEST(an_event_and_its_letters_are_one_thing),
		TEST(a_letter_is_tried_given_up_and_sent_again),
		TEST(a_letter_that_was_removed_meanwhile_is_nobodys),
		TEST(a_full_box_loses_its_oldest_and_says_so),
		TEST(a_new_secret_leaves_the_old_one_in_use),
		TEST(an_old_secret_ends_by_itself),
		TEST(no_more_hooks_than_there_may_be),
		TEST(many_devices_make_one_event),
		TEST(who_comes_late_is_told_once_more_at_the_end),
		TEST(one_device_cannot_make_up_more_than_a_few),
		TEST(what_people_signed_is_told_before_it_ends),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
