/* What a report means for a recipient: every state × what a device can say. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_report_has_its_meaning)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
