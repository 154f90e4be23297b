/* Which checkpoints of the audit log are signed, and which requests for one are refused. */
#include "tests/lib/expect.h"

#include "server/signd/core/rule.h"

static const struct sign_limits limits = {.audit = {.burst = 2, .per_hour = 1}};

static struct sha256 chain_of(uint8_t b)
{
	return (struct sha256){{b}};
}

static void a_longer_log_is_signed_a_known_one_again_any_other_not(void **state)
{
	static const struct {
		const char *what;
		uint64_t last, n;
		uint8_t last_chain, chain;
		enum err_code code;
		bool again;
	} cases[] = {
		{"the first", 0, 5, 0, 1, ERR_OK, false},
		{"one row more", 5, 6, 1, 2, ERR_OK, false},
		{"the same question", 5, 5, 1, 1, ERR_OK, true},
		{"the same row, another log", 5, 5, 1, 2, ERR_ALTERED, false},
		{"a shorter log", 5, 4, 1, 1, ERR_ROLLED_BACK, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ask_checkpoint a = {cases[i].n, chain_of(cases[i].chain)};
		struct auditlog_checkpoint last = {cases[i].last, chain_of(cases[i].last_chain), 0};
		struct sign_budgets left = {0};
		bool again = false;
		struct err e;
		int rc = rule_checkpoint(&a, &last, &limits, SEC(1000000), &left, &again, &e);

		if (cases[i].code == ERR_OK)
			expect_ok(rc, &e);
		else
			expect_err(rc, &e, cases[i].code, "audit log", cases[i].what);
		assert_int_equal(again, cases[i].again);
	}
}

static void the_budget_is_spent_by_new_ones_only(void **state)
{
	struct ask_checkpoint a = {7, chain_of(1)};
	struct auditlog_checkpoint same = {7, chain_of(1), 0}, older = {6, chain_of(0), 0};
	struct sign_budgets left = {0};
	struct err e;
	bool again;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		expect_ok(rule_checkpoint(&a, &same, &limits, SEC(1000000), &left, &again, &e), &e);
	for (unsigned i = 0; i < 2; i++)
		expect_ok(
			rule_checkpoint(&a, &older, &limits, SEC(1000000), &left, &again, &e), &e);
	expect_err(rule_checkpoint(&a, &older, &limits, SEC(1000000), &left, &again, &e), &e,
		ERR_BUSY, "budget", "the third new one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_longer_log_is_signed_a_known_one_again_any_other_not),
		cmocka_unit_test(the_budget_is_spent_by_new_ones_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
