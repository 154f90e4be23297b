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

static void encoding_comes_back_and_is_one(void **state)
{
	static const char *const vectors[] = {"manifests/vectors/good/policy.careful.json",
		"manifests/vectors/good/policy.least.json"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct policy p, q;
		BUF_AUTO once = {0}, twice = {0};

		load(vectors[i], &p);
		p.first_alone = i;
		policy_encode(&p, &once);
		expect_ok(policy_parse(buf_str(&once), &q, &e), &e);
		assert_int_equal(q.first_alone, i);
		policy_encode(&q, &twice);
		expect_text(buf_cstr(&once), buf_cstr(&twice));
	}
}

static const struct {
	const char *path, *value;
	enum err_code code;
	const char *text;
} bad[] = {
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

static void mistakes_are_refused_with_their_place(void **state)
{
	BUF_AUTO text = {0};
	JSON_AUTO *base = NULL;
	struct policy p = {.n_waves = 4711};
	struct err e;

	(void)state;
	source_read("manifests/vectors/good/policy.careful.json", &text);
	expect_ok(json_read(buf_str(&text), text.n, &base, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		patch_write(base, bad[i].path, bad[i].value, &text);
		expect_err(policy_parse(buf_str(&text), &p, &e), &e, bad[i].code, bad[i].text,
			bad[i].path);
	}
	buf_clear(&text);
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
		cmocka_unit_test(encoding_comes_back_and_is_one),
		cmocka_unit_test(mistakes_are_refused_with_their_place),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
