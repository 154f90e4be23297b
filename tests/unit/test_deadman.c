#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/deadman/core/deadman.h"

/* ---- packets ---- */

static const struct {
	const char *packet;
	enum deadman_word word; /* DEADMAN_WORD_MAX: refused */
	ms_t within;
} packets[] = {
	{"alive 1", DEADMAN_ALIVE, SEC(1)},
	{"alive 2592000", DEADMAN_ALIVE, SEC(LIMIT_DEADMAN_S)},
	{"decide 900", DEADMAN_DECIDE, SEC(900)},
	{"stand-down", DEADMAN_STAND_DOWN, 0},
	{"", DEADMAN_WORD_MAX, 0},
	{" ", DEADMAN_WORD_MAX, 0},
	{"alive", DEADMAN_WORD_MAX, 0},
	{"alive ", DEADMAN_WORD_MAX, 0},
	{"alive 0", DEADMAN_WORD_MAX, 0},
	{"alive -1", DEADMAN_WORD_MAX, 0},
	{"alive +1", DEADMAN_WORD_MAX, 0},
	{"alive 1 ", DEADMAN_WORD_MAX, 0},
	{"alive  1", DEADMAN_WORD_MAX, 0},
	{"alive 1\n", DEADMAN_WORD_MAX, 0},
	{"alive 2592001", DEADMAN_WORD_MAX, 0},
	{"alive 18446744073709551616", DEADMAN_WORD_MAX, 0},
	{"ALIVE 1", DEADMAN_WORD_MAX, 0},
	{"alivex 1", DEADMAN_WORD_MAX, 0},
	{"stand-down ", DEADMAN_WORD_MAX, 0},
	{"stand-down 1", DEADMAN_WORD_MAX, 0},
	{"alive 00000000000000000000000000000001", DEADMAN_WORD_MAX, 0},
};

static void packets_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		struct deadman_msg m = {.within = 7}, before = m;
		struct err e = {0};
		int rc = deadman_parse(str_of(packets[i].packet), &m, &e);

		if (packets[i].word == DEADMAN_WORD_MAX) {
			assert_true(rc == -ERR_BAD_INPUT || rc == -ERR_TOO_LARGE);
			assert_memory_equal(&m, &before, sizeof m);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_int_equal(m.word, packets[i].word);
		assert_int_equal(m.within, packets[i].within);
	}
}

static void what_is_written_is_read(void **state)
{
	static const ms_t spans[] = {-5, 0, 1, 999, 1000, 1001, SEC(LIMIT_DEADMAN_S), INT64_MAX};
	char text[LIMIT_DEADMAN_BYTES];

	(void)state;
	for (enum deadman_word w = 0; w < DEADMAN_WORD_MAX; w++) {
		for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
			struct deadman_msg m = {w, spans[i]}, got;

			assert_int_equal(
				deadman_parse(str_of(deadman_format(&m, text)), &got, NULL), 0);
			assert_int_equal(got.word, w);
			if (w != DEADMAN_STAND_DOWN)
				assert_true(got.within >= MIN(spans[i], SEC(LIMIT_DEADMAN_S)));
		}
	}
}

/* ---- the kernel's command line ---- */

static const struct {
	const char *line;
	uint64_t trial, deadline, lost, watchdog;
	unsigned bad;
} lines[] = {
	{"", 0, 300, 0, 60, 0},
	{"BOOT_IMAGE=/boot/vmlinuz root=/dev/vda3 ro quiet\n", 0, 300, 0, 60, 0},
	{"backstay.slot=A backstay.trial=1", 1, 300, 0, 60, 0},
	{"backstay.trial=1 backstay.deadline=120\n", 1, 120, 0, 60, 0},
	{"backstay.deadline=120", 1, 120, 0, 60, 0},
	{"backstay.deadline=120 backstay.trial=0", 0, 120, 0, 60, 0},
	{"backstay.lost=3600 backstay.watchdog=0", 0, 300, 3600, 0, 0},
	{"systemd.watchdog_sec=30s", 0, 300, 0, 0, 0},
	{"backstay.watchdog=20 systemd.watchdog_sec=30s", 0, 300, 0, 20, 0},
	{"backstay.deadline=10 backstay.deadline=20", 1, 20, 0, 60, 0},
	{"\t backstay.trial=1\tquiet", 1, 300, 0, 60, 0},
	{"quiet -- backstay.trial=1", 0, 300, 0, 60, 0},
	/* what is out of its bounds leaves the default: the machine must start, and the trial must
	   end */
	{"backstay.deadline=0", 1, 300, 0, 60, 1},
	{"backstay.deadline=", 1, 300, 0, 60, 1},
	{"backstay.deadline", 1, 300, 0, 60, 1},
	{"backstay.deadline=5m backstay.trial=yes", 0, 300, 0, 60, 2},
	{"backstay.trial=2 backstay.watchdog=99999999999999999999999", 0, 300, 0, 60, 2},
	{"backstay. backstay.= backstay.trials=1 xbackstay.trial=1 Backstay.trial=1", 0, 300, 0, 60,
		0},
};

static void the_command_line_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct deadman_conf c;
		unsigned bad = 77;

		deadman_conf_parse(str_of(lines[i].line), &c, &bad);
		if (c.v[DEADMAN_PARAM_TRIAL] != lines[i].trial || bad != lines[i].bad)
			print_error("%s\n", lines[i].line);
		assert_int_equal(c.v[DEADMAN_PARAM_TRIAL], lines[i].trial);
		assert_int_equal(c.v[DEADMAN_PARAM_DEADLINE], lines[i].deadline);
		assert_int_equal(c.v[DEADMAN_PARAM_LOST], lines[i].lost);
		assert_int_equal(c.v[DEADMAN_PARAM_WATCHDOG], lines[i].watchdog);
		assert_int_equal(bad, lines[i].bad);
	}
}

