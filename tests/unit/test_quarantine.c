#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/core/facts.h"
#include "agent/core/quarantine.h"

static struct err e;

static struct quarantine_entry entry(uint8_t k)
{
	struct quarantine_entry x = {
		.document = {{k}}, .why = ERR_TRIGGERED, .since = 1000 + k, .until = 2000 + k};

	snprintf(x.release.s, sizeof x.release.s, "ocr-%u", k);
	snprintf(x.text, sizeof x.text, "latency: p99 0.4 s over 0.2 s, number %u", k);
	return x;
}

static struct sha256 doc(uint8_t k)
{
	return (struct sha256){{k}};
}

static void newest_first_and_bounded(void **state)
{
	struct quarantine q = {0};

	(void)state;
	for (uint8_t k = 1; k <= QUARANTINE_MAX + 3; k++) {
		struct quarantine_entry x = entry(k);

		quarantine_add(&q, &x);
		assert_int_equal(q.n, MIN(k, QUARANTINE_MAX));
		assert_int_equal(q.v[0].document.b[0], k);
	}
	assert_null(quarantine_find(&q, &(struct sha256){{3}}, 0));
	assert_non_null(quarantine_find(&q, &(struct sha256){{4}}, 0));
	quarantine_add(&q, &q.v[5]); /* again, and from its own memory */
	assert_int_equal(q.n, QUARANTINE_MAX);
	assert_int_equal(q.v[0].document.b[0], QUARANTINE_MAX - 2);
	assert_int_equal(q.v[5].document.b[0], QUARANTINE_MAX - 1);
}

static void entries_expire_and_are_removed(void **state)
{
	struct quarantine q = {0};
	struct quarantine_entry x = entry(1);
	struct sha256 one = doc(1), two = doc(2);

	(void)state;
	quarantine_add(&q, &x);
	assert_non_null(quarantine_find(&q, &one, 2000));
	assert_null(quarantine_find(&q, &one, 2001));
	assert_null(quarantine_find(&q, &two, 0));
	x.until = 0;
	quarantine_add(&q, &x);
	assert_non_null(quarantine_find(&q, &one, INT64_MAX));
	assert_false(quarantine_remove(&q, &two));
	assert_true(quarantine_remove(&q, &one));
	assert_int_equal(q.n, 0);
	assert_false(quarantine_remove(&q, &one));
}

static void comes_back_as_it_was(void **state)
{
	struct quarantine q = {0}, back;
	BUF_AUTO b = {0};

	(void)state;
	quarantine_encode(&q, &b);
	assert_int_equal(quarantine_decode(buf_str(&b), &back, &e), 0);
	assert_int_equal(back.n, 0);
	for (uint8_t k = 1; k <= QUARANTINE_MAX; k++) {
		struct quarantine_entry x = entry(k);

		if (k == 7)
			strcpy(x.text, "");
		quarantine_add(&q, &x);
	}
	buf_clear(&b);
	quarantine_encode(&q, &b);
	assert_int_equal(quarantine_decode(buf_str(&b), &back, &e), 0);
	assert_int_equal(back.n, q.n);
	for (unsigned i = 0; i < q.n; i++) {
		assert_true(sha256_eq(&back.v[i].document, &q.v[i].document));
		assert_string_equal(back.v[i].release.s, q.v[i].release.s);
		assert_string_equal(back.v[i].text, q.v[i].text);
		assert_int_equal(back.v[i].why, q.v[i].why);
		assert_int_equal(back.v[i].since, q.v[i].since);
		assert_int_equal(back.v[i].until, q.v[i].until);
	}
}

static const struct {
	const char *why;
	uint8_t one[4], other[4]; /* documents, newest first; 0 at the end */
	uint8_t both[5];
} joins[] = {
	{"nothing", {0}, {0}, {0}},
	{"the same", {3, 2}, {3, 2}, {3, 2}},
	{"one is gone", {0}, {3, 2}, {3, 2}},
	{"the other is gone", {3, 2}, {0}, {3, 2}},
	{"one is older", {2}, {3, 2}, {3, 2}},
	{"each knows another", {4, 2}, {3, 1}, {4, 3, 2, 1}},
};

static void two_of_them_know_what_either_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
		struct quarantine q = {0}, other = {0};

		for (unsigned k = 0; joins[i].one[k]; k++)
			q.v[q.n++] = entry(joins[i].one[k]);
		for (unsigned k = 0; joins[i].other[k]; k++)
			other.v[other.n++] = entry(joins[i].other[k]);
		quarantine_join(&q, &other);
		for (unsigned k = 0; k < q.n; k++)
			if (q.v[k].document.b[0] != joins[i].both[k])
				fail_msg("%s: entry %u is %u", joins[i].why, k,
					q.v[k].document.b[0]);
		assert_int_equal(joins[i].both[q.n], 0);
	}
}

