/* What time it is: a table, the floor's life, and its stored form. */
#include "tests/lib/expect.h"

#include "proto/trust/timebase.h"

#define KEYS                                                                                       \
	{                                                                                          \
		{                                                                                  \
			1                                                                          \
		}                                                                                  \
	}
#define OTHER                                                                                      \
	{                                                                                          \
		{                                                                                  \
			2                                                                          \
		}                                                                                  \
	}
#define NONE                                                                                       \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define FAR INT64_C(4000000000)

static const struct {
	const char *what;
	struct timebase_in in;
	int64_t now;
} t[] = {
	{"nothing but 1970: the build date", {.keys = KEYS, .built_s = 100}, 100},
	{"1970 and a floor", {.keys = KEYS, .built_s = 100, .floor = {200, KEYS}}, 200},
	{"the token outranks a clock in the far future",
		{.keys = KEYS,
			.built_s = 100,
			.heard = {300, KEYS},
			.system_s = FAR,
			.system_set = true},
		300},
	{"the far future is not believed before any token",
		{.keys = KEYS, .built_s = 100, .floor = {200, KEYS}, .system_s = FAR}, 200},
	{"a clock that was set counts until there is a token",
		{.keys = KEYS, .built_s = 100, .system_s = 400, .system_set = true}, 400},
	{"but never below the floor",
		{.keys = KEYS, .floor = {500, KEYS}, .system_s = 400, .system_set = true}, 500},
	{"nor does a token", {.keys = KEYS, .floor = {500, KEYS}, .heard = {400, KEYS}}, 500},
	{"others' floor is void",
		{.keys = KEYS, .built_s = 100, .floor = {FAR, OTHER}, .heard = {300, KEYS}}, 300},
	{"others' token is void", {.keys = KEYS, .built_s = 100, .heard = {FAR, OTHER}}, 100},
	{"no tokens: the machine's clock", {.keys = NONE, .built_s = 100, .system_s = 400}, 400},
	{"no tokens, 1970: the build date", {.keys = NONE, .built_s = 100, .system_s = 9}, 100},
	{"no tokens any more: an old floor is void",
		{.keys = NONE, .floor = {FAR, KEYS}, .system_s = 400}, 400},
};

static void now_is_what_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (timebase_eval(&t[i].in) != t[i].now)
			fail_msg("%s: %lld", t[i].what, (long long)timebase_eval(&t[i].in));
}

static void the_floor_only_rises_under_the_same_keys(void **state)
{
	const struct signed_time floor = {500, KEYS};
	struct signed_time next = floor;
	struct err e;

	(void)state;
	expect_err(timebase_step(&floor, &(struct signed_time){499, KEYS}, &next, &e), &e,
		ERR_ROLLED_BACK, "after 1970-01-01T00:08:20Z", "older");
	assert_int_equal(next.s, 500);
	expect_ok(timebase_step(&floor, &(struct signed_time){500, KEYS}, &next, &e), &e);
	expect_ok(timebase_step(&floor, &(struct signed_time){501, KEYS}, &next, &e), &e);
	assert_int_equal(next.s, 501);
	expect_ok(timebase_step(&floor, &(struct signed_time){7, OTHER}, &next, &e), &e);
	assert_int_equal(next.s, 7);
}

static void the_floor_is_stored_and_read(void **state)
{
	struct signed_time floor = {1790000000, {{0xab, 1}}}, got;
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	timebase_format(&floor, &text);
	expect_ok(timebase_parse(buf_str(&text), &got, &e), &e);
	assert_int_equal(got.s, floor.s);
	assert_true(sha256_eq(&got.keys, &floor.keys));
}

static void odd_floors_are_refused(void **state)
{
	static const char *const odd[] = {"", "{}", "[]", "{\"time\":\"2026-01-31T12:00:00Z\"}",
		"{\"keys\":\"00\",\"time\":\"2026-01-31T12:00:00Z\"}", "{\"keys\":1,\"time\":2}"};
	struct signed_time got = {7, KEYS};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		expect_err(
			timebase_parse(str_of(odd[i]), &got, &e), &e, ERR_BAD_INPUT, NULL, odd[i]);
	assert_int_equal(got.s, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now_is_what_the_table_says),
		cmocka_unit_test(the_floor_only_rises_under_the_same_keys),
		cmocka_unit_test(the_floor_is_stored_and_read),
		cmocka_unit_test(odd_floors_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
