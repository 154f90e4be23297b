/* Triggers that cannot speak: what an author is told of them. */
#include "tests/lib/expect.h"

#include <string.h>

#include "proto/wire/mute.h"

static const struct {
	ms_t soak;
	unsigned smoke; /* tests */
	const char *trigger;
	enum mute_verdict want;
	const char *says;
} cases[] = {
	{300000, 1, "{\"type\": \"operator\"}", MUTE_NOT, ""},
	{300000, 1, "{\"type\": \"smoke_failed\"}", MUTE_NOT, ""},
	{300000, 0, "{\"type\": \"smoke_failed\"}", MUTE_TRIAL, "has no smoke test"},
	/* a count that slides needs no window */
	{1000, 1, "{\"type\": \"crash_loop\"}", MUTE_NOT, ""},
	/* 3 windows of a minute */
	{180001, 1, "{\"type\": \"error_rate\", \"metric\": \"e\", \"total\": \"n\"}", MUTE_NOT,
		""},
	{180000, 1, "{\"type\": \"error_rate\", \"metric\": \"e\", \"total\": \"n\"}", MUTE_TRIAL,
		"error_rate: 3 windows of 60 s must be bad, and the release soaks for 180 s. State "
		"\"soak_ms\" of more than 180000"},
	{300000, 1, "{\"type\": \"connectivity\"}", MUTE_TRIAL, "more than 1800000"},
	{300000, 1, "{\"type\": \"resource\", \"of\": \"cpu\"}", MUTE_TRIAL,
		"resource of cpu: 10 windows"},
	/* a soak waits for the one window that it needs */
	{1000, 1,
		"{\"type\": \"error_rate\", \"metric\": \"e\", \"total\": \"n\", \"hold\": [1, 1],"
		" \"on_blind\": \"wait\"}",
		MUTE_NOT, ""},
	{1000, 1,
		"{\"type\": \"error_rate\", \"metric\": \"e\", \"total\": \"n\", \"hold\": [2, 2],"
		" \"on_blind\": \"wait\"}",
		MUTE_TRIAL, "2 windows"},
	/* an alarm is raised after the commit, too */
	{1000, 1,
		"{\"type\": \"drift\", \"metric\": \"s\", \"edges_micro\": [1], \"counts\": [5, 5],"
		" \"comparator\": \"training\"}",
		MUTE_NOT, ""},
	{900000, 1,
		"{\"type\": \"drift\", \"metric\": \"s\", \"edges_micro\": [1], \"comparator\":"
		" \"champion\"}",
		MUTE_ALWAYS, "State \"comparator\": \"baseline\""},
	{900000, 1, "{\"type\": \"latency\", \"metric\": \"l\", \"comparator\": \"champion\"}",
		MUTE_ALWAYS, "a release of \"strategy\": \"shadow\" is compared"},
};

static void read_release(struct release *r, size_t i)
{
	JSON_AUTO *trigger = json_loads(cases[i].trigger, 0, NULL);
	struct err e;

	memset(r, 0, sizeof *r);
	r->soak = cases[i].soak;
	r->n_smoke = cases[i].smoke;
	r->n_triggers = 1;
	expect_ok(trig_rule_parse(trigger, "t", &r->triggers[0], &e), &e);
}

static void who_cannot_speak_is_told_so(void **state)
{
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char why[MUTE_TEXT] = "";
		struct err e;

		read_release(r, i);
		if (mute_eval(r, 0, why) != cases[i].want || !strstr(why, cases[i].says))
			fail_msg("%s: \"%s\"", cases[i].trigger, why);
		assert_int_equal(
			mute_check(r, &e), cases[i].want == MUTE_ALWAYS ? -(int)ERR_BAD_INPUT : 0);
		if (cases[i].want == MUTE_ALWAYS)
			assert_true(strstr(e.text, "release.triggers[0]: ") != NULL);
	}
}

static void beside_a_champion_the_rule_is_named(void **state)
{
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);
	char why[MUTE_TEXT];

	(void)state;
	read_release(r, ARRAY_LEN(cases) - 1);
	r->strategy = STRATEGY_SHADOW;
	assert_int_equal(mute_eval(r, 0, why), MUTE_ALWAYS);
	assert_true(strstr(why, "compared by the rule in \"shadow\"") != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_cannot_speak_is_told_so),
		cmocka_unit_test(beside_a_champion_the_rule_is_named),
	};

	return cmocka_run_group_tests_name("mute", tests, NULL, NULL);
}
