/* What a report means for a recipient: every state × what a device can say. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "agent/core/update.h"
#include "server/run/verdict.h"

#define OLD                                                                                        \
	{                                                                                          \
		{                                                                                  \
			1                                                                          \
		}                                                                                  \
	} /* digests of documents */
#define NEW                                                                                        \
	{                                                                                          \
		{                                                                                  \
			2                                                                          \
		}                                                                                  \
	}
#define ELSE                                                                                       \
	{                                                                                          \
		{                                                                                  \
			3                                                                          \
		}                                                                                  \
	}
#define NONE                                                                                       \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

static const struct {
	const char *name;
	enum recipient_state state;
	bool ordered_back;
	struct report r;
	enum recipient_state want;
} cases[] = {
	/* on the way to the release */
	{"hello", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_HELLO, .state = "idle", .running_digest = OLD}, RECIPIENT_ADMITTED},
	{"staging", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_STATE, .state = "staging", .target_digest = NEW},
		RECIPIENT_ADMITTED},
	{"committed", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_OUTCOME,
			.state = "committed",
			.target_digest = NEW,
			.running_digest = NEW},
		RECIPIENT_COMMITTED},
	{"reverted", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_OUTCOME,
			.state = "reverted",
			.code = ERR_TRIGGERED,
			.target_digest = NEW},
		RECIPIENT_REVERTED},
	{"failed", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_OUTCOME,
			.state = "failed",
			.code = ERR_SMOKE_FAILED,
			.target_digest = NEW},
		RECIPIENT_FAILED},
	{"stuck", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_OUTCOME,
			.state = "stuck",
			.code = ERR_NEED_HAND,
			.target_digest = NEW},
		RECIPIENT_FAILED},
	{"the end of an earlier update", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_OUTCOME,
			.state = "failed",
			.code = ERR_SUPERSEDED,
			.target_digest = ELSE},
		RECIPIENT_ADMITTED},
	/* refusals */
	{"refused for good", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_REFUSED,
			.state = "idle",
			.code = ERR_WRONG_DEVICE,
			.director_version = 7},
		RECIPIENT_FAILED},
	{"refused for good, unread", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_REFUSED, .state = "idle", .code = ERR_UNSIGNED}, RECIPIENT_FAILED},
	{"refused for now", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_REFUSED,
			.state = "idle",
			.code = ERR_EXPIRED,
			.director_version = 7},
		RECIPIENT_ADMITTED},
	{"an older order refused", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_REFUSED,
			.state = "idle",
			.code = ERR_WRONG_DEVICE,
			.director_version = 6},
		RECIPIENT_ADMITTED},
	{"something refused in the middle of it", RECIPIENT_ADMITTED, false,
		{.kind = REPORT_REFUSED,
			.state = "soaking",
			.code = ERR_ALTERED,
			.director_version = 7},
		RECIPIENT_ADMITTED},
	/* heard of again */
	{"back from silence", RECIPIENT_SILENT, false,
		{.kind = REPORT_HELLO, .state = "staging", .running_digest = OLD},
		RECIPIENT_ADMITTED},
	{"committed in silence", RECIPIENT_SILENT, false,
		{.kind = REPORT_OUTCOME, .state = "committed", .target_digest = NEW},
		RECIPIENT_COMMITTED},
	{"silent on the way back", RECIPIENT_SILENT, true,
		{.kind = REPORT_HELLO, .state = "idle", .running_digest = NEW},
		RECIPIENT_ORDERED_BACK},
	{"went back in silence", RECIPIENT_SILENT, true,
		{.kind = REPORT_HELLO, .state = "idle", .running_digest = OLD}, RECIPIENT_BACK},
	/* after it was accepted */
	{"still there", RECIPIENT_COMMITTED, false,
		{.kind = REPORT_STATE, .state = "idle", .running_digest = NEW},
		RECIPIENT_COMMITTED},
	{"taken back by hand", RECIPIENT_COMMITTED, false,
		{.kind = REPORT_OUTCOME, .state = "committed", .running_digest = OLD},
		RECIPIENT_REVERTED},
	{"being taken back by hand", RECIPIENT_COMMITTED, false,
		{.kind = REPORT_STATE, .state = "starting", .running_digest = OLD},
		RECIPIENT_COMMITTED},
	{"runs nothing for a moment", RECIPIENT_COMMITTED, false,
		{.kind = REPORT_HELLO, .state = "idle", .running_digest = NONE},
		RECIPIENT_COMMITTED},
	/* ordered back */
	{"on its way", RECIPIENT_ORDERED_BACK, true,
		{.kind = REPORT_STATE, .state = "starting", .running_digest = NEW},
		RECIPIENT_ORDERED_BACK},
	{"there", RECIPIENT_ORDERED_BACK, true,
		{.kind = REPORT_OUTCOME,
			.state = "committed",
			.target_digest = OLD,
			.running_digest = OLD},
		RECIPIENT_BACK},
	{"had not begun", RECIPIENT_ORDERED_BACK, true,
		{.kind = REPORT_OUTCOME,
			.state = "failed",
			.code = ERR_SUPERSEDED,
			.target_digest = NEW,
			.running_digest = OLD},
		RECIPIENT_BACK},
	{"was faster than the order", RECIPIENT_ORDERED_BACK, true,
		{.kind = REPORT_OUTCOME,
			.state = "reverted",
			.code = ERR_TRIGGERED,
			.target_digest = NEW,
			.running_digest = OLD},
		RECIPIENT_REVERTED},
	{"committed before it heard", RECIPIENT_ORDERED_BACK, true,
		{.kind = REPORT_OUTCOME,
			.state = "committed",
			.target_digest = NEW,
			.running_digest = NEW},
		RECIPIENT_ORDERED_BACK},
	{"could not go back", RECIPIENT_ORDERED_BACK, true,
		{.kind = REPORT_OUTCOME,
			.state = "failed",
			.code = ERR_START_FAILED,
			.target_digest = OLD,
			.running_digest = NEW},
		RECIPIENT_FAILED},
	{"may not go back", RECIPIENT_ORDERED_BACK, true,
		{.kind = REPORT_REFUSED,
			.state = "idle",
			.code = ERR_ROLLED_BACK,
			.running_digest = NEW,
			.director_version = 7},
		RECIPIENT_FAILED},
	/* what is final stays */
	{"reverted", RECIPIENT_REVERTED, false,
		{.kind = REPORT_OUTCOME, .state = "committed", .target_digest = NEW},
		RECIPIENT_REVERTED},
	{"failed", RECIPIENT_FAILED, false,
		{.kind = REPORT_OUTCOME, .state = "committed", .target_digest = NEW},
		RECIPIENT_FAILED},
	{"back", RECIPIENT_BACK, false,
		{.kind = REPORT_HELLO, .state = "idle", .running_digest = NEW}, RECIPIENT_BACK},
	{"waiting", RECIPIENT_WAITING, false,
		{.kind = REPORT_HELLO, .state = "idle", .running_digest = NEW}, RECIPIENT_WAITING},
};

