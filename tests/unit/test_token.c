#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "keys/keystore.h"
#include "tests/lib/softtoken.h"

#define MESSAGE STR("what is signed")

static const enum sig_scheme schemes[] = {SIG_ECDSA_P256, SIG_ECDSA_P384, SIG_RSA_PSS_SHA256};
static const char *const labels[] = {"safety-1", "safety-2", "safety-3"};

static struct sign_key files[3]; /* the same keys outside the token */

static int token_made(void **state)
{
	struct err e;

	(void)state;
	softtoken_make("one");
	softtoken_write("pin", SOFTTOKEN_PIN "\n", 0600);
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		assert_int_equal(sign_key_new(labels[i], schemes[i], &files[i], &e), 0);
		softtoken_import("one", labels[i], &files[i]);
	}
	return 0;
}

static int token_gone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		sign_key_fini(&files[i]);
	return 0;
}

static int open_uri(const char *uri, const char *pin, struct sign_key *out, struct err *e)
{
	return sign_key_token("safety-1", str_of(uri), str_of(pin), out, e);
}

static int open_label(const char *label, struct sign_key *out, struct err *e)
{
	char uri[256];

	softtoken_uri("one", label, uri);
	return sign_key_token(label, str_of(uri), STR(SOFTTOKEN_PIN), out, e);
}

static void nobody_sees_whether_a_key_is_in_a_token(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		struct sign_key key;
		uint8_t sig[SIG_MAX];
		struct err e = {0};
		size_t n;

		if (open_label(labels[i], &key, &e) < 0)
			fail_msg("%s", e.text);
		assert_string_equal(key.keyid, files[i].keyid);
		assert_string_equal(key.role, "safety");
		assert_int_equal(key.pub.scheme, schemes[i]);
		for (unsigned round = 0; round < 32; round++) { /* r and s of every length */
			assert_int_equal(sign_bytes(&key, MESSAGE, sig, &n, &e), 0);
			assert_int_equal(sig_verify(&files[i].pub, MESSAGE, sig, n, &e), 0);
		}
		assert_int_equal(
			sig_verify(&files[(i + 1) % 3].pub, MESSAGE, sig, n, &e), -ERR_UNSIGNED);
		sign_key_fini(&key);
	}
}

static void what_is_in_a_token_stays_there(void **state)
{
	BUF_AUTO pem = {0};
	struct sign_key key;
	struct err e;

	(void)state;
	assert_int_equal(open_label("safety-1", &key, &e), 0);
	assert_int_equal(sign_key_encode(&key, &pem, &e), -ERR_DENIED);
	assert_int_equal(pem.n, 0);
	sign_key_fini(&key);
}

static void what_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *what, *uri, *pin;
		enum err_code want;
	} cases[] = {
		{"wrong PIN", "token=one;object=safety-1?module-path=" SOFTTOKEN_MODULE, "0000-no",
			ERR_DENIED},
		{"empty PIN", "token=one;object=safety-1?module-path=" SOFTTOKEN_MODULE, "",
			ERR_DENIED},
		{"no such token", "token=two;object=safety-1?module-path=" SOFTTOKEN_MODULE,
			SOFTTOKEN_PIN, ERR_NOT_FOUND},
		{"no such key", "token=one;object=safety-9?module-path=" SOFTTOKEN_MODULE,
			SOFTTOKEN_PIN, ERR_NOT_FOUND},
		{"label and id of different keys",
			"token=one;object=safety-1;id=%00?module-path=" SOFTTOKEN_MODULE,
			SOFTTOKEN_PIN, ERR_NOT_FOUND},
		{"no such module", "token=one;object=safety-1?module-path=/nowhere/lib.so",
			SOFTTOKEN_PIN, ERR_NOT_FOUND},
		{"a library that is no module",
			"token=one;object=safety-1?module-path=/lib/x86_64-linux-gnu/libm.so.6",
			SOFTTOKEN_PIN, ERR_NOT_FOUND},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sign_key key;
		char uri[512];
		struct err e;

		snprintf(uri, sizeof uri, "pkcs11:%s&pin-source=pin", cases[i].uri);
		if (open_uri(uri, cases[i].pin, &key, &e) != -(int)cases[i].want)
			fail_msg("%s: not as expected: %s", cases[i].what, e.text);
	}
}

