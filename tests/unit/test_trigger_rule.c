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
				t == TRIG_UNDECIDED || t == TRIG_BOOT_FAILED || t == TRIG_FLEET);
	}
	assert_int_equal(trig_type_source(TRIG_CRASH_LOOP), TRIG_SRC_SVC);
	assert_int_equal(trig_type_source(TRIG_SMOKE_FAILED), TRIG_SRC_SMOKE);
	assert_int_equal(trig_type_source(TRIG_HEALTH_FAILED), TRIG_SRC_HEALTH);
	assert_int_equal(trig_type_source(TRIG_ERROR_RATE), TRIG_SRC_METRICS);
	assert_int_equal(trig_type_source(TRIG_OPERATOR), TRIG_SRC_ORDER);
	assert_int_equal(trig_type_source(TRIG_UNDECIDED), TRIG_SRC_SELF);
	expect_text(trig_comparator_name(TRIG_CMP_BASELINE), "baseline");
}

/* The rows of one type stand together, told apart by "of"; each can be judged as it stands. */
static void every_measure_has_a_whole_row(void **state)
{
	size_t n;
	const struct trig_measure *m = trig_measures(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || m[i - 1].type != m[i].type;

		assert_true(first ? i == 0 || m[i].type > m[i - 1].type : m[i].of[0] != 0);
		if (m[i].kind == TRIG_KIND_EVENT)
			continue;
		assert_true(m[i].text[0] && m[i].comparators && m[i].window > 0);
		assert_true(m[i].hold_k >= 1 && m[i].hold_k <= m[i].hold_m && m[i].hold_m <= 32);
		assert_true(m[i].most_milli > m[i].least_milli || !(m[i].comparators & 1U));
		assert_true(m[i].threshold_milli <= m[i].most_milli);
		assert_true(m[i].factor_milli >= m[i].factor_least_milli &&
			    m[i].factor_milli <= m[i].factor_most_milli);
	}
}

