/* Champion and challenger: the rule, the champion's packets, the verdict, and what is remembered.
 */
#include "tests/lib/expect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/core/shadow.h"
#include "lib/prng.h"

/* ---- the rule ---- */

#define LEAST "{\"argv\":[\"bin/serve\"],\"path\":\"/infer\"}"

static int rule_of(const char *text, struct shadow_rule *out, struct err *e)
{
	JSON_AUTO *j = NULL;

	TRY(json_read(str_of(text), 4096, &j, e));
	return shadow_rule_parse(j, "release.shadow", out, e);
}

static struct shadow_rule least(void)
{
	struct shadow_rule r;
	struct err e;

	expect_ok(rule_of(LEAST, &r, &e), &e);
	return r;
}

static void a_rule_has_defaults(void **state UNUSED)
{
	struct shadow_rule r = least();

	assert_int_equal(r.argc, 1);
	expect_text(r.argv[0], "bin/serve");
	expect_text(r.path, "/infer");
	expect_text(r.ready, "/");
	expect_text(r.answer, "");
	assert_int_equal(r.match, SHADOW_MATCH_EXACT);
	assert_int_equal(r.min_pairs, 500);
	assert_int_equal(r.agreement, 980);
	assert_int_equal(r.errors, 10);
	assert_int_equal(r.confidence, 950);
	assert_int_equal(r.quantile, 990);
	assert_int_equal(r.latency_ratio, 3000);
	assert_int_equal(r.latency_limit, 0);
	assert_int_equal(r.crashes, 0);
	assert_int_equal(r.deadline, MINUTE(60));
	assert_int_equal(r.undecided, SHADOW_REFUSE);
}

static void a_rule_is_read(void **state UNUSED)
{
	struct shadow_rule r;
	struct err e;

	expect_ok(rule_of("{\"argv\":[\"s\",\"-x\"],\"path\":\"/a?b=1\",\"ready\":\"/up\","
			  "\"answer\":\"text\",\"match\":\"number\",\"within_micro\":500000,"
			  "\"timeout_ms\":100,\"max_memory\":1000,\"cpu_percent\":50,"
			  "\"min_pairs\":60,\"agreement_permille\":900,\"errors_permille\":0,"
			  "\"confidence_permille\":990,\"latency_permille\":500,"
			  "\"latency_ratio_milli\":0,\"latency_limit_ms\":80,\"max_crashes\":2,"
			  "\"deadline_ms\":1000,\"undecided\":\"hold\",\"x-note\":1}",
			  &r, &e),
		&e);
	expect_text(r.ready, "/up");
	expect_text(r.answer, "text");
	assert_int_equal(r.match, SHADOW_MATCH_NUMBER);
	assert_int_equal(r.within_micro, 500000);
	assert_int_equal(r.cpu_percent, 50);
	assert_int_equal(r.max_memory, 1000);
	assert_int_equal(r.latency_limit, 80);
	assert_int_equal(r.undecided, SHADOW_HOLD);
}

static const struct {
	const char *text, *piece;
} bad_rules[] = {
	{"{\"path\":\"/infer\"}", "argv"},
	{"{\"argv\":[],\"path\":\"/infer\"}", "no command"},
	{"{\"argv\":[\"\"],\"path\":\"/infer\"}", "no command"},
	{"{\"argv\":[7],\"path\":\"/infer\"}", "text is wanted"},
	{"{\"argv\":[\"s\"]}", "path"},
	{"{\"argv\":[\"s\"],\"path\":\"infer\"}", "release.shadow.path: not the path of a URL"},
	{"{\"argv\":[\"s\"],\"path\":\"/a b\"}", "path"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"ready\":\"up\"}", "release.shadow.ready"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"answer\":\"a/b\"}", "answer"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"match\":\"near\"}", "match"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"within_micro\":1}", "within_micro: only for"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"min_pairs\":0}", "min_pairs"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"min_pairs\":1000001}", "min_pairs"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"agreement_permille\":0}", "agreement_permille"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"agreement_permille\":1001}", "agreement_permille"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"errors_permille\":1000}", "errors_permille"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"confidence_permille\":1000}", "confidence_permille"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"latency_permille\":1000}", "latency_permille"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"deadline_ms\":0}", "deadline_ms"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"undecided\":\"promote\"}", "undecided"},
	{"{\"argv\":[\"s\"],\"path\":\"/a\",\"port\":80}", "port"},
};

