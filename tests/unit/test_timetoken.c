/* Time tokens: what is believed, and every way in which one is refused. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/trepo.h"

#define NONCE "00112233445566778899aabbccddeeff"

static struct trepo director;
static struct sign_key clock_key, other_key;
static struct trusted_set set;
static const struct dev_id dev = {"dev-1"};
static const struct timetoken said = {
	.device = {"dev-1"}, .nonce = NONCE, .time_s = TREPO_NOW, .timestamp = 7};

static void sign_by(const struct sign_key *key, const json_t *part, struct buf *out)
{
	struct err e;

	expect_ok(sign_meta(part, &key, 1, out, &e), &e);
}

static void token_of(const struct timetoken *t, struct buf *out)
{
	JSON_AUTO *part = repo_timetoken(t);

	sign_by(&clock_key, part, out);
}

static int verify(struct str bytes, struct timetoken *out, struct err *e)
{
	return timetoken_verify(&set.root, bytes, &dev, NONCE, out, e);
}

/* A director's root whose x-backstay-time names `n` keys with that threshold. */
static void root_with(const struct sign_key *const *keys, unsigned n, unsigned threshold)
{
	struct repo_role role = {"time", threshold, n, keys};
	struct err e;

	trusted_fini(&set);
	trusted_init(&set, TREPO_NOW);
	trepo_rebuild_root(&director);
	if (n)
		repo_root_add_time(director.role[TREPO_ROOT].part, &role);
	trepo_sign(&director, TREPO_ROOT);
	expect_ok(trusted_load_root(&set, trepo_bytes(&director, TREPO_ROOT), &e), &e);
}

static int usual_root(void **state)
{
	const struct sign_key *keys[] = {&clock_key};

	(void)state;
	root_with(keys, 1, 1);
	return 0;
}

static void a_good_token_is_believed(void **state)
{
	struct timetoken got;
	BUF_AUTO bytes = {0};
	struct err e;

	(void)state;
	token_of(&said, &bytes);
	expect_ok(verify(buf_str(&bytes), &got, &e), &e);
	assert_string_equal(got.device.s, "dev-1");
	assert_int_equal(got.time_s, TREPO_NOW);
	assert_int_equal(got.timestamp, 7);
}

static void an_answer_to_another_question_is_refused(void **state)
{
	static const struct {
		const char *what, *device, *nonce;
		enum err_code code;
	} t[] = {
		{"nonce", "dev-1", "00112233445566778899aabbccddeefe", ERR_MIXED},
		{"device", "dev-2", NONCE, ERR_WRONG_DEVICE},
	};
	struct timetoken ask, got;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		BUF_AUTO bytes = {0};

		ask = said;
		snprintf(ask.device.s, sizeof ask.device.s, "%s", t[i].device);
		snprintf(ask.nonce, sizeof ask.nonce, "%s", t[i].nonce);
		token_of(&ask, &bytes);
		expect_err(verify(buf_str(&bytes), &got, &e), &e, t[i].code, NULL, t[i].what);
	}
}

static void who_may_not_say_the_time_is_not_believed(void **state)
{
	JSON_AUTO *part = repo_timetoken(&said);
	BUF_AUTO foreign = {0}, timestamp = {0};
	struct timetoken got;
	struct err e;

	(void)state;
	sign_by(&other_key, part, &foreign);
	expect_err(verify(buf_str(&foreign), &got, &e), &e, ERR_UNSIGNED, NULL, "foreign key");
	sign_by(&director.role[TREPO_TIMESTAMP].keys[0], part, &timestamp);
	expect_err(verify(buf_str(&timestamp), &got, &e), &e, ERR_UNSIGNED, NULL, "timestamp's");
	root_with(NULL, 0, 0);
	expect_err(verify(buf_str(&foreign), &got, &e), &e, ERR_UNSIGNED, "nobody", "no role");
	usual_root(NULL);
}

