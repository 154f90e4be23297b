#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/wire/time.h"

/* Seconds as `date -u -d TEXT +%s` gives them. */
static const struct {
	const char *text;
	int64_t s;
} good[] = {
	{"1970-01-01T00:00:00Z", 0},
	{"1999-12-31T23:59:59Z", 946684799},
	{"2000-02-29T00:00:00Z", 951782400},
	{"2000-03-01T00:00:00Z", 951868800},
	{"2026-11-21T01:02:03Z", 1795222923},
	{"2038-01-19T03:14:08Z", 2147483648},
	{"2100-02-28T23:59:59Z", 4107542399},
	{"2100-03-01T00:00:00Z", 4107542400},
	{"9999-12-31T23:59:59Z", 253402300799},
};

static void good_times_go_both_ways(void **state)
{
	char text[21];
	int64_t s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(time_parse(str_of(good[i].text), &s, NULL), 0);
		assert_int_equal(s, good[i].s);
		time_format(s, text);
		assert_string_equal(text, good[i].text);
	}
}

static void every_day_goes_both_ways(void **state)
{
	char text[21];
	int64_t back;

	(void)state;
	for (int64_t s = 43200; s < 253402300799; s += 86400) {
		time_format(s, text);
		assert_int_equal(time_parse(str_of(text), &back, NULL), 0);
		assert_int_equal(back, s);
	}
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-11-21",
		"2026-11-21T01:02:03",
		"2026-11-21T01:02:03z",
		"2026-11-21 01:02:03Z",
		"2026-11-21T01:02:03.5Z",
		"2026-11-21T01:02:03+00:00",
		"2026-11-21T01:02:03Z ",
		" 2026-11-21T01:02:03Z",
		"2026-11-21T01:02:0:Z",
		"2026-1-021T01:02:03Z",
		"2026-02-30T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-00-10T00:00:00Z",
		"2026-13-10T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-04-00T00:00:00Z",
		"2026-04-01T24:00:00Z",
		"2026-04-01T00:60:00Z",
		"2026-04-01T23:59:60Z",
		"1969-12-31T23:59:59Z",
		"10000-01-01T00:00:00Z",
		"-026-01-01T00:00:00Z",
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t s = -7;

		assert_int_equal(time_parse(str_of(bad[i]), &s, &e), -ERR_BAD_INPUT);
		assert_int_equal(s, -7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_times_go_both_ways),
		cmocka_unit_test(every_day_goes_both_ways),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
