#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/trust/hashes.h"

/* Of "abc": FIPS 180-4's examples. */
#define ABC256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC512                                                                                     \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                         \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
#define ZERO256 "0000000000000000000000000000000000000000000000000000000000000000"

/* What is listed of the bytes "abc", and whether it reads and fits. */
static const struct {
	const char *listed;
	enum err_code want;
	bool fits, empty;
} rows[] = {
	{"{\"sha256\": \"" ABC256 "\"}", ERR_OK, true, false},
	{"{\"sha512\": \"" ABC512 "\"}", ERR_OK, true, false},
	{"{\"sha256\": \"" ABC256 "\", \"sha512\": \"" ABC512 "\"}", ERR_OK, true, false},
	{"{\"sha256\": \"" ZERO256 "\"}", ERR_OK, false, false},
	{"{\"sha512\": \"" ZERO256 ZERO256 "\"}", ERR_OK, false, false},
	{"{\"sha256\": \"" ABC256 "\", \"sha512\": \"" ZERO256 ZERO256 "\"}", ERR_OK, false, false},
	{"{\"sha256\": \"" ZERO256 "\", \"sha512\": \"" ABC512 "\"}", ERR_OK, false, false},
	{"{\"sha256\": \"" ABC256 "\", \"md5\": \"00\"}", ERR_OK, true, false},
	{"{\"md5\": \"00\"}", ERR_OK, true, true},
	{"{\"md5\": 7}", ERR_OK, true, true},
	{"{}", ERR_BAD_INPUT, false, false},
	{"[]", ERR_BAD_INPUT, false, false},
	{"{\"sha256\": 7}", ERR_BAD_INPUT, false, false},
	{"{\"sha256\": \"\"}", ERR_BAD_INPUT, false, false},
	{"{\"sha256\": \"" ABC512 "\"}", ERR_BAD_INPUT, false, false},
	{"{\"sha512\": \"" ABC256 "\"}", ERR_BAD_INPUT, false, false},
	{"{\"sha512\": \"x\", \"sha256\": \"" ABC256 "\"}", ERR_BAD_INPUT, false, false},
	{"{\"a\": 1, \"b\": 1, \"c\": 1, \"d\": 1, \"e\": 1}", ERR_TOO_LARGE, false, false},
};

static void every_known_hash_must_fit(void **state)
{
	struct hashes taken;
	struct err e;

	(void)state;
	hashes_all_of("abc", 3, &taken);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		JSON_AUTO *o = json_object();
		struct hashes listed = {0};
		int rc;

		json_object_set_new(o, "hashes", json_loads(rows[i].listed, 0, NULL));
		rc = hashes_parse(o, "x", &listed, &e);
		if (rc != -(int)rows[i].want)
			fail_msg("%s: %s", rows[i].listed, rc < 0 ? e.text : "read");
		if (rc < 0)
			continue;
		if (hashes_fit(&listed, &taken) != rows[i].fits)
			fail_msg("%s: fits or not", rows[i].listed);
		assert_int_equal(hashes_is_empty(&listed), rows[i].empty);
	}
}

static void sets_are_the_same_by_kind_and_value(void **state)
{
	struct hashes all, one, other;

	(void)state;
	hashes_all_of("abc", 3, &all);
	hashes_all_of("abd", 3, &other);
	one = (struct hashes){.has_sha256 = true, .sha256 = all.sha256};
	assert_true(hashes_is_same(&all, &all));
	assert_false(hashes_is_same(&all, &one));
	assert_false(hashes_is_same(&one, &all));
	assert_false(hashes_is_same(&all, &other));
	other.sha256 = all.sha256; /* one of two differs */
	assert_false(hashes_is_same(&all, &other));
}

static void a_file_is_named_by_one_of_them(void **state)
{
	struct hashes h;
	char text[HASHES_TEXT];

	(void)state;
	hashes_all_of("abc", 3, &h);
	hashes_format(&h, text);
	assert_string_equal(text, ABC256);
	h.has_sha256 = false;
	hashes_format(&h, text);
	assert_string_equal(text, ABC512);
	h.has_sha512 = false;
	hashes_format(&h, text);
	assert_string_equal(text, "");
}

static void parts_give_the_same_as_the_whole(void **state)
{
	struct hashes whole, parts;
	struct hashing h;

	(void)state;
	hashes_all_of("abc", 3, &whole);
	hashing_init(&h);
	hashing_add(&h, "a", 1);
	hashing_add(&h, "bc", 2);
	hashing_fini(&h, &parts);
	assert_true(hashes_is_same(&whole, &parts));
	hashing_init(&h);
	hashing_fini(&h, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_known_hash_must_fit),
		cmocka_unit_test(sets_are_the_same_by_kind_and_value),
		cmocka_unit_test(a_file_is_named_by_one_of_them),
		cmocka_unit_test(parts_give_the_same_as_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