static void a_threshold_counts_for_the_time_too(void **state)
{
	const struct sign_key *keys[] = {&clock_key, &other_key};
	JSON_AUTO *part = repo_timetoken(&said);
	BUF_AUTO one = {0}, both = {0};
	struct timetoken got;
	struct err e;

	(void)state;
	root_with(keys, 2, 2);
	sign_by(&clock_key, part, &one);
	expect_err(verify(buf_str(&one), &got, &e), &e, ERR_UNSIGNED, "1 of 2", "one signature");
	expect_ok(sign_meta(part, keys, 2, &both, &e), &e);
	expect_ok(verify(buf_str(&both), &got, &e), &e);
	usual_root(NULL);
}

static void other_metadata_is_no_token(void **state)
{
	struct timetoken got;
	struct err e;

	(void)state;
	for (enum trepo_file f = TREPO_TIMESTAMP; f < director.n; f++) {
		BUF_AUTO bytes = {0};

		sign_by(&clock_key, director.role[f].part, &bytes);
		expect_err(verify(buf_str(&bytes), &got, &e), &e, ERR_BAD_INPUT, NULL,
			director.role[f].name);
	}
}

/* What a thief of the key might sign. */
static void odd_tokens_are_refused(void **state)
{
	static const struct {
		const char *key, *value;
		enum err_code code;
	} t[] = {
		{"_type", "\"timestamp\"", ERR_BAD_INPUT},
		{"_type", "null", ERR_BAD_INPUT},
		{"device", "\"\"", ERR_BAD_INPUT},
		{"device", "\"../x\"", ERR_BAD_INPUT},
		{"nonce", "\"0011\"", ERR_BAD_INPUT},
		{"nonce", "\"00112233445566778899AABBCCDDEEFF\"", ERR_BAD_INPUT},
		{"nonce", "\"00112233445566778899aabbccddeeff00\"", ERR_TOO_LARGE},
		{"nonce", "17", ERR_BAD_INPUT},
		{"time", "\"2026-11-25\"", ERR_BAD_INPUT},
		{"time", "\"2026-11-25T12:00:00+01:00\"", ERR_BAD_INPUT},
		{"time", "\"2026-02-30T12:00:00Z\"", ERR_BAD_INPUT},
		{"time", "1790000000", ERR_BAD_INPUT},
		{"timestamp", "-1", ERR_BAD_INPUT},
		{"timestamp", "\"7\"", ERR_BAD_INPUT},
		{"more", "1", ERR_BAD_INPUT},
	};
	struct timetoken got = {0}, before = {0};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		JSON_AUTO *part = repo_timetoken(&said);
		BUF_AUTO bytes = {0};

		json_object_set_new(part, t[i].key, json_loads(t[i].value, JSON_DECODE_ANY, NULL));
		sign_by(&clock_key, part, &bytes);
		expect_err(verify(buf_str(&bytes), &got, &e), &e, t[i].code, NULL, t[i].value);
		json_object_del(part, t[i].key);
		assert_memory_equal(&got, &before, sizeof got);
	}
}

static void a_missing_member_is_refused(void **state)
{
	static const char *const members[] = {"_type", "device", "nonce", "time", "timestamp"};
	struct timetoken got;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		JSON_AUTO *part = repo_timetoken(&said);
		BUF_AUTO bytes = {0};

		json_object_del(part, members[i]);
		sign_by(&clock_key, part, &bytes);
		expect_err(verify(buf_str(&bytes), &got, &e), &e, ERR_BAD_INPUT, NULL, members[i]);
	}
}

static void bytes_that_are_no_token_are_refused(void **state)
{
	static const struct {
		struct str text;
		enum err_code code;
	} t[] = {
		{{"", 0}, ERR_BAD_INPUT},
		{{"{}", 2}, ERR_BAD_INPUT},
		{{"[]", 2}, ERR_BAD_INPUT},
		{{"{\"signed\":{},\"signatures\":[]}", 29}, ERR_UNSIGNED},
		{{"{\"signed\":{},\"signatures\":[{}]}", 31}, ERR_BAD_INPUT},
		{{"{\"signed\":{},\"signatures\":[],\"more\":1}", 38}, ERR_BAD_INPUT},
		{{"{\"signed\":{},\"signed\":{},\"signatures\":[]}", 41}, ERR_BAD_INPUT},
	};
	BUF_AUTO large = {0};
	struct timetoken got;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		expect_err(verify(t[i].text, &got, &e), &e, t[i].code, NULL, t[i].text.p);
	token_of(&said, &large);
	while (large.n <= LIMIT_TIMETOKEN_BYTES)
		buf_add(&large, " ", 1);
	expect_err(verify(buf_str(&large), &got, &e), &e, ERR_TOO_LARGE, NULL, "too large");
}

