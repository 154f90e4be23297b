#include "tests/lib/expect.h"

#include <errno.h>
#include <string.h>

static void every_row_is_whole(void **state)
{
	(void)state;
	for (enum err_code c = ERR_OK; c < ERR_CODE_MAX; c++) {
		assert_int_equal(err_by_name(err_name(c)), c);
		assert_true(err_text(c)[0] != 0);
		assert_in_range(err_http(c), 200, 599);
		assert_int_equal(err_exit(c) == 0, c == ERR_OK);
		assert_int_equal(err_http(c) < 400, c == ERR_OK);
	}
	assert_int_equal(err_by_name("no such"), ERR_CODE_MAX);
	assert_int_equal(err_by_name(""), ERR_CODE_MAX);
}

static void a_foreign_code_is_a_bug(void **state)
{
	(void)state;
	expect_text(err_name((enum err_code)9999), "bug");
	assert_int_equal(err_exit(ERR_CODE_MAX), err_exit(ERR_BUG));
	assert_int_equal(err_retry(ERR_CODE_MAX), ERR_RETRY_NEVER);
}

static void classes_decide_who_retries(void **state)
{
	(void)state;
	assert_int_equal(err_retry(ERR_NET), ERR_RETRY_SOON);
	assert_int_equal(err_retry(ERR_NO_SPACE), ERR_RETRY_LATER);
	assert_int_equal(err_retry(ERR_ALTERED), ERR_RETRY_NEVER);
	assert_int_equal(err_retry(ERR_NEED_HAND), ERR_RETRY_OPERATOR);
}

static void statuses_lead_back_to_codes(void **state)
{
	static const struct {
		int status;
		enum err_code code;
	} rows[] = {
		{200, ERR_OK},
		{204, ERR_OK},
		{302, ERR_OK},
		{399, ERR_OK},
		{400, ERR_BAD_INPUT},
		{401, ERR_DENIED},
		{403, ERR_DENIED},
		{404, ERR_NOT_FOUND},
		{409, ERR_CONFLICT},
		{413, ERR_TOO_LARGE},
		{418, ERR_BAD_INPUT},
		{500, ERR_IO},
		{503, ERR_BUSY},
		{504, ERR_TIMEOUT},
		{507, ERR_NO_SPACE},
		{599, ERR_NET},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(err_by_http(rows[i].status), rows[i].code);
}

static void setting_fills_and_returns(void **state)
{
	struct err e = {.sys = 7};

	(void)state;
	assert_int_equal(err_set(&e, ERR_DENIED, "no %s today", "tea"), -ERR_DENIED);
	assert_int_equal(e.code, ERR_DENIED);
	assert_int_equal(e.sys, 0);
	expect_text(e.text, "no tea today");
	assert_int_equal(err_set(NULL, ERR_BUSY, "nobody listens"), -ERR_BUSY);
	assert_int_equal(err_sys(NULL, ENOSPC, "nobody listens"), -ERR_NO_SPACE);
	assert_int_equal(err_wrap(NULL, "nobody listens"), -ERR_BUG);
}

static void system_errors_have_codes(void **state)
{
	static const struct {
		int sys;
		enum err_code code;
	} rows[] = {
		{ENOSPC, ERR_NO_SPACE},
		{EDQUOT, ERR_NO_SPACE},
		{ENOENT, ERR_NOT_FOUND},
		{EACCES, ERR_DENIED},
		{EPERM, ERR_DENIED},
		{ELOOP, ERR_DENIED},
		{EXDEV, ERR_DENIED},
		{EBUSY, ERR_BUSY},
		{EIO, ERR_IO},
		{EINVAL, ERR_IO},
		{123456, ERR_IO},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(err_sys(&e, rows[i].sys, "open %s", "x"), -(int)rows[i].code);
		assert_int_equal(e.sys, rows[i].sys);
	}
	expect_text(e.text, "open x: unknown error");
	(void)err_sys(&e, ENOENT, "open %s", "x");
	expect_text(e.text, "open x: No such file or directory");
}

static void layers_add_prefixes(void **state)
{
	struct err e;

	(void)state;
	(void)err_set(&e, ERR_ALTERED, "digest differs");
	(void)err_wrap(&e, "chunk %d", 7);
	assert_int_equal(err_wrap(&e, "stage %s", "models"), -ERR_ALTERED);
	expect_text(e.text, "stage models: chunk 7: digest differs");
	for (int i = 0; i < 100; i++)
		(void)err_wrap(&e, "a layer");
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	assert_int_equal(strncmp(e.text, "a layer: a layer: ", 18), 0);
}

static void kept_failures_are_handed_up(void **state)
{
	struct err kept, e = {0};

	(void)state;
	(void)err_sys(&kept, EIO, "read");
	assert_int_equal(err_copy(&e, &kept), -ERR_IO);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(e.sys, EIO);
	expect_text(e.text, kept.text);
	assert_int_equal(err_copy(NULL, &kept), -ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(a_foreign_code_is_a_bug),
		cmocka_unit_test(classes_decide_who_retries),
		cmocka_unit_test(statuses_lead_back_to_codes),
		cmocka_unit_test(setting_fills_and_returns),
		cmocka_unit_test(system_errors_have_codes),
		cmocka_unit_test(layers_add_prefixes),
		cmocka_unit_test(kept_failures_are_handed_up),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
