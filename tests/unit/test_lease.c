/* Disruption leases: the rule, what crosses the wire, and the server's engine with devices that
 * race, fall silent, and a server that is killed. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "lib/prng.h"
#include "proto/wire/lease.h"
#include "server/core/lease.h"
#include "server/repo/leases.h"
#include "server/run/campaign.h"
#include "server/run/lease.h"
#include "tests/lib/fleet.h"

/* ---- the rule ---- */

static void a_budget_is_kept(void **state)
{
	static const struct {
		uint32_t max, taken;
		bool holds, granted;
	} cases[] = {{1, 0, false, true}, {1, 1, false, false}, {1, 1, true, true},
		{2, 1, false, true}, {2, 2, false, false}, {0, 99, false, true}};
	struct lease_verdict v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy_disruption d = {"line", cases[i].max, MINUTE(60), false};
		struct lease_case c = {.now = MINUTE(1000),
			.need = MINUTE(5),
			.taken = cases[i].taken,
			.holds = cases[i].holds,
			.ends_first = MINUTE(1000) + SEC(20)};

		lease_eval(&d, &c, &v);
		assert_int_equal(v.granted, cases[i].granted);
		assert_true(v.until == (v.granted ? MINUTE(1005) : 0));
		assert_true(v.again == (v.granted ? 0 : SEC(20)));
	}
}

static void a_lease_has_an_end(void **state)
{
	struct policy_disruption d = {"line", 1, MINUTE(60), false};
	struct lease_case c = {.now = 1000, .need = MINUTE(600)};
	struct lease_verdict v;

	(void)state;
	lease_eval(&d, &c, &v);
	assert_true(v.until == 1000 + MINUTE(60));
	c.taken = 1;
	c.ends_first = 1001;
	lease_eval(&d, &c, &v);
	assert_true(v.again == SEC(2));
	c.ends_first = MINUTE(500);
	lease_eval(&d, &c, &v);
	assert_true(v.again == SEC(30));
}

/* ---- the wire ---- */

static void questions_and_answers_go_both_ways(void **state)
{
	struct lease_ask a = {.document = {{7}}, .need = SEC(90)}, b;
	struct lease_answer x = {.granted = true, .life = SEC(9), .text = "why not"}, y;
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	lease_ask_encode(&a, &text);
	expect_ok(lease_ask_decode(buf_str(&text), &b, &e), &e);
	assert_memory_equal(&a, &b, sizeof a);
	buf_clear(&text);
	lease_answer_encode(&x, &text);
	expect_ok(lease_answer_decode(buf_str(&text), &y, &e), &e);
	assert_true(y.granted && y.life == SEC(9) && y.again == 0);
	expect_text(y.text, "why not");
}

static void nonsense_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
	} asks[] = {
		{"", ERR_BAD_INPUT},
		{"[]", ERR_BAD_INPUT},
		{"{}", ERR_BAD_INPUT},
		{"{\"format\":1}", ERR_BAD_INPUT},
		{"{\"format\":2,\"document\":\"00\"}", ERR_BAD_INPUT},
		{"{\"format\":1,\"document\":\"xyz\"}", ERR_BAD_INPUT},
		{"{\"format\":1,\"document\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff"
		 "61f20015ad\",\"need_ms\":0}",
			ERR_BAD_INPUT},
		{"{\"format\":1,\"document\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff"
		 "61f20015ad\",\"device\":\"x\"}",
			ERR_BAD_INPUT},
	};
	BUF_AUTO long_one = {0};
	struct lease_answer y;
	struct lease_ask a;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		expect_err(lease_ask_decode(str_of(asks[i].text), &a, &e), &e, asks[i].code, NULL,
			asks[i].text);
		if (i != 3)
			expect_err(lease_answer_decode(str_of(asks[i].text), &y, &e), &e,
				asks[i].code, NULL, asks[i].text);
	}
	for (int i = 0; i <= LIMIT_LEASE_BYTES; i++)
		buf_add_char(&long_one, ' ');
	expect_err(lease_ask_decode(buf_str(&long_one), &a, &e), &e, ERR_TOO_LARGE, NULL, "blanks");
	expect_err(lease_answer_decode(STR("{\"format\":1,\"granted\":1}"), &y, &e), &e,
		ERR_BAD_INPUT, NULL, "granted 1");
}