static void every_flipped_bit_is_noticed(void **state)
{
	struct timetoken got;
	BUF_AUTO good = {0};
	struct err e;

	(void)state;
	token_of(&said, &good);
	for (size_t i = 0; i < good.n; i++) {
		good.p[i] ^= 1;
		if (verify(buf_str(&good), &got, &e) == 0)
			assert_memory_equal(&got, &said, sizeof got);
		good.p[i] ^= 1;
	}
}

/* The keys that say the time are known again in any order, and others are others. */
static void the_keys_have_a_name(void **state)
{
	const struct sign_key *a[] = {&clock_key, &other_key}, *b[] = {&other_key, &clock_key};
	struct sha256 one, ab, ba, none;
	struct err e;

	(void)state;
	expect_ok(timetoken_keys(&set.root, &one, &e), &e);
	root_with(a, 2, 1);
	expect_ok(timetoken_keys(&set.root, &ab, &e), &e);
	root_with(b, 2, 1);
	expect_ok(timetoken_keys(&set.root, &ba, &e), &e);
	root_with(NULL, 0, 0);
	expect_ok(timetoken_keys(&set.root, &none, &e), &e);
	assert_true(sha256_eq(&ab, &ba));
	assert_false(sha256_eq(&ab, &one));
	assert_false(sha256_is_zero(&one));
	assert_true(sha256_is_zero(&none));
	usual_root(NULL);
}

static void a_root_that_says_it_oddly_is_refused(void **state)
{
	static const char *const odd[] = {"1", "[]", "{}", "{\"keyids\":[],\"threshold\":1}",
		"{\"keyids\":[\"nobody\"],\"threshold\":1}", "{\"keyids\":[],\"threshold\":0}",
		"{\"keyids\":[1],\"threshold\":1}"};
	struct sha256 keys;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		usual_root(NULL);
		json_object_set_new(director.role[TREPO_ROOT].part, TIMETOKEN_TYPE,
			json_loads(odd[i], JSON_DECODE_ANY, NULL));
		trepo_sign(&director, TREPO_ROOT);
		trusted_fini(&set);
		trusted_init(&set, TREPO_NOW);
		expect_ok(trusted_load_root(&set, trepo_bytes(&director, TREPO_ROOT), &e), &e);
		expect_err(timetoken_keys(&set.root, &keys, &e), &e, ERR_BAD_INPUT, NULL, odd[i]);
	}
	usual_root(NULL);
}

static int begin(void **state)
{
	struct err e;

	trepo_init(&director, TREPO_DIRECTOR, TREPO_NOW);
	expect_ok(sign_key_new("director-time", SIG_ECDSA_P256, &clock_key, &e), &e);
	expect_ok(sign_key_new("other", SIG_ECDSA_P256, &other_key, &e), &e);
	return usual_root(state);
}

static int end(void **state)
{
	(void)state;
	trusted_fini(&set);
	trepo_fini(&director);
	sign_key_fini(&clock_key);
	sign_key_fini(&other_key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_token_is_believed),
		cmocka_unit_test(an_answer_to_another_question_is_refused),
		cmocka_unit_test(who_may_not_say_the_time_is_not_believed),
		cmocka_unit_test(a_threshold_counts_for_the_time_too),
		cmocka_unit_test(other_metadata_is_no_token),
		cmocka_unit_test(odd_tokens_are_refused),
		cmocka_unit_test(a_missing_member_is_refused),
		cmocka_unit_test(bytes_that_are_no_token_are_refused),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(the_keys_have_a_name),
		cmocka_unit_test(a_root_that_says_it_oddly_is_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
