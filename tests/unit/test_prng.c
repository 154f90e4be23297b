#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "lib/prng.h"

/* The first numbers of SplitMix64 from the seeds 0 and 1234567, as its authors' reference program
 * prints them. */
static void the_stream_is_splitmix64(void **state)
{
	static const uint64_t zero[] = {
		0xe220a8397b1dcdafULL, 0x6e789e6aa1b965f4ULL, 0x06c45d188009454fULL};
	static const uint64_t other[] = {6457827717110365317ULL, 3203168211198807973ULL,
		9817491932198370423ULL, 4593380528125082431ULL, 16408922859458223821ULL};
	struct prng r = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(zero); i++)
		assert_true(prng_next(&r) == zero[i]);
	r.s = 1234567;
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		assert_true(prng_next(&r) == other[i]);
}

static void draws_stay_below_and_reach_all(void **state)
{
	struct prng r = {42};
	unsigned seen[10] = {0};

	(void)state;
	for (int i = 0; i < 10000; i++)
		seen[prng_below(&r, 10)]++;
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 850, 1150);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(prng_below(&r, 1), 0);
		/* Half of all 64-bit numbers must be drawn again here. */
		assert_true(prng_below(&r, (1ULL << 63) + 1) <= 1ULL << 63);
	}
}

/* Cohort positions depend on these values: they may never change. */
static void hashes_are_for_ever(void **state)
{
	static const struct {
		uint64_t seed;
		const char *text;
		uint64_t want;
	} rows[] = {
		{0, "", 0xf52a15e9a9b5e89bULL},
		{0, "device-1", 0x9a425baa2e7d7b35ULL},
		{7, "device-1", 0x4b337fb8fca6e91aULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(
			hash64(rows[i].seed, rows[i].text, strlen(rows[i].text)) == rows[i].want);
}

static void hashes_spread(void **state)
{
	unsigned low = 0;

	(void)state;
	for (int i = 0; i < 4096; i++) {
		char name[32];

		snprintf(name, sizeof name, "device-%d", i);
		low += hash64(99, name, strlen(name)) < 1ULL << 63;
	}
	assert_in_range(low, 1920, 2176);
}

/* RFC 3720, B.4, and the check value of the catalogue of CRC parameters. */
static void the_checksum_is_castagnoli(void **state)
{
	uint8_t zeros[32] = {0}, ones[32], up[32], down[32];

	(void)state;
	memset(ones, 0xff, sizeof ones);
	for (unsigned i = 0; i < 32; i++) {
		up[i] = (uint8_t)i;
		down[i] = (uint8_t)(31 - i);
	}
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283U);
	assert_int_equal(crc32c(0, zeros, sizeof zeros), 0x8a9136aaU);
	assert_int_equal(crc32c(0, ones, sizeof ones), 0x62a8ab43U);
	assert_int_equal(crc32c(0, up, sizeof up), 0x46dd794eU);
	assert_int_equal(crc32c(0, down, sizeof down), 0x113fdb5cU);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283U);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stream_is_splitmix64),
		cmocka_unit_test(draws_stay_below_and_reach_all),
		cmocka_unit_test(hashes_are_for_ever),
		cmocka_unit_test(hashes_spread),
		cmocka_unit_test(the_checksum_is_castagnoli),
	};

	return cmocka_run_group_tests_name("prng", tests, NULL, NULL);
}
