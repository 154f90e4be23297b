#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/wire/report.h"

static void labels_are_checked(void **state)
{
	static const struct {
		const char *labels;
		bool ok;
	} cases[] = {
		{"", true},
		{"line=north", true},
		{"line=north,site=berlin-2,x=1.0_b", true},
		{"line", false},
		{"line=", false},
		{"=north", false},
		{"line=north,", false},
		{",line=north", false},
		{"line=north,line=south", false},
		{"line=north,site", false},
		{"line=a=b", false},
		{"line=a b", false},
		{"line=north,line", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = {0};
		int rc = labels_check(str_of(cases[i].labels), &e);

		if ((rc == 0) != cases[i].ok)
			fail_msg("%s: %d %s", cases[i].labels, rc, e.text);
	}
}

static void labels_are_found(void **state)
{
	struct str labels = STR("line=north,li=x,site=berlin"), v;

	(void)state;
	assert_true(labels_find(labels, STR("line"), &v));
	assert_true(str_is(v, "north"));
	assert_true(labels_find(labels, STR("li"), &v));
	assert_true(str_is(v, "x"));
	assert_true(labels_find(labels, STR("site"), &v));
	assert_true(str_is(v, "berlin"));
	assert_false(labels_find(labels, STR("ite"), &v));
	assert_false(labels_find(STR(""), STR("line"), &v));
}

static void a_report_carries_them(void **state)
{
	struct report r, back;
	BUF_AUTO text = {0};
	struct err e = {0};

	(void)state;
	report_init(&r);
	r.seq = 1;
	r.at = 1;
	strcpy(r.labels, "line=north");
	report_encode(&r, &text);
	assert_int_equal(report_decode(buf_str(&text), &back, &e), 0);
	assert_string_equal(back.labels, "line=north");
	report_fini(&back);
	strcpy(r.labels, "nonsense");
	buf_clear(&text);
	report_encode(&r, &text);
	assert_int_equal(report_decode(buf_str(&text), &back, &e), -ERR_BAD_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_checked),
		cmocka_unit_test(labels_are_found),
		cmocka_unit_test(a_report_carries_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
