#include "tests/lib/expect.h"

#include <string.h>

#include "proto/wire/policy.h"
#include "tests/lib/patch.h"

static void load(const char *vector, struct policy *p)
{
	BUF_AUTO text = {0};
	struct err e;

	source_read(vector, &text);
	expect_ok(policy_parse(buf_str(&text), p, &e), &e);
}

static void policies_are_read(void **state)
{
	struct policy p;

	(void)state;
	load("manifests/vectors/good/policy.careful.json", &p);
	expect_text(p.name, "careful");
	assert_true(p.first_alone);
	assert_true(p.roll_back_on_abort);
	assert_int_equal(p.max_failures, 1);
	assert_int_equal(p.silence, MINUTE(15));
	assert_int_equal(p.n_waves, 3);
	expect_text(p.waves[0].name, "one");
	assert_int_equal(p.waves[0].count, 1);
	assert_int_equal(p.waves[0].permille, 0);
	assert_int_equal(p.waves[0].parallel, 0);
	assert_int_equal(p.waves[1].count, 0);
	assert_int_equal(p.waves[1].permille, 100);
	assert_int_equal(p.waves[1].parallel, 10);
	assert_int_equal(p.waves[2].soak, MINUTE(60));
}

static void what_may_be_left_out_has_a_default(void **state)
{
	struct policy p;

	(void)state;
	load("manifests/vectors/good/policy.least.json", &p);
	assert_true(p.first_alone);
	assert_true(p.roll_back_on_abort);
	assert_int_equal(p.max_failures, 0);
	assert_int_equal(p.silence, MINUTE(60));
	assert_int_equal(p.waves[0].soak, MINUTE(10));
}

static void a_budget_of_disruptions_is_read(void **state)
{
	BUF_AUTO text = {0};
	struct policy p;
	struct err e;

	(void)state;
	source_read("manifests/vectors/good/policy.disruption.json", &text);
	expect_ok(policy_parse(buf_str(&text), &p, &e), &e);
	expect_text(p.disruption.label, "line");
	assert_int_equal(p.disruption.max, 2);
	assert_true(p.disruption.lease == MINUTE(60));
	buf_clear(&text);
	source_read("manifests/vectors/good/policy.careful.json", &text);
	expect_ok(policy_parse(buf_str(&text), &p, &e), &e);
	assert_int_equal(p.disruption.max, 0);
}

static void encoding_comes_back_and_is_one(void **state)
{
	static const char *const vectors[] = {"manifests/vectors/good/policy.careful.json",
		"manifests/vectors/good/policy.least.json",
		"manifests/vectors/good/policy.full.json",
		"manifests/vectors/good/policy.compared.json"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct policy p, q;
		BUF_AUTO once = {0}, twice = {0};

		load(vectors[i], &p);
		p.first_alone = i != 0;
		policy_encode(&p, &once);
		expect_ok(policy_parse(buf_str(&once), &q, &e), &e);
		assert_int_equal(q.first_alone, i != 0);
		policy_encode(&q, &twice);
		expect_text(buf_cstr(&once), buf_cstr(&twice));
	}
}

static void a_judge_and_freezes_are_read(void **state)
{
	struct policy p;

	(void)state;
	load("manifests/vectors/good/policy.full.json", &p);
	assert_true(p.judge.on);
	assert_int_equal(p.judge.abort_alpha, 10000);
	assert_int_equal(p.judge.unsure, POLICY_EXTEND);
	assert_int_equal(p.judge.extend_max, 3);
	assert_int_equal(p.max_failures, LIMIT_DEVICES);
	assert_int_equal(p.n_freezes, 2);
	assert_false(p.freezes[0].weekly);
	assert_int_equal(p.freezes[0].until - p.freezes[0].from, MINUTE((18 * 24 + 6) * 60));
	assert_true(p.freezes[1].weekly);
	assert_int_equal(p.freezes[1].days, 0x13);
	assert_int_equal(p.freezes[1].from_min, 22 * 60);
	assert_int_equal(p.freezes[1].until_min, 6 * 60 + 30);
	assert_int_equal(p.freezes[1].offset_min, 60);
	assert_true(p.waves[2].approval);
	assert_int_equal(p.waves[1].rate_count, 10);
	assert_int_equal(p.waves[1].rate_per, MINUTE(1));
}

struct mistake {
	const char *path, *value;
	enum err_code code;
	const char *text;
};