static void bad_rules_are_refused(void **state UNUSED)
{
	struct shadow_rule r = {.argc = 77};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad_rules); i++) {
		expect_err(rule_of(bad_rules[i].text, &r, &e), &e, ERR_BAD_INPUT,
			bad_rules[i].piece, bad_rules[i].text);
		assert_int_equal(r.argc, 77);
	}
}

/* ---- the champion's packets ---- */

static void a_packet_is_read(void **state UNUSED)
{
	static const char packet[] =
		"{\"format\":1,\"id\":\"7\",\"answer\":\"M-AB\",\"took_us\":41200,"
		"\"type\":\"image/png\",\"dropped\":3}\n\nP\0NG\n";
	struct shadow_note n;
	struct err e;

	expect_ok(shadow_note_parse((struct str){packet, sizeof packet - 1}, &n, &e), &e);
	expect_text(n.id, "7");
	expect_text(n.answer, "M-AB");
	expect_text(n.type, "image/png");
	assert_int_equal(n.took_us, 41200);
	assert_int_equal(n.dropped, 3);
	assert_false(n.failed);
	assert_int_equal(n.input.n, 6);
	assert_memory_equal(n.input.p, "\nP\0NG\n", 6);
}

static const struct {
	const char *text;
	enum err_code code;
} bad_packets[] = {
	{"", ERR_BAD_INPUT},
	{"\n", ERR_BAD_INPUT},
	{"\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"took_us\":1}", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"took_us\":1}\n", ERR_BAD_INPUT},
	{"[]\nx", ERR_BAD_INPUT},
	{"{\"format\":2,\"answer\":\"a\",\"took_us\":1}\nx", ERR_BAD_INPUT},
	{"{\"answer\":\"a\",\"took_us\":1}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"took_us\":1}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\"}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"took_us\":-1}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"took_us\":1.5}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":1,\"took_us\":1}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"took_us\":1,\"type\":\"a\\nb\"}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"took_us\":1,\"type\":\"a b\"}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"took_us\":1,\"failed\":\"no\"}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"took_us\":1,\"id\":\"../x\"}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"took_us\":1,\"more\":1}\nx", ERR_BAD_INPUT},
	{"{\"format\":1,\"answer\":\"a\",\"answer\":\"b\",\"took_us\":1}\nx", ERR_BAD_INPUT},
};

static void bad_packets_are_refused(void **state UNUSED)
{
	struct shadow_note n;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad_packets); i++)
		expect_err(shadow_note_parse(str_of(bad_packets[i].text), &n, &e), &e,
			bad_packets[i].code, NULL, bad_packets[i].text);
}

static void a_packet_has_bounds(void **state UNUSED)
{
	char *big CLEANUP(mem_free) = mem_new(LIMIT_SHADOW_NOTE + 2);
	struct shadow_note n;
	struct err e;

	memset(big, 'x', LIMIT_SHADOW_NOTE + 1);
	expect_err(shadow_note_parse((struct str){big, LIMIT_SHADOW_NOTE + 1}, &n, &e), &e,
		ERR_TOO_LARGE, NULL, "a packet that is too large");
	big[LIMIT_SHADOW_HEAD + 1] = '\n';
	expect_err(shadow_note_parse((struct str){big, LIMIT_SHADOW_NOTE}, &n, &e), &e,
		ERR_BAD_INPUT, "begin with a line", "a head that is too long");
}

/* ---- answers ---- */

static const struct {
	const char *body, *member, *want; /* want NULL: refused */
} answers[] = {
	{"{\"text\":\"M-AB\",\"confidence\":93}", "text", "M-AB"},
	{"{\"text\":\"M-AB\",\"confidence\":93}", "confidence", "93"},
	{"{\"score\":0.25}", "score", "0.25"},
	{"{\"open\":true}", "open", "true"},
	{"  stop\r\n", "", "stop"},
	{"{\"text\":\"M-AB\"}\n", "", "{\"text\":\"M-AB\"}"},
	{"", "", ""},
	{"{\"text\":\"M-AB\"}", "plate", NULL},
	{"{\"text\":null}", "text", NULL},
	{"{\"text\":[1]}", "text", NULL},
	{"[1]", "text", NULL},
	{"{\"text\":", "text", NULL},
	{"<html>", "text", NULL},
	{"", "text", NULL},
};