static void every_report_has_its_meaning(void **state)
{
	const struct sha256 release = NEW, before = OLD;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct verdict_in in = {
			cases[i].state, cases[i].ordered_back, &release, &before, 7};
		enum recipient_state got = verdict_eval(&in, &cases[i].r);

		if (got != cases[i].want)
			fail_msg("%s: %s, wanted %s", cases[i].name, recipient_state_name(got),
				recipient_state_name(cases[i].want));
		assert_true(got == cases[i].state || recipient_may_move(cases[i].state, got));
	}
}

/* Admitted and failed, with this report and two failures before it, by a policy that lets each
 * class fail three times, but for disks twice. */
static const struct {
	const char *name;
	struct report r;
	bool again;
} retries[] = {
	{"network", {.kind = REPORT_OUTCOME, .state = "failed", .code = ERR_TIMEOUT}, true},
	{"no more tries", {.kind = REPORT_OUTCOME, .state = "failed", .code = ERR_NO_SPACE}, false},
	{"worker", {.kind = REPORT_OUTCOME, .state = "failed", .code = ERR_WORKER}, true},
	{"waited in vain", {.kind = REPORT_OUTCOME, .state = "failed", .code = ERR_EXPIRED}, true},
	{"smoke", {.kind = REPORT_OUTCOME, .state = "failed", .code = ERR_SMOKE_FAILED}, false},
	{"altered", {.kind = REPORT_OUTCOME, .state = "failed", .code = ERR_ALTERED}, false},
	{"stuck", {.kind = REPORT_OUTCOME, .state = "stuck", .code = ERR_TIMEOUT}, false},
	{"refused", {.kind = REPORT_REFUSED, .state = "idle", .code = ERR_QUARANTINED}, false},
};

static void what_is_nobodys_fault_may_be_tried_again(void **state)
{
	struct policy p = {.retry = {3, 2, 3, 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(retries); i++)
		if (verdict_is_again(&p, RECIPIENT_ADMITTED, RECIPIENT_FAILED, &retries[i].r, 2) !=
			retries[i].again)
			fail_msg("%s", retries[i].name);
	assert_false(verdict_is_again(&p, RECIPIENT_SILENT, RECIPIENT_FAILED, &retries[0].r, 0));
	assert_false(
		verdict_is_again(&p, RECIPIENT_ADMITTED, RECIPIENT_REVERTED, &retries[0].r, 0));
}

/* Else a device would be offered what it refuses, until its tries are used up. */
static void what_is_tried_again_no_device_holds_against_the_release(void **state)
{
	struct policy p = {.retry = {1, 1, 1, 1}};
	unsigned again = 0;

	(void)state;
	for (enum err_code c = 0; c < ERR_CODE_MAX; c++) {
		struct report r = {.kind = REPORT_OUTCOME, .state = "failed", .code = c};
		struct upd_record rec;

		upd_record_init(&rec);
		rec.state = UPD_FAILED;
		rec.why = c;
		if (!verdict_is_again(&p, RECIPIENT_ADMITTED, RECIPIENT_FAILED, &r, 0))
			continue;
		again++;
		if (upd_is_blamed(&rec))
			fail_msg("%s is tried again and quarantined", err_name(c));
	}
	assert_true(again > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_report_has_its_meaning),
		cmocka_unit_test(what_is_nobodys_fault_may_be_tried_again),
		cmocka_unit_test(what_is_tried_again_no_device_holds_against_the_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