/* ---- the engine ---- */

#define N 4

static struct fleet f;
static struct fleet_device dev[N], kept[N];

static int make(void **state)
{
	static const char *const labels[N] = {"line=north", "line=north", "line=south", NULL};
	char id[ID_TEXT_MAX];
	struct err e;

	(void)state;
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	paper_members = ", \"preconditions\": [{\"type\": \"lease\"}]";
	fleet_release(&f, "toy-2", 2, "toy-1");
	paper_members = "";
	for (unsigned i = 0; i < N; i++) {
		snprintf(id, sizeof id, "lane-%u", i);
		fleet_device(&f, &kept[i], id, "toy-1");
		kept[i].labels = labels[i];
		expect_ok(fleet_report(&f, &kept[i], REPORT_HELLO, ERR_OK, &e), &e);
	}
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

#define ALL "[{\"name\": \"all\", \"share_permille\": 1000}], \"first_alone\": false"

/* Everybody is told to run toy-2. */
static void campaign(const char *disruption)
{
	char waves[300];

	snprintf(waves, sizeof waves, ALL "%s", disruption);
	fleet_campaign(&f, "spring", "toy-2", waves, 5);
	fleet_order(&f, "spring", WEV_START);
	for (unsigned i = 0; i < N; i++)
		assert_true(fleet_poll(&f, &dev[i]));
}

static bool ask(unsigned i, struct lease_answer *out)
{
	struct lease_ask q = {.need = MINUTE(5)};
	struct err e;

	paper_digest("toy-2", &q.document);
	expect_ok(lease_ask(f.run, dev[i].id, &q, out, &e), &e);
	return out->granted;
}

static void end(unsigned i, const char *state)
{
	struct err e;

	dev[i].state = state;
	expect_ok(fleet_report(&f, &dev[i], REPORT_OUTCOME,
			  strcmp(state, "committed") == 0 ? ERR_OK : ERR_NEED_HAND, &e),
		&e);
}

#define ONE ", \"disruption\": {\"label\": \"line\", \"max\": 1, \"lease_ms\": 240000}"

static void one_of_a_line_at_a_time(void **state)
{
	struct lease_answer a;

	(void)state;
	campaign(ONE);
	assert_true(ask(0, &a));
	assert_true(a.life == MINUTE(4)); /* the policy's bound */
	assert_false(ask(1, &a));
	assert_true(a.again > 0);
	expect_text(a.text, "1 of at most 1 of line=north are disrupted");
	/* Other lines, and those without, are groups of their own. */
	assert_true(ask(2, &a));
	assert_true(ask(3, &a));
	/* Asking again is no further disruption. */
	assert_true(ask(0, &a));
	assert_false(ask(1, &a));
	end(0, "committed");
	assert_true(ask(1, &a));
}

static void a_restart_forgets_nothing(void **state)
{
	struct lease_answer a;

	(void)state;
	campaign(ONE);
	assert_true(ask(0, &a));
	fleet_restart(&f);
	assert_false(ask(1, &a));
	assert_true(ask(0, &a));
}

static void the_silent_lose_it(void **state)
{
	struct lease_answer a;
	BUF_AUTO dump = {0};
	struct lease_row l;
	struct err e;

	(void)state;
	campaign(ONE);
	assert_true(ask(0, &a));
	fleet_pass(&f, MINUTE(4) - 1000);
	assert_false(ask(1, &a));
	fleet_pass(&f, 1000);
	expect_err(leases_get(&f.store, dev[0].id, &l, &e), &e, ERR_NOT_FOUND, NULL, "lane-0");
	fleet_dump(&f, &dump);
	assert_non_null(strstr(buf_cstr(&dump), "has ended without an outcome"));
	assert_true(ask(1, &a));
}

/* What is stuck is disrupted. */
static void the_stuck_keep_it(void **state)
{
	struct lease_answer a;

	(void)state;
	campaign(ONE);
	assert_true(ask(0, &a));
	end(0, "stuck");
	assert_false(ask(1, &a));
}

static void without_a_budget_everybody_may(void **state)
{
	struct lease_answer a;
	struct lease_row l;
	struct err e;

	(void)state;
	campaign("");
	for (unsigned i = 0; i < N; i++) {
		assert_true(ask(i, &a));
		assert_true(a.life == MINUTE(5));
		expect_err(leases_get(&f.store, dev[i].id, &l, &e), &e, ERR_NOT_FOUND, NULL, "row");
	}
}

static void it_is_for_what_it_was_told_to_run(void **state)
{
	struct lease_ask q = {.need = MINUTE(5)};
	struct lease_answer a;
	struct err e;

	(void)state;
	paper_digest("toy-2", &q.document);
	expect_err(lease_ask(f.run, dev[0].id, &q, &a, &e), &e, ERR_CONFLICT, "is not to run that",
		"before the campaign");
	campaign(ONE);
	paper_digest("toy-1", &q.document);
	expect_err(lease_ask(f.run, dev[0].id, &q, &a, &e), &e, ERR_CONFLICT, "is not to run that",
		"another release");
	expect_err(lease_ask(f.run, "stranger", &q, &a, &e), &e, ERR_NOT_FOUND, NULL, "stranger");
}

/* Its devices would not ask, and the budget would be a promise that nobody keeps. */
static void a_budget_wants_a_release_that_asks(void **state)
{
	static const char policy[] = "{\"format\": 1, \"name\": \"p\", \"waves\": " ALL ONE "}";
	struct campaign_new in = {.who = "ann", .id = {"early"}, .release = "toy-1"};
	JSON_AUTO *selector = json_pack("{s:b}", "all", 1);
	struct err e;
	bool is_new;

	(void)state;
	in.selector = selector;
	expect_ok(policy_parse(str_of(policy), &in.policy, &e), &e);
	expect_err(campaign_create(f.run, &in, &is_new, &e), &e, ERR_CONFLICT,
		"toy-1 does not state the precondition \"lease\"", "toy-1");
}

/* Whatever happens in whatever order, a line never has more than its budget. */
static void the_law_holds_in_any_order(void **state)
{
	struct prng p = {42};
	struct lease_answer a;
	ms_t until[N] = {0};
	unsigned granted = 0, refused = 0;

	(void)state;
	campaign(ONE);
	for (unsigned step = 0; step < 120; step++) {
		unsigned i = (unsigned)(prng_next(&p) % 2), other = 1 - i;

		switch (prng_next(&p) % 12) {
		case 0:
		case 1:
		case 2:
			fleet_pass(&f, (ms_t)(prng_next(&p) % 90000));
			break;
		case 3:
			fleet_restart(&f);
			break;
		default:
			if (ask(i, &a)) {
				assert_true(until[other] <= f.now);
				until[i] = f.now + a.life;
				granted++;
			} else {
				assert_true(until[other] > f.now);
				refused++;
			}
		}
	}
	assert_true(granted > 20 && refused > 10);
}

int main(void)
{
#define CASE(c) cmocka_unit_test_setup_teardown(c, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_budget_is_kept),
		cmocka_unit_test(a_lease_has_an_end),
		cmocka_unit_test(questions_and_answers_go_both_ways),
		cmocka_unit_test(nonsense_is_refused),
		CASE(one_of_a_line_at_a_time),
		CASE(a_restart_forgets_nothing),
		CASE(the_silent_lose_it),
		CASE(the_stuck_keep_it),
		CASE(without_a_budget_everybody_may),
		CASE(it_is_for_what_it_was_told_to_run),
		CASE(a_budget_wants_a_release_that_asks),
		CASE(the_law_holds_in_any_order),
	};

	return cmocka_run_group_tests_name("lease", tests, make, NULL);
}
