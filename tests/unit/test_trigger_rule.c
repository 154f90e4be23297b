#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/trigger.h"

static int parse(const char *text, struct trig_rule *out, struct err *e)
{
	JSON_AUTO *j = json_loads(text, 0, NULL);

	assert_non_null(j);
	return trig_rule_parse(j, "t", out, e);
}

static void every_type_has_a_whole_row(void **state)
{
	(void)state;
	for (enum trig_type t = TRIG_START_FAILED; t < TRIG_TYPE_MAX; t++) {
		assert_true(trig_type_name(t)[0] != 0);
		assert_true(trig_type_text(t)[0] != 0);
		assert_int_equal(trig_type_unit(t) == TRIG_UNIT_NONE,
			t == TRIG_START_FAILED || t == TRIG_SMOKE_FAILED || t == TRIG_OPERATOR ||
				t == TRIG_UNDECIDED || t == TRIG_BOOT_FAILED);
	}
	assert_int_equal(trig_type_source(TRIG_CRASH_LOOP), TRIG_SRC_SVC);
	assert_int_equal(trig_type_source(TRIG_SMOKE_FAILED), TRIG_SRC_SMOKE);
	assert_int_equal(trig_type_source(TRIG_HEALTH_FAILED), TRIG_SRC_HEALTH);
	assert_int_equal(trig_type_source(TRIG_ERROR_RATE), TRIG_SRC_METRICS);
	assert_int_equal(trig_type_source(TRIG_OPERATOR), TRIG_SRC_ORDER);
	assert_int_equal(trig_type_source(TRIG_UNDECIDED), TRIG_SRC_SELF);
	expect_text(trig_comparator_name(TRIG_CMP_BASELINE), "baseline");
}

static void events_need_only_their_type(void **state)
{
	static const char *const names[] = {
		"start_failed", "smoke_failed", "operator", "undecided", "boot_failed"};
	struct trig_rule r;
	char text[80];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(text, sizeof text, "{\"type\":\"%s\",\"claim\":\"SPI-1\"}", names[i]);
		expect_ok(parse(text, &r, &e), &e);
		expect_text(trig_type_name(r.type), names[i]);
		expect_text(r.claim, "SPI-1");
		assert_int_equal(r.window, 0);
		assert_int_equal(r.hold_k, 1);
		assert_int_equal(r.hold_m, 1);
		snprintf(text, sizeof text, "{\"type\":\"%s\",\"window_ms\":1000}", names[i]);
		expect_err(parse(text, &r, &e), &e, ERR_BAD_INPUT, "t: unknown member", text);
	}
}

static void defaults_come_from_the_table(void **state)
{
	struct trig_rule r;
	struct err e;

	(void)state;
	expect_ok(parse("{\"type\":\"crash_loop\"}", &r, &e), &e);
	assert_true(r.threshold > 2.999 && r.threshold < 3.001);
	assert_int_equal(r.window, 600000);
	assert_int_equal(r.min_samples, 0);
	expect_ok(parse("{\"type\":\"health_failed\"}", &r, &e), &e);
	assert_true(r.threshold > 0.499 && r.threshold < 0.501);
	assert_int_equal(r.hold_k, 3);
	assert_int_equal(r.hold_m, 3);
	assert_int_equal(r.min_samples, 1);
	assert_int_equal(r.on_blind, TRIG_BLIND_IGNORE);
	expect_ok(
		parse("{\"type\":\"error_rate\",\"metric\":\"bad_total\",\"total\":\"all_total\"}",
			&r, &e),
		&e);
	assert_true(r.threshold > 0.0099 && r.threshold < 0.0101);
	expect_text(r.metric, "bad_total");
	expect_text(r.total, "all_total");
	assert_int_equal(r.min_samples, 500);
	assert_int_equal(r.hold_m, 5);
	assert_int_equal(r.comparator, TRIG_CMP_ABSOLUTE);
	assert_int_equal(r.quantile, 0);
	expect_ok(
		parse("{\"type\":\"latency\",\"metric\":\"ns:x_seconds\",\"threshold_milli\":250}",
			&r, &e),
		&e);
	assert_int_equal(r.quantile, 990);
	assert_int_equal(r.min_samples, 1000);
	assert_true(r.threshold > 0.2499 && r.threshold < 0.2501);
}

static void everything_can_be_said(void **state)
{
	static const struct {
		const char *name;
		uint32_t permille;
	} quantiles[] = {{"p50", 500}, {"p90", 900}, {"p95", 950}, {"p99", 990}, {"p999", 999}};
	struct trig_rule r;
	char text[300];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(quantiles); i++) {
		snprintf(text, sizeof text,
			"{\"type\":\"latency\",\"metric\":\"m\",\"statistic\":\"%s\",\"comparator\":"
			"\"baseline\",\"threshold_milli\":1200,\"window_ms\":100,\"hold\":[2,32],"
			"\"min_samples\":7,\"on_blind\":\"trip\"}",
			quantiles[i].name);
		expect_ok(parse(text, &r, &e), &e);
		assert_int_equal(r.quantile, quantiles[i].permille);
	}
	assert_int_equal(r.comparator, TRIG_CMP_BASELINE);
	assert_true(r.threshold > 1.1999 && r.threshold < 1.2001);
	assert_int_equal(r.window, 100);
	assert_int_equal(r.hold_k, 2);
	assert_int_equal(r.hold_m, 32);
	assert_int_equal(r.min_samples, 7);
	assert_int_equal(r.on_blind, TRIG_BLIND_TRIP);
}