static void the_longer_ban_counts(void **state)
{
	static const ms_t until[][3] = {{10, 20, 20}, {20, 10, 20}, {0, 20, 0}, {20, 0, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(until); i++) {
		struct quarantine q = {.n = 1, .v = {entry(1)}}, other = q;

		q.v[0].until = until[i][0];
		other.v[0].until = until[i][1];
		quarantine_join(&q, &other);
		assert_int_equal(q.n, 1);
		assert_int_equal(q.v[0].until, until[i][2]);
	}
}

static void what_is_full_keeps_the_newest(void **state)
{
	struct quarantine q = {0}, other = {0};

	(void)state;
	for (uint8_t k = 1; k <= QUARANTINE_MAX; k++) {
		struct quarantine_entry x = entry((uint8_t)(2 * k)),
					y = entry((uint8_t)(2 * k + 1));

		quarantine_add(&q, &x);
		quarantine_add(&other, &y);
	}
	quarantine_join(&q, &other);
	assert_int_equal(q.n, QUARANTINE_MAX);
	for (unsigned i = 0; i < q.n; i++)
		assert_int_equal(q.v[i].document.b[0], 2 * QUARANTINE_MAX + 1 - i);
}

static void text_cannot_forge_a_line(void **state)
{
	struct quarantine q = {0}, back;
	struct quarantine_entry x = entry(1);
	BUF_AUTO b = {0};

	(void)state;
	strcpy(x.text, "one\ntwo\x1b[31m");
	quarantine_add(&q, &x);
	quarantine_encode(&q, &b);
	assert_int_equal(quarantine_decode(buf_str(&b), &back, &e), 0);
	assert_int_equal(back.n, 1);
	assert_string_equal(back.v[0].text, "one two [31m");
}

#define HEAD "backstay quarantine 1\n"
#define D64  "0101010101010101010101010101010101010101010101010101010101010101"

static const struct {
	const char *text;
	enum err_code code;
	const char *named;
} bad[] = {
	{"", ERR_BAD_INPUT, "does not begin"},
	{"backstay quarantine 2\n", ERR_BAD_INPUT, "does not begin"},
	{HEAD "\n", ERR_BAD_INPUT, "entry 1"},
	{HEAD "00 1 2 triggered ocr-4 x\n", ERR_BAD_INPUT, "entry 1"},
	{HEAD D64 "\n", ERR_BAD_INPUT, "entry 1"},
	{HEAD D64 " -1 2 triggered ocr-4 x\n", ERR_BAD_INPUT, "entry 1"},
	{HEAD D64 " 1 99999999999999999999 triggered ocr-4 x\n", ERR_BAD_INPUT, "entry 1"},
	{HEAD D64 " 1 2 angry ocr-4 x\n", ERR_BAD_INPUT, "\"angry\" is no error"},
	{HEAD D64 " 1 2 triggered ../x x\n", ERR_BAD_INPUT, "release"},
	{HEAD D64 " 1 2 triggered\n", ERR_BAD_INPUT, "release"},
	{HEAD D64 " 1 2 triggered ocr-4 x\n" D64 " 1 2 triggered ocr-5 y\n", ERR_BAD_INPUT,
		"entry 2 is there twice"},
};

static void bad_files_are_refused(void **state)
{
	struct quarantine out = {.n = 77};
	BUF_AUTO many = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(
			quarantine_decode(str_of(bad[i].text), &out, &e), -(int)bad[i].code);
		if (!strstr(e.text, bad[i].named))
			fail_msg("\"%s\" instead of \"%s\"", e.text, bad[i].named);
	}
	buf_add_str(&many, HEAD);
	for (unsigned k = 0; k <= QUARANTINE_MAX; k++)
		buf_addf(&many, "%064u 1 2 triggered ocr-4 x\n", k);
	assert_int_equal(quarantine_decode(buf_str(&many), &out, &e), -ERR_TOO_LARGE);
	assert_int_equal(out.n, 77);
}

static void slots_have_names(void **state)
{
	(void)state;
	assert_string_equal(slot_name(0), "a");
	assert_string_equal(slot_name(1), "b");
	assert_string_equal(slot_name(SLOT_NONE), "-");
	assert_int_equal(slot_other(0), 1);
	assert_int_equal(slot_other(1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_first_and_bounded),
		cmocka_unit_test(entries_expire_and_are_removed),
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(two_of_them_know_what_either_does),
		cmocka_unit_test(the_longer_ban_counts),
		cmocka_unit_test(what_is_full_keeps_the_newest),
		cmocka_unit_test(text_cannot_forge_a_line),
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(slots_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
