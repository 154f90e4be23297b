/* Preconditions, judged: what was seen, what comes of it, and the sentence that people read. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "agent/core/precond.h"

static struct precond_rule rule(enum precond_type type, const char *text)
{
	struct precond_rule r[LIMIT_PRECONDITIONS];
	struct err e;
	unsigned n;

	expect_ok(precond_text_parse(type, str_of(text), "r", r, &n, &e), &e);
	assert_int_equal(n, 1);
	return r[0];
}

static struct precond_verdict judge(
	enum precond_type type, const char *text, const struct precond_facts *f)
{
	struct precond_rule r = rule(type, text);
	struct precond_verdict v;

	precond_eval(&r, f, &v);
	return v;
}

static void expect_is(const struct precond_verdict *v, enum precond_is is, const char *sentence)
{
	expect_text(precond_is_name(v->is), precond_is_name(is));
	expect_text(v->sentence, sentence);
	assert_int_equal(v->holds, is == PRECOND_MET);
}

static void power_is_judged(void **state)
{
	static const struct {
		const char *rule;
		bool mains, battery;
		unsigned percent;
		enum precond_is is;
		const char *sentence;
	} cases[] = {
		{"battery_percent=50", false, true, 50, PRECOND_MET, ""},
		{"battery_percent=50", false, true, 49, PRECOND_UNMET,
			"the battery has 49 %, at least 50 % is wanted"},
		{"battery_percent=50", true, true, 3, PRECOND_MET, ""},
		{"battery_percent=50", true, false, 0, PRECOND_MET, ""},
		{"mains", true, true, 1, PRECOND_MET, ""},
		{"mains", false, true, 100, PRECOND_UNMET,
			"it is not on mains, and mains is wanted"},
		{"mains, battery_percent=50", true, true, 49, PRECOND_UNMET,
			"the battery has 49 %, at least 50 % is wanted"},
		{"mains, battery_percent=50", true, true, 51, PRECOND_MET, ""},
		{"mains, battery_percent=50", false, true, 51, PRECOND_UNMET,
			"it is not on mains, and mains is wanted"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct precond_facts f = {.power = {.known = true,
						  .mains = cases[i].mains,
						  .has_battery = cases[i].battery,
						  .percent = cases[i].percent}};
		struct precond_verdict v = judge(PRECOND_POWER, cases[i].rule, &f);

		expect_is(&v, cases[i].is, cases[i].sentence);
	}
}

static void signals_are_judged(void **state)
{
	struct precond_facts f = {.parked = {PRECOND_SIGNAL_NO, "D"},
		.ignition = {PRECOND_SIGNAL_YES, "off"},
		.metered = {PRECOND_SIGNAL_NO, "1"}};
	struct precond_verdict v = judge(PRECOND_PARKED, "yes", &f);

	(void)state;
	expect_is(&v, PRECOND_UNMET, "the machine is not parked: its source says 'D'");
	expect_text(v.value, "D");
	v = judge(PRECOND_IGNITION, "yes", &f);
	expect_is(&v, PRECOND_MET, "");
	v = judge(PRECOND_METERED, "yes", &f);
	expect_is(&v, PRECOND_UNMET, "the link is metered: its source says '1'");
}

static void windows_are_judged(void **state)
{
	struct precond_facts f = {
		.local = {.known = true, .minute = 2 * 1440 + 14 * 60 + 5, .zone = "CET"}};
	struct precond_verdict v = judge(PRECOND_WINDOW, "windows=sun + mon-fri 22:00-05:00", &f);

	(void)state;
	expect_is(&v, PRECOND_UNMET,
		"it is Wed 14:05 CET; the next window opens in 7 h 55 min: mon-fri 22:00-05:00");
	assert_true(v.look_in == MINUTE(7 * 60 + 55));
	f.local.second = 50;
	v = judge(PRECOND_WINDOW, "windows=sun + mon-fri 22:00-05:00", &f);
	assert_true(v.look_in == MINUTE(7 * 60 + 55) - SEC(50));
	f.local.second = 0;
	/* The clocks change before: then it is looked again. */
	f.local.shift_in = 30;
	v = judge(PRECOND_WINDOW, "windows=sun + mon-fri 22:00-05:00", &f);
	assert_true(v.look_in == MINUTE(30));
	f.local.minute = 2 * 1440 + 22 * 60;
	v = judge(PRECOND_WINDOW, "windows=sun + mon-fri 22:00-05:00", &f);
	expect_is(&v, PRECOND_MET, "");
	assert_true(v.look_in == 0);
}