static void events_need_only_their_type(void **state)
{
	static const char *const names[] = {
		"start_failed", "smoke_failed", "operator", "undecided", "boot_failed", "fleet"};
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

#define QUALITY "{\"type\":\"quality\",\"metric\":\"m\",\"total\":\"n\",\"of\":"
#define DRIFT   "{\"type\":\"drift\",\"metric\":\"m\",\"edges_micro\":"

static void distributions_bring_their_bins(void **state)
{
	struct trig_rule r;
	struct err e;

	(void)state;
	expect_ok(parse(DRIFT "[-1500000,0,250000]}", &r, &e), &e);
	assert_int_equal(r.n_edges, 3);
	assert_true(r.edge[0] < -1.49 && r.edge[0] > -1.51 && r.edge[2] > 0.249);
	assert_int_equal(r.comparator, TRIG_CMP_BASELINE);
	assert_int_equal(r.distance, TRIG_DISTANCE_PSI);
	assert_true(r.threshold > 0.249 && r.threshold < 0.251);
	assert_true(r.sigma > 2.99 && r.sigma < 3.01);
	expect_ok(parse(DRIFT "[0],\"comparator\":\"training\",\"statistic\":\"js\","
			      "\"counts\":[7,1000000000]}",
			  &r, &e),
		&e);
	assert_int_equal(r.distance, TRIG_DISTANCE_JS);
	assert_int_equal(r.count[1], 1000000000);
	assert_true(r.threshold > 0.199 && r.threshold < 0.201);
}

static void the_comparator_decides_what_a_threshold_is(void **state)
{
	struct trig_rule r;
	struct err e;

	(void)state;
	expect_ok(parse(QUALITY "\"rate\"}", &r, &e), &e);
	assert_int_equal(r.comparator, TRIG_CMP_BASELINE);
	assert_true(r.threshold > 0.0199 && r.threshold < 0.0201);
	expect_ok(parse(QUALITY "\"override\",\"comparator\":\"champion\"}", &r, &e), &e);
	assert_true(r.threshold > 1.99 && r.threshold < 2.01);
	assert_true(r.busy <= 0);
	expect_ok(parse("{\"type\":\"latency\",\"metric\":\"m\",\"comparator\":\"baseline\"}", &r,
			  &e),
		&e);
	assert_true(r.threshold > 1.499 && r.threshold < 1.501);
	assert_true(r.busy > 1.099 && r.busy < 1.101);
	expect_ok(parse("{\"type\":\"thermal\",\"of\":\"margin\",\"zone\":\"soc\",\"on_blind\":"
			"\"wait\"}",
			  &r, &e),
		&e);
	assert_true(trig_measure_of(&r)->below);
	assert_int_equal(r.on_blind, TRIG_BLIND_WAIT);
	expect_text(r.zone, "soc");
}

/* The page shows one of each; what it shows can be signed. */
static void the_examples_of_the_page_are_good(void **state)
{
	BUF_AUTO page = {0};
	struct str rest, line;
	struct trig_rule r;
	struct err e;
	bool seen[TRIG_TYPE_MAX] = {false};

	(void)state;
	source_read("docs/reference/triggers.md", &page);
	rest = buf_str(&page);
	while (rest.n && str_split(&rest, '\n', &line)) {
		BUF_AUTO one = {0};

		if (!str_has_prefix(line, "{"))
			continue;
		buf_add(&one, line.p, line.n);
		expect_ok(parse(buf_cstr(&one), &r, &e), &e);
		seen[r.type] = true;
	}
	for (enum trig_type t = TRIG_START_FAILED; t < TRIG_TYPE_MAX; t++)
		assert_true(seen[t] || trig_type_unit(t) == TRIG_UNIT_NONE);
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
	{"{\"type\":\"health_failed\",\"on_blind\":\"panic\"}", "none of: ignore, trip, wait"},
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
	{LATENCY ",\"comparator\":\"leader\"}", "none of: absolute, baseline, champion"},
	{LATENCY ",\"comparator\":\"training\"}", "training is nothing that latency"},
	{LATENCY ",\"comparator\":\"champion\"}", "between 1000 and 1000000"},
	{LATENCY ",\"busy_milli\":1500}", "only a baseline knows"},
	{LATENCY "999,\"comparator\":\"baseline\",\"busy_milli\":999}", "0, or at least 1000"},
	{LATENCY ",\"sigma_milli\":8001}", "t.sigma_milli"},
	{LATENCY ",\"sigma_milli\":-1}", "t.sigma_milli"},
	{LATENCY ",\"excused\":\"n n\"}", "t.excused: not the name"},
	{LATENCY ",\"edges_micro\":[1]}", "unknown member \"edges_micro\""},
	{LATENCY ",\"statistic\":\"psi\"}", "none of: p50"},
	{LATENCY ",\"of\":\"rate\"}", "unknown member \"of\""},
	{"{\"type\":\"health_failed\",\"comparator\":\"absolute\"}", "unknown member"},
	{"{\"type\":\"health_failed\",\"sigma_milli\":0}", "unknown member"},
	{"{\"type\":\"quality\",\"metric\":\"m\",\"total\":\"n\"}", "t.of is missing"},
	{QUALITY "\"speed\"}", "none of: rate, override, disagreement"},
	{QUALITY "\"rate\",\"comparator\":\"absolute\"}",
		"absolute is nothing that quality of rate"},
	{QUALITY "\"rate\",\"threshold_milli\":0}", "between 1 and 999"},
	{QUALITY "\"rate\",\"excused\":\"x\"}", "unknown member"},
	{QUALITY "\"disagreement\",\"comparator\":\"absolute\"}", "unknown member"},
	{QUALITY "\"override\",\"threshold_milli\":1000}", "between 0 and 999"},
	{"{\"type\":\"drift\",\"metric\":\"m\"}", "t.edges_micro is missing"},
	{DRIFT "[]}", "at least one"},
	{DRIFT "[1,1]}", "whole numbers that rise"},
	{DRIFT "[2,1]}", "whole numbers that rise"},
	{DRIFT "[\"1\"]}", "whole numbers that rise"},
	{DRIFT "[1],\"comparator\":\"training\"}", "t.counts is missing"},
	{DRIFT "[1],\"comparator\":\"training\",\"counts\":[1]}", "one more than edges"},
	{DRIFT "[1],\"comparator\":\"training\",\"counts\":[0,0]}", "all are 0"},
	{DRIFT "[1],\"comparator\":\"training\",\"counts\":[1,-1]}", "whole numbers up to"},
	{DRIFT "[1],\"comparator\":\"training\",\"counts\":[1,1000000001]}", "whole numbers up to"},
	{DRIFT "[1],\"counts\":[1,1]}", "only for the comparator training"},
	{DRIFT "[1],\"comparator\":\"absolute\"}", "absolute is nothing that drift"},
	{DRIFT "[1],\"threshold_milli\":9}", "between 10 and 10000"},
	{DRIFT "[1],\"statistic\":\"p99\"}", "none of: psi, js"},
	{"{\"type\":\"resource\"}", "t.of is missing"},
	{"{\"type\":\"resource\",\"of\":\"memory\"}", "t.threshold_milli is missing"},
	{"{\"type\":\"resource\",\"of\":\"disk\",\"comparator\":\"baseline\"}", "unknown member"},
	{"{\"type\":\"resource\",\"of\":\"memory\",\"threshold_milli\":9,\"metric\":\"m\"}",
		"unknown member"},
	{"{\"type\":\"resource\",\"of\":\"accelerator_memory\",\"threshold_milli\":9}",
		"t.metric is missing"},
	{"{\"type\":\"thermal\",\"of\":\"temperature\"}", "t.threshold_milli is missing"},
	{"{\"type\":\"thermal\",\"of\":\"temperature\",\"threshold_milli\":999}",
		"between 1000 and 200000"},
	{"{\"type\":\"thermal\",\"of\":\"throttled\",\"zone\":\"x\"}", "unknown member \"zone\""},
	{"{\"type\":\"connectivity\",\"threshold_milli\":1000}", "between 0 and 999"},
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
	{RATE ",\"comparator\":\"baseline\",\"threshold_milli\":999}", "between 1000 and"},
	{RATE ",\"excused\":\"n n\"}", "t.excused: not the name"},
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
		cmocka_unit_test(every_measure_has_a_whole_row),
		cmocka_unit_test(events_need_only_their_type),
		cmocka_unit_test(defaults_come_from_the_table),
		cmocka_unit_test(everything_can_be_said),
		cmocka_unit_test(distributions_bring_their_bins),
		cmocka_unit_test(the_comparator_decides_what_a_threshold_is),
		cmocka_unit_test(the_examples_of_the_page_are_good),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests_name("trigger_rule", tests, NULL, NULL);
}