static void two_keys_of_one_name_are_no_key(void **state)
{
	struct sign_key twin, key;
	struct err e;

	(void)state;
	assert_int_equal(sign_key_new("twin", SIG_ECDSA_P256, &twin, &e), 0);
	softtoken_import("one", "twin", &twin);
	sign_key_fini(&twin);
	assert_int_equal(open_label("twin", &key, &e), 0);
	sign_key_fini(&key);
	softtoken_make("three");
	assert_int_equal(sign_key_new("twin", SIG_ECDSA_P256, &twin, &e), 0);
	softtoken_import("three", "twin", &twin);
	sign_key_fini(&twin);
	assert_int_equal(
		open_uri(
			"pkcs11:manufacturer=SoftHSM%20project;object=twin?module-path=" SOFTTOKEN_MODULE
			"&pin-source=pin",
			SOFTTOKEN_PIN, &key, &e),
		-ERR_CONFLICT);
}

static void *sign_many(void *key)
{
	uint8_t sig[SIG_MAX];
	size_t n;

	for (unsigned i = 0; i < 200; i++)
		if (sign_bytes(key, MESSAGE, sig, &n, NULL) < 0 ||
			sig_verify(&((struct sign_key *)key)->pub, MESSAGE, sig, n, NULL) < 0)
			return key;
	return NULL;
}

static void threads_share_a_key(void **state)
{
	pthread_t threads[3];
	struct sign_key key;
	void *failed;
	struct err e;

	(void)state;
	assert_int_equal(open_label("safety-1", &key, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_many, &key), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	sign_key_fini(&key);
}

/* ---- in a folder ---- */

static void a_folder_holds_files_and_tokens(void **state)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	const struct sign_key *keys[LIMIT_KEYS];
	char uri[256];
	struct err e = {0};

	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	softtoken_uri("one", "safety-1", uri);
	strcat(uri, "\n");
	softtoken_write("folder/safety-1.p11", uri, 0600);
	softtoken_write("folder/pin", SOFTTOKEN_PIN "\n", 0600);
	assert_int_equal(keystore_create(ks, "folder", "safety-4", SIG_ECDSA_P384, &e), 0);
	keystore_free(&ks);
	ks = keystore_new();
	if (keystore_load(ks, "folder", &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(keystore_find(ks, "safety", keys), 2);
	assert_string_equal(keys[0]->keyid, files[0].keyid);
	assert_string_equal(keys[1]->name, "safety-4");
	assert_int_equal(keystore_load(ks, "folder", &e), 0); /* once is enough */
	assert_int_equal(keystore_find(ks, "safety", keys), 2);
}

static void a_folder_is_refused(void **state)
{
	static const struct {
		const char *what, *pin;
		unsigned pin_mode, uri_mode;
		enum err_code want;
	} cases[] = {
		{"a PIN that others may read", SOFTTOKEN_PIN, 0640, 0600, ERR_DENIED},
		{"a URI that others may change", SOFTTOKEN_PIN, 0600, 0620, ERR_DENIED},
		{"an empty PIN", "\n", 0600, 0600, ERR_BAD_INPUT},
		{"no PIN", NULL, 0, 0600, ERR_NOT_FOUND},
		{"a wrong PIN", "1234", 0600, 0600, ERR_DENIED},
	};

	(void)state;
	mkdir("odd", 0700);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(keystore_free) struct keystore *ks = keystore_new();
		char uri[256];
		struct err e;

		softtoken_uri("one", "safety-1", uri);
		softtoken_write("odd/safety-1.p11", uri, cases[i].uri_mode);
		unlink("odd/pin");
		if (cases[i].pin)
			softtoken_write("odd/pin", cases[i].pin, cases[i].pin_mode);
		if (keystore_load(ks, "odd", &e) != -(int)cases[i].want)
			fail_msg("%s: not as expected: %s", cases[i].what, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_sees_whether_a_key_is_in_a_token),
		cmocka_unit_test(what_is_in_a_token_stays_there),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(two_keys_of_one_name_are_no_key),
		cmocka_unit_test(threads_share_a_key),
		cmocka_unit_test(a_folder_holds_files_and_tokens),
		cmocka_unit_test(a_folder_is_refused),
	};

	return cmocka_run_group_tests(tests, token_made, token_gone);
}