#define LATENCY "{\"type\":\"latency\",\"metric\":\"m\",\"threshold_milli\":9"
#define RATE    "{\"type\":\"error_rate\",\"metric\":\"m\",\"total\":\"n\""

static const struct {
	const char *text, *why;
} bad[] = {
	{"[]", "t: an object"},
	{"{}", "t.type is missing"},
	{"{\"type\":\"pump_failed\"}", "t.type: \"pump_failed\" is none of"},
	{"{\"type\":7}", "t.type: text"},
	{"{\"type\":\"crash_loop\",\"metric\":\"m\"}", "unknown member \"metric\""},
	{"{\"type\":\"crash_loop\",\"comparator\":\"baseline\"}", "unknown member"},
	{"{\"type\":\"crash_loop\",\"threshold_milli\":999}", "between 1000 and"},
	{"{\"type\":\"health_failed\",\"threshold_milli\":1000}", "between 0 and 999"},
	{"{\"type\":\"health_failed\",\"threshold\":1}", "unknown member \"threshold\""},
	{"{\"type\":\"health_failed\",\"min_samples\":0}", "t.min_samples"},
	{"{\"type\":\"health_failed\",\"on_blind\":\"panic\"}", "none of: ignore, trip"},
	{"{\"type\":\"health_failed\",\"window_ms\":99}", "t.window_ms"},
	{"{\"type\":\"health_failed\",\"window_ms\":2592000001}", "t.window_ms"},
	{"{\"type\":\"health_failed\",\"hold\":3}", "t.hold: an array"},
	{"{\"type\":\"health_failed\",\"hold\":[3]}", "t.hold: [k, m]"},
	{"{\"type\":\"health_failed\",\"hold\":[0,3]}", "t.hold"},
	{"{\"type\":\"health_failed\",\"hold\":[4,3]}", "t.hold"},
	{"{\"type\":\"health_failed\",\"hold\":[1,33]}", "t.hold"},
	{"{\"type\":\"health_failed\",\"hold\":[\"1\",3]}", "t.hold"},
	{"{\"type\":\"health_failed\",\"hold\":[1,null]}", "t.hold"},
	{"{\"type\":\"health_failed\",\"claim\":7}", "t.claim"},
	{"{\"type\":\"latency\",\"metric\":\"m\"}", "t.threshold_milli is missing"},
	{"{\"type\":\"latency\",\"threshold_milli\":9}", "t.metric is missing"},
	{LATENCY ",\"total\":\"n\"}", "unknown member \"total\""},
	{LATENCY ",\"statistic\":\"p98\"}", "none of: p50"},
	{LATENCY ",\"statistic\":99}", "t.statistic: text"},
	{LATENCY ",\"comparator\":\"champion\"}", "none of: absolute, baseline"},
	{LATENCY "99,\"comparator\":\"baseline\"}", "between 1000 and 1000000"},
	{"{\"type\":\"latency\",\"metric\":\"m\",\"threshold_milli\":0}", "t.threshold_milli"},
	{"{\"type\":\"latency\",\"metric\":\"\",\"threshold_milli\":9}", "name of a metric"},
	{"{\"type\":\"latency\",\"metric\":\"9m\",\"threshold_milli\":9}", "name of a metric"},
	{"{\"type\":\"latency\",\"metric\":\"a-b\",\"threshold_milli\":9}", "name of a metric"},
	{"{\"type\":\"latency\",\"metric\":\"a{b=\\\"c\\\"}\",\"threshold_milli\":9}",
		"name of a metric"},
	{"{\"type\":\"error_rate\",\"metric\":\"m\"}", "t.total is missing"},
	{"{\"type\":\"error_rate\",\"metric\":\"m\",\"total\":\"n n\"}", "t.total: not the name"},
	{RATE ",\"statistic\":\"p50\"}", "unknown member \"statistic\""},
	{RATE ",\"threshold_milli\":1000}", "between 0 and 999"},
	{RATE ",\"comparator\":\"baseline\"}", "t.threshold_milli is missing"},
	{RATE ",\"min_samples\":1000000001}", "t.min_samples"},
};

static void what_makes_no_sense_is_refused(void **state)
{
	struct trig_rule r = {.window = 4711};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_err(parse(bad[i].text, &r, &e), &e, ERR_BAD_INPUT, bad[i].why, bad[i].text);
	assert_int_equal(r.window, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_whole_row),
		cmocka_unit_test(events_need_only_their_type),
		cmocka_unit_test(defaults_come_from_the_table),
		cmocka_unit_test(everything_can_be_said),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests_name("trigger_rule", tests, NULL, NULL);
}