static void numbers_are_judged(void **state)
{
	struct precond_facts f = {.n_zones = 2,
		.zones = {{"cpu", 71000}, {"skin", -2500}},
		.loadavg = {true, 80},
		.psi = {true, 12},
		.space = {true, 9999}};
	struct precond_verdict v = judge(PRECOND_TEMPERATURE, "at_most=70", &f);

	(void)state;
	expect_is(&v, PRECOND_UNMET, "cpu has 71.0 C, at most 70 C is wanted");
	v = judge(PRECOND_TEMPERATURE, "at_most=71", &f);
	expect_is(&v, PRECOND_MET, "");
	v = judge(PRECOND_TEMPERATURE, "at_most=5, of=skin", &f);
	expect_is(&v, PRECOND_MET, "");
	expect_text(v.value, "-2.5 C");
	v = judge(PRECOND_LOAD, "at_most=80", &f);
	expect_is(&v, PRECOND_MET, "");
	v = judge(PRECOND_LOAD, "at_most=79", &f);
	expect_is(&v, PRECOND_UNMET, "the load of the processors is 80 %, at most 79 % is wanted");
	v = judge(PRECOND_LOAD, "at_most=11, of=psi", &f);
	expect_is(&v, PRECOND_UNMET,
		"the pressure on the processors is 12 %, at most 11 % is wanted");
	v = judge(PRECOND_FREE_SPACE, "at_least=2000000000", &f);
	expect_is(&v, PRECOND_UNMET, "there is room for 9999 bytes, at least 2000 MB is wanted");
	v = judge(PRECOND_FREE_SPACE, "at_least=9999", &f);
	expect_is(&v, PRECOND_MET, "");
}

static void agreement_is_judged(void **state)
{
	struct precond_facts f = {0};
	struct precond_verdict v = judge(PRECOND_CONSENT, "yes", &f);

	(void)state;
	expect_is(&v, PRECOND_UNMET, "a person at the device has to agree: backstay consent");
	strcpy(f.consent.who, "anna");
	f.consent.is = PRECOND_CONSENT_NO;
	v = judge(PRECOND_CONSENT, "yes", &f);
	expect_is(&v, PRECOND_UNMET, "anna has said no to it; yes: backstay consent --yes");
	f.consent.is = PRECOND_CONSENT_YES;
	v = judge(PRECOND_CONSENT, "yes", &f);
	expect_is(&v, PRECOND_MET, "");
	f.consent.put_off = SEC(7);
	v = judge(PRECOND_CONSENT, "yes", &f);
	expect_is(&v, PRECOND_UNMET, "anna has put it off");
	assert_true(v.look_in == SEC(7));
	f.lease.known = true;
	f.lease.ask_in = SEC(9);
	strcpy(f.lease.text, "1 of 1 of line=north are");
	v = judge(PRECOND_LEASE, "yes", &f);
	expect_is(&v, PRECOND_UNMET,
		"the server lets nobody else be disrupted just now: 1 of 1 of line=north are");
	assert_true(v.look_in == SEC(9));
	f.lease.held = true;
	v = judge(PRECOND_LEASE, "yes", &f);
	expect_is(&v, PRECOND_MET, "");
}

/* Nothing was seen: what comes of it stands in the table, or in the rule. */
static void what_is_not_known_blocks_or_passes(void **state)
{
	static const char *const texts[PRECOND_TYPE_MAX] = {
		[PRECOND_POWER] = "battery_percent=50",
		[PRECOND_WINDOW] = "windows=sun",
		[PRECOND_TEMPERATURE] = "at_most=70",
		[PRECOND_LOAD] = "at_most=80",
		[PRECOND_FREE_SPACE] = "at_least=1",
	};
	struct precond_facts f = {0};

	(void)state;
	strcpy(f.why[PRECOND_PARKED], "precond.parked_from is empty");
	for (enum precond_type t = 0; t < PRECOND_TYPE_MAX; t++) {
		struct precond_rule r = rule(t, texts[t] ? texts[t] : "yes");
		struct precond_verdict v;

		if (t == PRECOND_CONSENT)
			continue; /* nobody having answered is an answer */
		precond_eval(&r, &f, &v);
		assert_int_equal(v.is, PRECOND_NOT_KNOWN);
		assert_int_equal(v.holds, r.on_unknown == PRECOND_UNKNOWN_PASS);
		assert_true(v.limit[0] && v.sentence[0]);
		r.on_unknown = PRECOND_UNKNOWN_PASS;
		precond_eval(&r, &f, &v);
		assert_true(v.holds);
		r.on_unknown = PRECOND_UNKNOWN_BLOCK;
		precond_eval(&r, &f, &v);
		assert_false(v.holds);
		if (t == PRECOND_PARKED)
			expect_text(v.sentence, "parked is not known: precond.parked_from is "
						"empty, parked is wanted");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_is_judged),
		cmocka_unit_test(signals_are_judged),
		cmocka_unit_test(windows_are_judged),
		cmocka_unit_test(numbers_are_judged),
		cmocka_unit_test(agreement_is_judged),
		cmocka_unit_test(what_is_not_known_blocks_or_passes),
	};

	return cmocka_run_group_tests_name("precond", tests, NULL, NULL);
}
