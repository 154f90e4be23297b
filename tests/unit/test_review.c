#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "keys/review.h"

/* Whatever differs between two files that somebody is to sign must be told. */
static const struct {
	const char *what, *before, *after, *told;
} cases[] = {
	{"nothing", "{'version': 1, 'expires': 'a'}", "{'version': 2, 'expires': 'b'}",
		"version 2 follows on 1\nvalid until b instead of a\n"},
	{"a key comes", "{'keys': {}, 'roles': {'root': {'keyids': [], 'threshold': 1}}}",
		"{'keys': {'k1': {'scheme': 's'}}, 'roles': {'root': {'keyids': ['k1'], 'threshold': 1}}}",
		"root: with key k1 (s)\n"},
	{"a key goes",
		"{'keys': {'k1': {'scheme': 's'}}, 'roles': {'root': {'keyids': ['k1'], 'threshold': 1}}}",
		"{'keys': {}, 'roles': {'root': {'keyids': [], 'threshold': 1}}}",
		"root: without key k1 (s)\n"},
	{"a threshold", "{'roles': {'root': {'keyids': [], 'threshold': 2}}}",
		"{'roles': {'root': {'keyids': [], 'threshold': 1}}}",
		"root: 1 instead of 2 signatures are needed\n"},
	{"another key under an id", "{'keys': {'k1': {'scheme': 's'}}}",
		"{'keys': {'k1': {'scheme': 't'}}}", "ANOTHER KEY UNDER THE ID k1\n"},
	{"a role comes", "{'roles': {}}",
		"{'keys': {'k1': {'scheme': 's'}}, 'roles': {'x': {'keyids': ['k1'], 'threshold': 1}}}",
		"x: with key k1 (s)\n"},
	{"the time's key", "{'roles': {}, 'x-backstay-time': {'keyids': [], 'threshold': 1}}",
		"{'roles': {}, 'keys': {'k': {'scheme': 's'}}, 'x-backstay-time': {'keyids': ['k'], 'threshold': 1}}",
		"time: with key k (s)\n"},
	{"a delegation's paths",
		"{'delegations': {'keys': {}, 'roles': [{'name': 'a', 'keyids': [], 'threshold': 1, 'paths': ['x']}]}}",
		"{'delegations': {'keys': {}, 'roles': [{'name': 'a', 'keyids': [], 'threshold': 1, 'paths': ['*']}]}}",
		"a: other terms, such as paths\n"},
	{"a delegated role goes",
		"{'delegations': {'keys': {}, 'roles': [{'name': 'a', 'keyids': ['k'], 'threshold': 1}]}}",
		"{'delegations': {'keys': {}, 'roles': []}}", "a: without key k"},
	{"a target comes", "{'targets': {}}", "{'targets': {'p/a.json': {'length': 1}}}",
		"with target p/a.json\n"},
	{"a target changes", "{'targets': {'p/a.json': {'length': 2}}}",
		"{'targets': {'p/a.json': {'length': 1}}}",
		"without target p/a.json\nwith target p/a.json\n"},
	{"anything else changes", "{'x-backstay-quorum': [1]}", "{'x-backstay-quorum': []}",
		"another \"x-backstay-quorum\"\n"},
	{"anything else goes", "{'x-backstay-quorum': [1]}", "{}",
		"another \"x-backstay-quorum\"\n"},
	{"anything else comes", "{}", "{'x-backstay-evidence': {}}",
		"another \"x-backstay-evidence\"\n"},
};

static json_t *read_part(const char *text)
{
	char quoted[1024];
	json_error_t error;
	json_t *j;

	snprintf(quoted, sizeof quoted, "%s", text);
	for (char *c = quoted; *c; c++)
		if (*c == '\'')
			*c = '"';
	j = json_loads(quoted, 0, &error);
	if (!j)
		fail_msg("%s: %s", text, error.text);
	return j;
}

static void every_difference_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		JSON_AUTO *before = read_part(cases[i].before), *after = read_part(cases[i].after);
		BUF_AUTO told = {0};

		review_format(before, after, &told);
		if (!strstr(buf_cstr(&told), cases[i].told))
			fail_msg("%s: told only:\n%s", cases[i].what, buf_cstr(&told));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_difference_is_told)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