static void answers_are_found(void **state UNUSED)
{
	char out[LIMIT_SHADOW_ANSWER];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		int rc = shadow_answer_of(str_of(answers[i].body), answers[i].member, out, &e);

		if (!answers[i].want) {
			expect_err(rc, &e, ERR_BAD_INPUT, NULL, answers[i].body);
			continue;
		}
		expect_ok(rc, &e);
		expect_text(out, answers[i].want);
	}
}

static void an_answer_has_bounds(void **state UNUSED)
{
	char out[LIMIT_SHADOW_ANSWER] = "before", long_one[LIMIT_SHADOW_ANSWER + 1];
	struct err e;

	memset(long_one, 'x', LIMIT_SHADOW_ANSWER);
	expect_err(shadow_answer_of((struct str){long_one, LIMIT_SHADOW_ANSWER}, "", out, &e), &e,
		ERR_TOO_LARGE, NULL, "an answer that is too long");
	expect_ok(
		shadow_answer_of((struct str){long_one, LIMIT_SHADOW_ANSWER - 1}, "", out, &e), &e);
}

static const struct {
	uint64_t within;
	const char *a, *b;
	bool is;
} numbers[] = {
	{0, "1.5", "1.50", true},
	{0, "1.5", "1.6", false},
	{100000, "1.5", "1.6000001", false},
	{100001, "1.5", "1.6", true},
	{1000000, "-0.5", "0.5", true},
	{1000000, "a", "a", true},
	{1000000, "a", "b", false},
	{1000000, "1", "", false},
	{1000000, "nan", "1", false},
	{1000000, "1", "1 m", false},
	{1000000, "inf", "1", false},
};

static void numbers_may_differ_a_little(void **state UNUSED)
{
	struct shadow_rule r = least();

	assert_false(shadow_is_match(&r, "1.5", "1.50"));
	r.match = SHADOW_MATCH_NUMBER;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		r.within_micro = numbers[i].within;
		if (shadow_is_match(&r, numbers[i].a, numbers[i].b) != numbers[i].is)
			fail_msg("%s and %s within %llu", numbers[i].a, numbers[i].b,
				(unsigned long long)numbers[i].within);
	}
}

/* ---- the verdict ---- */

/* Pairs in a row: '.' the same, 'x' another answer, 'e' no answer, 'v' the champion had none,
 * 's' the same and slow, 'c' it ended. */
static void play(const struct shadow_rule *r, struct shadow_tally *t, const char *what, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (const char *p = what; *p; p++) {
			struct shadow_pair pair = {.id = "1",
				.champion = "A",
				.challenger = "B",
				.champion_us = 1000,
				.challenger_us = *p == 's' ? 9000 : 1500,
				.agrees = *p == '.' || *p == 's',
				.failed = *p == 'e',
				.champion_failed = *p == 'v'};

			if (*p == 'c')
				t->crashes++;
			else
				shadow_count(t, &pair);
			shadow_eval(r, t);
		}
}

static const struct {
	const char *what;
	unsigned n;
	enum shadow_verdict verdict;
	enum shadow_cause cause;
} verdicts[] = {
	{".", 499, SHADOW_OPEN, SHADOW_NO_CAUSE},
	{".", 500, SHADOW_PROMOTED, SHADOW_NO_CAUSE},
	{"x", 499, SHADOW_OPEN, SHADOW_NO_CAUSE},
	{"x", 500, SHADOW_REFUSED, SHADOW_DISAGREES},
	{"...................x", 25, SHADOW_REFUSED, SHADOW_DISAGREES}, /* 5 % */
	{".................................................x", 200, SHADOW_OPEN,
		SHADOW_NO_CAUSE}, /* 2 % */
	{".........e", 50, SHADOW_REFUSED, SHADOW_ERRS},
	{".........s", 50, SHADOW_REFUSED, SHADOW_SLOW},
	{"c", 1, SHADOW_REFUSED, SHADOW_CRASHED},
	{"v", 5000, SHADOW_OPEN, SHADOW_NO_CAUSE},
	{".v", 500, SHADOW_PROMOTED, SHADOW_NO_CAUSE},
	{"e", 500, SHADOW_REFUSED, SHADOW_ERRS},
};

