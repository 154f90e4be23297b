#include "tests/lib/expect.h"

#include "lib/id.h"

static void ids_are_narrow(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{"a", true},
		{"ocr-4", true},
		{"0.1_rc-2", true},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstu", true}, /* 47 */
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv", false},
		{"", false},
		{"-a", false},
		{".", false},
		{"..", false},
		{".hidden", false},
		{"_a", false},
		{"a/b", false},
		{"a b", false},
		{"a\n", false},
		{"a\xc3\xa9", false},
		{"a%2f", false},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[ID_TEXT_MAX] = "old";
		int rc = id_parse(str_of(rows[i].text), "device", out, &e);

		if (rows[i].ok)
			expect_ok(rc, &e);
		else
			expect_err(rc, &e, ERR_BAD_INPUT, "device: ", rows[i].text);
		expect_text(out, rows[i].ok ? rows[i].text : "old");
	}
	/* Ids are compared and hashed as whole arrays by some, so the rest of them is zero. */
	{
		char out[ID_TEXT_MAX] = "longer";

		expect_ok(id_parse(STR("ab"), "x", out, &e), &e);
		for (size_t i = 2; i < sizeof out; i++)
			assert_int_equal(out[i], 0);
	}
}

static void digests_go_both_ways(void **state)
{
	const char *hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	struct sha256 d = {0}, other = {{1}};
	char text[SHA256_TEXT];
	struct err e;

	(void)state;
	assert_true(sha256_is_zero(&d));
	expect_err(sha256_parse(STR("ba78"), &d, &e), &e, ERR_BAD_INPUT, "sha256: ", "short");
	assert_true(sha256_is_zero(&d));
	expect_ok(sha256_parse(str_of(hex), &d, &e), &e);
	sha256_format(&d, text);
	expect_text(text, hex);
	assert_false(sha256_is_zero(&d));
	assert_false(sha256_eq(&d, &other));
	other = d;
	assert_true(sha256_eq(&d, &other));
}

static void transactions_are_printed(void **state)
{
	struct txn_id t = {{0x01, 0x02, 0xfe}};
	char text[TXN_TEXT];

	(void)state;
	txn_format(&t, text);
	expect_text(text, "0102fe00000000000000000000000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_narrow),
		cmocka_unit_test(digests_go_both_ways),
		cmocka_unit_test(transactions_are_printed),
	};

	return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