/* ---- decisions: a life as a list of what is seen ---- */

#define MAX_STEPS 6
static const struct life {
	const char *name, *line;
	struct {
		ms_t at_s, slept_s;
		const char *packet; /* NULL: nobody speaks */
		bool ending;
		enum deadman_cause why;
	} steps[MAX_STEPS]; /* ends with a time of 0 */
} lives[] = {
	{"nobody ever speaks", "backstay.trial=1",
		{{299, 0, NULL, false, DEADMAN_CAUSE_NONE},
			{300, 0, NULL, false, DEADMAN_CAUSE_SILENT}}},
	{"a confirmed version may be silent", "",
		{{299, 0, NULL, false, DEADMAN_CAUSE_NONE},
			{9000000, 0, NULL, false, DEADMAN_CAUSE_NONE}}},
	{"it speaks, then is silent", "backstay.deadline=100",
		{{99, 0, "alive 60", false, DEADMAN_CAUSE_NONE},
			{158, 0, "alive 60", false, DEADMAN_CAUSE_NONE},
			{217, 0, NULL, false, DEADMAN_CAUSE_NONE},
			{218, 0, NULL, false, DEADMAN_CAUSE_SILENT}}},
	{"too late is too late by a moment", "backstay.deadline=100",
		{{100, 0, NULL, false, DEADMAN_CAUSE_SILENT}}},
	{"it lives and never decides", "backstay.trial=1",
		{{10, 0, "decide 500", false, DEADMAN_CAUSE_NONE},
			{290, 0, "alive 9000", false, DEADMAN_CAUSE_NONE},
			{509, 0, "decide 9000", false, DEADMAN_CAUSE_NONE},
			{510, 0, "alive 9000", false, DEADMAN_CAUSE_UNDECIDED}}},
	{"a decision may be brought forward", "backstay.trial=1",
		{{10, 0, "decide 500", false, DEADMAN_CAUSE_NONE},
			{20, 0, "decide 30", false, DEADMAN_CAUSE_NONE},
			{50, 0, NULL, false, DEADMAN_CAUSE_UNDECIDED}}},
	{"accepted", "backstay.trial=1",
		{{10, 0, "alive 60", false, DEADMAN_CAUSE_NONE},
			{20, 0, "decide 30", false, DEADMAN_CAUSE_NONE},
			{49, 0, "stand-down", false, DEADMAN_CAUSE_NONE},
			{9000000, 0, NULL, false, DEADMAN_CAUSE_NONE}}},
	{"the agent itself says that it is a trial", "",
		{{10, 0, "alive 60", false, DEADMAN_CAUSE_NONE},
			{70, 0, NULL, false, DEADMAN_CAUSE_SILENT}}},
	{"accepted, and then lost", "backstay.trial=1 backstay.lost=1000",
		{{10, 0, "stand-down", false, DEADMAN_CAUSE_NONE},
			{1009, 0, "stand-down", false, DEADMAN_CAUSE_NONE},
			{2008, 0, NULL, false, DEADMAN_CAUSE_NONE},
			{2009, 0, NULL, false, DEADMAN_CAUSE_LOST}}},
	{"a night's sleep is held against nobody", "backstay.trial=1",
		{{10, 0, "decide 500", false, DEADMAN_CAUSE_NONE},
			{30000, 29000, NULL, false, DEADMAN_CAUSE_NONE},
			{30059, 29000, NULL, false, DEADMAN_CAUSE_NONE},
			{30060, 29000, NULL, false, DEADMAN_CAUSE_UNDECIDED}}},
	{"waking up takes away no time", "backstay.trial=1 backstay.deadline=1000",
		{{20, 10, NULL, false, DEADMAN_CAUSE_NONE},
			{999, 10, NULL, false, DEADMAN_CAUSE_NONE},
			{1000, 10, NULL, false, DEADMAN_CAUSE_SILENT}}},
	{"it does not get down", "",
		{{5000, 0, NULL, true, DEADMAN_CAUSE_NONE},
			{5299, 0, NULL, true, DEADMAN_CAUSE_NONE},
			{5300, 0, NULL, true, DEADMAN_CAUSE_HUNG}}},
};

static void lives_end_as_they_must(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		struct deadman_conf conf;
		struct deadman d;
		unsigned bad;

		deadman_conf_parse(str_of(lives[i].line), &conf, &bad);
		deadman_init(&conf, 0, &d);
		for (size_t k = 0; k < MAX_STEPS && lives[i].steps[k].at_s; k++) {
			struct deadman_msg m;
			struct deadman_event ev = {.now = SEC(lives[i].steps[k].at_s),
				.slept = SEC(lives[i].steps[k].slept_s),
				.ending = lives[i].steps[k].ending};

			if (lives[i].steps[k].packet) {
				assert_int_equal(
					deadman_parse(str_of(lives[i].steps[k].packet), &m, NULL),
					0);
				ev.msg = &m;
			}
			enum deadman_cause why = deadman_step(&d, &ev, &d);

			if (why != lives[i].steps[k].why)
				print_error("%s, at %lld s\n", lives[i].name,
					(long long)lives[i].steps[k].at_s);
			assert_int_equal(why, lives[i].steps[k].why);
			/* It is overdue exactly from the time on that was foretold. */
			assert_int_equal(why != DEADMAN_CAUSE_NONE, ev.now >= deadman_due(&d));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_read),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_command_line_is_read),
		cmocka_unit_test(lives_end_as_they_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