static void the_rule_decides(void **state UNUSED)
{
	struct shadow_rule r = least();

	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		struct shadow_tally t = {0};

		play(&r, &t, verdicts[i].what, verdicts[i].n);
		if (t.verdict != verdicts[i].verdict || t.cause != verdicts[i].cause)
			fail_msg("%u x %s: %s %s (%s)", verdicts[i].n, verdicts[i].what,
				shadow_verdict_name(t.verdict), shadow_cause_name(t.cause), t.why);
		assert_true((t.verdict == SHADOW_OPEN) == (t.why[0] == 0));
	}
}

static void a_verdict_is_for_good(void **state UNUSED)
{
	struct shadow_rule r = least();
	struct shadow_tally t = {0};

	play(&r, &t, ".", 500);
	play(&r, &t, "x", 5000);
	t.crashes = 9;
	t.ran = r.deadline;
	shadow_eval(&r, &t);
	assert_int_equal(t.verdict, SHADOW_PROMOTED);
}

static void zero_tolerance_is_possible(void **state UNUSED)
{
	struct shadow_rule r = least();
	struct shadow_tally good = {0}, bad = {0}, errs = {0};

	r.agreement = 1000;
	r.errors = 0;
	r.min_pairs = 10;
	play(&r, &good, ".", 10);
	assert_int_equal(good.verdict, SHADOW_PROMOTED);
	play(&r, &bad, ".........x", 1);
	assert_int_equal(bad.cause, SHADOW_DISAGREES);
	play(&r, &errs, ".........e", 1);
	assert_int_equal(errs.cause, SHADOW_ERRS);
}

static void the_deadline_decides_what_is_open(void **state UNUSED)
{
	struct shadow_rule r = least();
	struct shadow_tally t = {0}, held = {0};

	t.ran = held.ran = r.deadline - 1;
	shadow_eval(&r, &t);
	assert_int_equal(t.verdict, SHADOW_OPEN);
	t.ran = held.ran = r.deadline;
	shadow_eval(&r, &t);
	assert_int_equal(t.cause, SHADOW_UNDECIDED);
	assert_non_null(strstr(t.why, "passes its inputs to nobody"));
	r.undecided = SHADOW_HOLD;
	shadow_eval(&r, &held);
	assert_int_equal(held.verdict, SHADOW_OPEN);
	assert_true(shadow_is_held(&r, &held));
	play(&r, &held, ".", 500);
	assert_int_equal(held.verdict, SHADOW_PROMOTED);
	assert_false(shadow_is_held(&r, &held));
}

static void latency_has_two_limits(void **state UNUSED)
{
	struct shadow_rule r = least();
	struct shadow_tally t = {0};

	assert_int_equal(shadow_limit_us(&r, &t), 0);
	play(&r, &t, ".", 100);
	assert_in_range(shadow_quantile(t.champion, 990), 1000, 1190);
	assert_in_range(shadow_limit_us(&r, &t), 3000, 3570);
	r.latency_limit = 2;
	assert_int_equal(shadow_limit_us(&r, &t), 2000);
	r.latency_ratio = 0;
	assert_int_equal(shadow_limit_us(&r, &t), 2000);
	r.latency_limit = 0;
	assert_int_equal(shadow_limit_us(&r, &t), 0);
	play(&r, &t, "s", 400);
	assert_int_equal(t.verdict, SHADOW_PROMOTED);
}

static void a_few_disagreements_are_kept(void **state UNUSED)
{
	struct shadow_rule r = least();
	struct shadow_tally t = {0};

	play(&r, &t, ".x", 9);
	assert_int_equal(t.n_examples, LIMIT_SHADOW_EXAMPLES);
	expect_text(t.example[3].champion, "A");
	expect_text(t.example[3].challenger, "B");
}

