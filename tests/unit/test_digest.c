#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/trust/digest.h"

/* FIPS 180-4's examples and the empty message. */
static const struct {
	const char *text, *hex;
} known[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void known_answers(void **state)
{
	struct sha256 d;
	char hex[SHA256_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		digest_of(known[i].text, strlen(known[i].text), &d);
		sha256_format(&d, hex);
		assert_string_equal(hex, known[i].hex);
	}
}

static void parts_give_the_same_as_the_whole(void **state)
{
	uint8_t bytes[300];
	struct sha256 whole, parts;
	struct digest d;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	digest_of(bytes, sizeof bytes, &whole);
	for (size_t step = 1; step < 130; step += 9) {
		digest_init(&d);
		for (size_t at = 0; at < sizeof bytes; at += step)
			digest_add(&d, bytes + at, MIN(step, sizeof bytes - at));
		digest_add(&d, NULL, 0);
		assert_int_equal(d.n, sizeof bytes);
		digest_fini(&d, &parts);
		assert_memory_equal(whole.b, parts.b, sizeof whole.b);
	}
}

static void a_digest_can_be_given_up(void **state)
{
	struct digest d = {0};

	(void)state;
	digest_fini(&d, NULL);
	digest_init(&d);
	digest_add(&d, "x", 1);
	digest_fini(&d, NULL);
	digest_fini(&d, NULL);
	assert_null(d.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(parts_give_the_same_as_the_whole),
		cmocka_unit_test(a_digest_can_be_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