static const struct mistake bad[] = {
	{"disruption", "7", ERR_BAD_INPUT, "policy.disruption: an object"},
	{"disruption", "{}", ERR_BAD_INPUT, "policy.disruption.label is missing"},
	{"disruption", "{\"label\":\"line\"}", ERR_BAD_INPUT, "policy.disruption.max is missing"},
	{"disruption", "{\"label\":\"line\",\"max\":0}", ERR_BAD_INPUT, "policy.disruption.max"},
	{"disruption", "{\"label\":\"a b\",\"max\":1}", ERR_BAD_INPUT, "policy.disruption.label"},
	{"disruption", "{\"label\":\"line\",\"max\":1,\"lease_ms\":0}", ERR_BAD_INPUT,
		"policy.disruption.lease_ms"},
	{"disruption", "{\"label\":\"line\",\"max\":1,\"per\":1}", ERR_BAD_INPUT,
		"unknown member \"per\""},
	{"", "[]", ERR_BAD_INPUT, "policy: an object"},
	{"", "{", ERR_BAD_INPUT, "line 1"},
	{"format", NULL, ERR_BAD_INPUT, "policy.format is missing"},
	{"format", "2", ERR_BAD_INPUT, "policy.format"},
	{"wave", "[]", ERR_BAD_INPUT, "is \"waves\" meant?"},
	{"name", NULL, ERR_BAD_INPUT, "policy.name is missing"},
	{"name", "\"a b\"", ERR_BAD_INPUT, "policy.name"},
	{"first_alone", "1", ERR_BAD_INPUT, "policy.first_alone: true or false"},
	{"roll_back_on_abort", "\"no\"", ERR_BAD_INPUT, "policy.roll_back_on_abort"},
	{"max_failures", "-1", ERR_BAD_INPUT, "policy.max_failures"},
	{"max_failures", "100000001", ERR_BAD_INPUT, "policy.max_failures"},
	{"silence_ms", "0", ERR_BAD_INPUT, "policy.silence_ms"},
	{"waves", NULL, ERR_BAD_INPUT, "policy.waves is missing"},
	{"waves", "[]", ERR_BAD_INPUT, "policy.waves is empty"},
	{"waves", "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", ERR_TOO_LARGE, "at most 16"},
	{"waves.1", "0", ERR_BAD_INPUT, "policy.waves[1]: an object"},
	{"waves.1.name", NULL, ERR_BAD_INPUT, "policy.waves[1].name is missing"},
	{"waves.1.name", "\"one\"", ERR_BAD_INPUT, "policy.waves[1]: the name one stands twice"},
	{"waves.1.share_permille", NULL, ERR_BAD_INPUT, "either count or share_permille"},
	{"waves.1.count", "5", ERR_BAD_INPUT, "either count or share_permille"},
	{"waves.1.share_permille", "0", ERR_BAD_INPUT, "policy.waves[1].share_permille"},
	{"waves.1.share_permille", "1001", ERR_BAD_INPUT, "policy.waves[1].share_permille"},
	{"waves.1.share_permille", "101", ERR_BAD_INPUT, "waves[2]: the shares together exceed"},
	{"waves.0.count", "0", ERR_BAD_INPUT, "policy.waves[0].count"},
	{"waves.0.parallel", "-1", ERR_BAD_INPUT, "policy.waves[0].parallel"},
	{"waves.0.soak_ms", "\"1h\"", ERR_BAD_INPUT, "policy.waves[0].soak_ms"},
	{"waves.0.share", "1", ERR_BAD_INPUT, "policy.waves[0]: unknown member"},
};