/* What the looks together may get wrong, at the worst true share: exactly the limit. */
static double share_of(const struct shadow_rule *r, double disagree, enum shadow_verdict want)
{
	struct prng random;
	unsigned hits = 0, runs = 150;

	random.s = 11;
	for (unsigned i = 0; i < runs; i++) {
		struct shadow_tally t = {0};

		for (unsigned k = 0; k < 4000 && t.verdict == SHADOW_OPEN; k++) {
			bool bad = (double)(prng_next(&random) >> 11) * 0x1p-53 < disagree;

			play(r, &t, bad ? "x" : ".", 1);
		}
		hits += t.verdict == want;
	}
	return (double)hits / runs;
}

static void the_chance_of_being_wrong_is_bounded(void **state UNUSED)
{
	struct shadow_rule r = least();

	assert_true(share_of(&r, 0.02, SHADOW_PROMOTED) <= 0.05);
	assert_true(share_of(&r, 0.02, SHADOW_REFUSED) <= 0.05);
	assert_true(share_of(&r, 0.05, SHADOW_REFUSED) >= 0.99);
	assert_true(share_of(&r, 0.005, SHADOW_PROMOTED) >= 0.99);
}

/* ---- what is remembered ---- */

static void a_comparison_survives_as_text(void **state UNUSED)
{
	struct shadow_rule r = least();
	struct shadow_tally t = {0}, back;
	BUF_AUTO once = {0}, twice = {0};
	struct err e;

	play(&r, &t, ".x.esv", 90);
	t.dropped = 7;
	t.ran = 12345;
	snprintf(t.example[1].challenger, sizeof t.example[1].challenger, "\n \377");
	shadow_encode(&t, &once);
	expect_ok(shadow_decode(buf_str(&once), &back, &e), &e);
	shadow_encode(&back, &twice);
	assert_true(str_eq(buf_str(&once), buf_str(&twice)));
	assert_int_equal(back.verdict, t.verdict);
	assert_int_equal(back.pairs, t.pairs);
	expect_text(back.why, t.why);
	expect_text(back.example[1].challenger, "\n \377");
}

#define HEAD "backstay-shadow-1\n"

static const char *const bad_records[] = {
	"",
	"backstay-shadow-2\n",
	HEAD "pairs\n",
	HEAD "pairs -1\n",
	HEAD "pairs 1 2\n",
	HEAD "pairs 5000000000\n",
	HEAD "parts 1\n",
	HEAD "agreed 1\n",
	HEAD "pairs 2\nerrors 1\nagreed 2\n",
	HEAD "champion 80 1\n",
	HEAD "champion 1\n",
	HEAD "verdict 3 0 -\n",
	HEAD "verdict 1 7 -\n",
	HEAD "verdict 1 0\n",
	HEAD "verdict 1 0 4\n",
	HEAD "verdict 1 0 zz\n",
	HEAD "verdict 1 0 00\n",
	HEAD "verdict 1 0 4A\n",
	HEAD "example 31 41\n",
	HEAD "example - - -\nexample - - -\nexample - - -\nexample - - -\nexample - - -\n",
	HEAD "looks 65\n",
	HEAD "\n",
};

static void bad_records_are_refused(void **state UNUSED)
{
	struct shadow_tally t = {.pairs = 77};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad_records); i++) {
		if (shadow_decode(str_of(bad_records[i]), &t, &e) == 0)
			fail_msg("taken: %s", bad_records[i]);
		assert_int_equal(t.pairs, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_has_defaults),
		cmocka_unit_test(a_rule_is_read),
		cmocka_unit_test(bad_rules_are_refused),
		cmocka_unit_test(a_packet_is_read),
		cmocka_unit_test(bad_packets_are_refused),
		cmocka_unit_test(a_packet_has_bounds),
		cmocka_unit_test(answers_are_found),
		cmocka_unit_test(an_answer_has_bounds),
		cmocka_unit_test(numbers_may_differ_a_little),
		cmocka_unit_test(the_rule_decides),
		cmocka_unit_test(a_verdict_is_for_good),
		cmocka_unit_test(zero_tolerance_is_possible),
		cmocka_unit_test(the_deadline_decides_what_is_open),
		cmocka_unit_test(latency_has_two_limits),
		cmocka_unit_test(a_few_disagreements_are_kept),
		cmocka_unit_test(the_chance_of_being_wrong_is_bounded),
		cmocka_unit_test(a_comparison_survives_as_text),
		cmocka_unit_test(bad_records_are_refused),
	};

	return cmocka_run_group_tests_name("shadow", tests, NULL, NULL);
}
