/* Routes: each row finds itself, and nothing else is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "proto/wire/routes.h"

static void every_row_finds_itself(void **state UNUSED)
{
	static const char *const args[] = {"one", "two", "three"};
	struct str found[ROUTE_ARGS_MAX];
	char path[256];
	bool other;

	for (enum route r = 0; r < ROUTE_MAX; r++) {
		assert_int_equal(route_format(r, args, path, sizeof path, NULL), 0);
		assert_int_equal(route_match(route_method(r), str_of(path), found, &other), r);
		if (strchr(route_path(r), '{'))
			assert_true(str_is(found[0], "one"));
	}
}

static void strangers_are_not_found(void **state UNUSED)
{
	static const struct {
		const char *method, *path;
		bool other_method;
	} t[] = {
		{"GET", "", false},
		{"GET", "/", false},
		{"GET", "/healthz/", false},
		{"GET", "//healthz", false},
		{"POST", "/healthz", true},
		{"GET", "/director//timestamp.json", false},
		{"GET", "/director/a", false},
		{"GET", "/director/a/b/c", false},
		{"get", "/healthz", true},
		{"DELETE", "/v1/devices/x", true},
	};
	struct str args[ROUTE_ARGS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		bool other = true;

		assert_int_equal(
			route_match(t[i].method, str_of(t[i].path), args, &other), ROUTE_MAX);
		assert_int_equal(other, t[i].other_method);
	}
}

static void a_long_segment_is_refused(void **state UNUSED)
{
	char path[400] = "/v1/devices/";
	struct str args[ROUTE_ARGS_MAX];
	bool other;

	memset(path + 12, 'a', 256);
	assert_int_equal(route_match("GET", str_of(path), args, &other), ROUTE_DEVICE);
	assert_int_equal(args[0].n, 256);
	path[12 + 256] = 'a';
	assert_int_equal(route_match("GET", str_of(path), args, &other), ROUTE_MAX);
}

static void a_path_that_does_not_fit_is_refused(void **state UNUSED)
{
	static const char *const args[] = {"node-1"};
	char out[16] = "as it was";
	struct err e;

	assert_int_equal(route_format(ROUTE_DEVICE, args, out, sizeof out, &e), -ERR_TOO_LARGE);
	assert_string_equal(out, "as it was");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_finds_itself),
		cmocka_unit_test(strangers_are_not_found),
		cmocka_unit_test(a_long_segment_is_refused),
		cmocka_unit_test(a_path_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