static const struct mistake bad_full[] = {
	{"control", "7", ERR_BAD_INPUT, "policy.control"},
	{"control", "{}", ERR_BAD_INPUT, "policy.control.share_ppm is missing"},
	{"control", "{\"share_ppm\":900001}", ERR_BAD_INPUT, "policy.control.share_ppm"},
	{"control", "{\"share_ppm\":1,\"min\":0}", ERR_BAD_INPUT, "policy.control.min"},
	{"control", "{\"share_ppm\":1,\"n\":0}", ERR_BAD_INPUT, "policy.control: unknown"},
	{"ratio_alpha_ppm", "1000", ERR_BAD_INPUT, "no control group to be heard"},
	{"ladder", "[]", ERR_BAD_INPUT, "policy.ladder"},
	{"ladder", "{\"fall\":1}", ERR_BAD_INPUT, "policy.ladder: unknown member"},
	{"ladder", "{\"hold\":3,\"stop\":2}", ERR_BAD_INPUT, "but a lower rung wants 3"},
	{"ladder", "{\"abort\":\"stop\"}", ERR_BAD_INPUT, "stop does not end a campaign"},
	{"ladder", "{\"abort\":\"up\"}", ERR_BAD_INPUT, "policy.ladder.abort"},
	{"retry", "3", ERR_BAD_INPUT, "policy.retry"},
	{"retry", "{\"network\":101}", ERR_BAD_INPUT, "policy.retry.network"},
	{"retry", "{\"smoke\":1}", ERR_BAD_INPUT, "policy.retry: unknown member"},
	{"late", "true", ERR_BAD_INPUT, "policy.late"},
	{"judge.strata", "\"a b\"", ERR_BAD_INPUT, "policy.judge.strata"},
	{"waves.0.floor", "5", ERR_BAD_INPUT, "policy.waves[0].floor"},
	{"waves.0.floor", "{\"devices\":6}", ERR_BAD_INPUT, "6 of a wave of 5 devices"},
	{"waves.0.floor", "{\"time\":6}", ERR_BAD_INPUT, "policy.waves[0].floor: unknown"},
	{"waves.0.silence_ms", "0", ERR_BAD_INPUT, "policy.waves[0].silence_ms"},
	{"waves.0.selector", "{}", ERR_BAD_INPUT, "policy.waves[0].selector is empty"},
	{"waves.0.selector", "{\"line\":1}", ERR_BAD_INPUT, "selector.line: text is wanted"},
	{"waves.0.selector", "{\"line\":\"a b\"}", ERR_BAD_INPUT, "policy.waves[0].selector"},
	{"judge", "true", ERR_BAD_INPUT, "policy.judge"},
	{"judge.alpha", "1", ERR_BAD_INPUT, "policy.judge: unknown member"},
	{"judge.abort_alpha_ppm", "1000000", ERR_BAD_INPUT, "policy.judge.abort_alpha_ppm"},
	{"judge.bad_ppm", "0", ERR_BAD_INPUT, "policy.judge.bad_ppm"},
	{"judge.base_ppm", "50000", ERR_BAD_INPUT, "not below bad_ppm"},
	{"judge.guard_first", "1", ERR_BAD_INPUT, "2 failures among the first 1"},
	{"judge.when_inconclusive", "\"wait\"", ERR_BAD_INPUT, "policy.judge.when_inconclusive"},
	{"freeze", "{}", ERR_BAD_INPUT, "policy.freeze"},
	{"freeze.0", "[]", ERR_BAD_INPUT, "policy.freeze[0]: an object"},
	{"freeze.0.name", NULL, ERR_BAD_INPUT, "policy.freeze[0].name"},
	{"freeze.0.from", "\"tomorrow\"", ERR_BAD_INPUT, "policy.freeze[0].from: not a time"},
	{"freeze.0.until", "\"2026-12-20T00:00:00Z\"", ERR_BAD_INPUT, "ends before it begins"},
	{"freeze.0.utc_offset_min", "0", ERR_BAD_INPUT, "policy.freeze[0]: unknown member"},
	{"freeze.1.days", "[]", ERR_BAD_INPUT, "policy.freeze[1].days is empty"},
	{"freeze.1.days", "[\"monday\"]", ERR_BAD_INPUT, "policy.freeze[1].days[0]: none of"},
	{"freeze.1.days", "[1]", ERR_BAD_INPUT, "policy.freeze[1].days[0]: none of"},
	{"freeze.1.from", "\"24:00\"", ERR_BAD_INPUT, "24:00 is 00:00 of the next day"},
	{"freeze.1.from", "\"7:30\"", ERR_BAD_INPUT, "policy.freeze[1].from: not a time of day"},
	{"freeze.1.until", "\"24:01\"", ERR_BAD_INPUT, "policy.freeze[1].until: not a time of day"},
	{"freeze.1.until", "\"12:60\"", ERR_BAD_INPUT, "policy.freeze[1].until: not a time of day"},
	{"freeze.1.utc_offset_min", "1441", ERR_BAD_INPUT, "policy.freeze[1].utc_offset_min"},
	{"waves.2.approval", "1", ERR_BAD_INPUT, "policy.waves[2].approval"},
	{"waves.1.rate", "10", ERR_BAD_INPUT, "policy.waves[1].rate"},
	{"waves.1.rate.count", "0", ERR_BAD_INPUT, "policy.waves[1].rate.count"},
	{"waves.1.rate.per_ms", "0", ERR_BAD_INPUT, "policy.waves[1].rate.per_ms"},
	{"waves.1.rate.per", "1", ERR_BAD_INPUT, "policy.waves[1].rate: unknown member"},
};

static void refuse(const char *vector, const struct mistake *m, size_t n)
{
	BUF_AUTO text = {0};
	JSON_AUTO *base = NULL;
	struct policy p = {.n_waves = 4711};
	struct err e;

	source_read(vector, &text);
	expect_ok(json_read(buf_str(&text), text.n, &base, &e), &e);
	for (size_t i = 0; i < n; i++) {
		patch_write(base, m[i].path, m[i].value, &text);
		expect_err(
			policy_parse(buf_str(&text), &p, &e), &e, m[i].code, m[i].text, m[i].path);
	}
	assert_int_equal(p.n_waves, 4711);
}

static void mistakes_are_refused_with_their_place(void **state)
{
	BUF_AUTO text = {0};
	struct policy p = {.n_waves = 4711};
	struct err e;

	(void)state;
	refuse("manifests/vectors/good/policy.careful.json", bad, ARRAY_LEN(bad));
	refuse("manifests/vectors/good/policy.full.json", bad_full, ARRAY_LEN(bad_full));
	for (int i = 0; i <= LIMIT_POLICY_BYTES; i++)
		buf_add_char(&text, ' ');
	expect_err(policy_parse(buf_str(&text), &p, &e), &e, ERR_TOO_LARGE, NULL, "blanks");
	assert_int_equal(p.n_waves, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_are_read),
		cmocka_unit_test(what_may_be_left_out_has_a_default),
		cmocka_unit_test(a_judge_and_freezes_are_read),
		cmocka_unit_test(a_budget_of_disruptions_is_read),
		cmocka_unit_test(encoding_comes_back_and_is_one),
		cmocka_unit_test(mistakes_are_refused_with_their_place),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
