#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "keys/ceremony.h"
#include "keys/keylife.h"
#include "keys/repo.h"
#include "tests/lib/trepo.h"

#define YEAR (365 * TREPO_DAY)

/* The ceremony's folder "keys", a copy of it to be changed in each case, and a new key. */
struct world {
	struct keystore *offline, *one; /* all keys; image-root-1 and image-targets-1 alone */
	struct sign_key fresh;
	struct pub_file pub;
	struct keylife_done done;
	struct err e;
};

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

static int keys_made(void **state)
{
	struct err e;

	(void)state;
	return ceremony_init("keys", TREPO_NOW, &e);
}

static void publish_key(const struct sign_key *key, struct pub_file *out)
{
	JSON_AUTO *public = sign_key_public(key);
	BUF_AUTO text = {0};
	struct err e;

	json_write(public, &text);
	assert_int_equal(pub_file_parse(buf_str(&text), out, &e), 0);
	assert_string_equal(out->keyid, key->keyid);
}

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	run("rm -rf r one && cp -r keys/repo/image r && mkdir -m 700 one && "
	    "cp keys/offline/image-root-1.pem keys/offline/image-targets-1.pem one/");
	w->offline = keystore_new();
	w->one = keystore_new();
	assert_int_equal(keystore_load(w->offline, "keys/offline", &w->e), 0);
	assert_int_equal(keystore_load(w->one, "one", &w->e), 0);
	assert_int_equal(sign_key_new("safety-2", SIG_ECDSA_P384, &w->fresh, &w->e), 0);
	publish_key(&w->fresh, &w->pub);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	keystore_free(&w->offline);
	keystore_free(&w->one);
	sign_key_fini(&w->fresh);
	pub_file_fini(&w->pub);
	keylife_done_fini(&w->done);
	mem_free(&w);
	return 0;
}

static void change_is(struct world *w, const char *lister, struct role_change *c,
	const struct keystore *ks, enum err_code want)
{
	keylife_done_fini(&w->done);
	if (keylife_change("r", lister, c, ks, TREPO_NOW, &w->done, &w->e) != -(int)want)
		fail_msg("%s: wanted %s: %s", lister, err_name(want), w->e.text);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void a_new_key_is_listed_in_place_of_the_old(void **state)
{
	struct world *w = *state;
	struct role_change c = {.role = "safety", .n_add = 1, .add = &w->pub, .only_added = true};
	CLEANUP(meta_fini) struct meta m = {0};
	struct sha256 spki[LIMIT_KEYS];
	struct fs fs;
	unsigned n;

	change_is(w, "targets", &c, w->offline, ERR_OK);
	assert_true(w->done.complete);
	assert_int_equal(w->done.added, 3);
	assert_string_equal(w->done.file, "2.targets.json");
	assert_non_null(strstr(buf_cstr(&w->done.review), "safety: without key"));
	assert_non_null(strstr(buf_cstr(&w->done.review), "ecdsa-sha2-nistp384"));
	assert_int_equal(fs_posix_open("r", &fs, &w->e), 0);
	assert_int_equal(folder_meta(&fs, "targets", 2, &m, &w->e), 0);
	assert_int_equal(m.expires_s, TREPO_NOW + YEAR);
	assert_int_equal(meta_role_keys(&m, "safety", spki, &n, &w->e), 0);
	assert_int_equal(n, 1);
	assert_true(sha256_eq(&spki[0], &w->fresh.pub.spki));
	assert_int_equal(
		json_object_size(role_key_list(m.signed_part)), 3); /* the old one is gone */
	fs_posix_close(&fs);
}

/* Keys of those who give evidence live like any other; nobody is witness and approver. */
static void a_witness_gets_a_new_key_and_no_approvers(void **state)
{
	struct world *w = *state;
	struct role_change c = {.role = "lab", .n_add = 1, .add = &w->pub, .only_added = true};
	struct role_change no_more = {.role = "safety", .n_add = 1, .add = &w->pub};
	CLEANUP(meta_fini) struct meta m = {0};
	const json_t *keys;
	struct fs fs;

	change_is(w, "targets", &c, w->offline, ERR_OK);
	assert_non_null(strstr(buf_cstr(&w->done.review), "lab: without key"));
	assert_non_null(strstr(buf_cstr(&w->done.review), "ecdsa-sha2-nistp384"));
	assert_int_equal(fs_posix_open("r", &fs, &w->e), 0);
	assert_int_equal(folder_meta(&fs, "targets", 2, &m, &w->e), 0);
	keys = json_object_get(json_object_get(m.signed_part, "x-backstay-evidence"), "keys");
	assert_int_equal(json_object_size(keys), 4);
	assert_non_null(json_object_get(keys, w->fresh.keyid));
	assert_int_equal(json_object_size(role_key_list(m.signed_part)), 3);
	fs_posix_close(&fs);
	change_is(w, "targets", &no_more, w->offline, ERR_CONFLICT);
}

static void impossible_changes_are_refused(void **state)
{
	struct world *w = *state;
	const char *const strange = "00112233", *const brief = "0", *drops[1] = {strange};
	struct pub_file engineering;
	const struct sign_key *keys[LIMIT_KEYS];

	assert_int_equal(keystore_find(w->offline, "engineering", keys), 1);
	publish_key(keys[0], &engineering);
	struct {
		const char *lister;
		struct role_change c;
		enum err_code want;
	} cases[] = {
		{"targets", {.role = "nobody", .n_add = 1, .add = &w->pub}, ERR_NOT_FOUND},
		{"root", {.role = "safety", .n_add = 1, .add = &w->pub}, ERR_NOT_FOUND},
		{"root", {.role = "time", .n_add = 1, .add = &w->pub}, ERR_NOT_FOUND},
		{"targets", {.role = "safety", .n_drop = 1, .drop = drops}, ERR_NOT_FOUND},
		{"targets", {.role = "safety", .only_added = true}, ERR_CONFLICT},
		{"targets", {.role = "safety", .threshold = 2}, ERR_CONFLICT},
		{"root", {.role = "root", .threshold = 4}, ERR_CONFLICT},
		{"targets", {.role = "safety", .n_add = 1, .add = &engineering}, ERR_CONFLICT},
		{"targets", {.role = "engineering", .n_add = 1, .add = &engineering}, ERR_CONFLICT},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		change_is(w, cases[i].lister, &cases[i].c, w->offline, cases[i].want);
	drops[0] = brief;
	cases[3].c.drop = drops;
	change_is(w, "targets", &cases[3].c, w->offline, ERR_NOT_FOUND);
	assert_false(exists("r/2.targets.json") || exists("r/2.root.json") || exists("r/waiting"));
	pub_file_fini(&engineering);
}

static void holders_sign_one_after_the_other(void **state)
{
	struct world *w = *state;
	struct role_change c = {.role = "root", .n_add = 1, .add = &w->pub};
	CLEANUP(keystore_free) struct keystore *two = keystore_new();
	struct keylife_done seen = {.added = 0};

	run("rm -rf r2 two && cp -r r r2 && mkdir -m 700 two && "
	    "cp keys/offline/image-root-2.pem two/");
	assert_int_equal(keystore_load(two, "two", &w->e), 0);
	change_is(w, "root", &c, w->one, ERR_OK);
	assert_false(w->done.complete);
	assert_int_equal(w->done.added, 1);
	assert_true(exists("r/waiting/2.root.json") && !exists("r/2.root.json"));
	change_is(w, "root", &c, w->one, ERR_CONFLICT); /* one waits already */

	assert_int_equal(keylife_look("r2", "r/waiting/2.root.json", TREPO_NOW, &seen, &w->e), 0);
	assert_false(seen.complete);
	assert_non_null(strstr(buf_cstr(&seen.review), "root: with key"));
	keylife_done_fini(&seen);
	assert_false(exists("r2/2.root.json"));
	assert_int_equal(
		keylife_sign("r2", "r/waiting/2.root.json", two, TREPO_NOW, &seen, &w->e), 0);
	assert_true(seen.complete && exists("r2/2.root.json"));
	assert_int_equal(seen.added, 1);
	keylife_done_fini(&seen);
	/* The first holder takes it, without signing again. */
	assert_int_equal(
		keylife_sign("r", "r/waiting/2.root.json", w->one, TREPO_NOW, &seen, &w->e), 0);
	assert_true(seen.complete && seen.added == 0 && exists("r/2.root.json"));
	keylife_done_fini(&seen);
}

static void what_does_not_follow_is_not_signed(void **state)
{
	struct world *w = *state;
	struct role_change c = {.role = "root", .n_add = 1, .add = &w->pub};
	struct keylife_done done;

	change_is(w, "root", &c, w->one, ERR_OK);
	run("cp r/waiting/2.root.json 3.root.json && cp r/waiting/2.root.json 2.timestamp.json && "
	    "echo {} >2.targets.json");
	/* Its name is not believed. */
	assert_int_equal(keylife_sign("r", "3.root.json", w->offline, TREPO_NOW, &done, &w->e), 0);
	keylife_done_fini(&done);
	assert_true(exists("r/2.root.json") && !exists("r/3.root.json"));
	assert_int_equal(keylife_sign("r", "3.root.json", w->offline, TREPO_NOW, &done, &w->e),
		-ERR_MIXED); /* it is there already */
	assert_int_equal(keylife_sign("r", "2.targets.json", w->offline, TREPO_NOW, &done, &w->e),
		-ERR_BAD_INPUT);
	assert_int_equal(keylife_sign("r", "2.timestamp.json", w->offline, TREPO_NOW, &done, &w->e),
		-ERR_NOT_FOUND);
	assert_int_equal(
		keylife_sign("r", "root.json", w->offline, TREPO_NOW, &done, &w->e), -ERR_USAGE);
	assert_int_equal(keylife_sign("r", "4.root.json", w->offline, TREPO_NOW, &done, &w->e),
		-ERR_NOT_FOUND);
}

static void nobody_is_made_to_sign_for_ever(void **state)
{
	struct world *w = *state;
	struct keylife_done done;

	assert_int_equal(keylife_renew("r", "root", w->one, TREPO_NOW, &done, &w->e), 0);
	keylife_done_fini(&done);
	assert_int_equal(keylife_sign("r", "r/waiting/2.root.json", w->offline,
				 TREPO_NOW - TREPO_DAY, &done, &w->e),
		-ERR_MIXED);
	assert_false(exists("r/2.root.json"));
}

static void a_stranger_signs_nothing(void **state)
{
	struct world *w = *state;
	CLEANUP(keystore_free) struct keystore *safety = keystore_new();
	struct keylife_done done;

	run("rm -rf three && mkdir -m 700 three && cp keys/offline/safety-1.pem three/");
	assert_int_equal(keystore_load(safety, "three", &w->e), 0);
	assert_int_equal(keylife_renew("r", "targets", w->one, TREPO_NOW, &done, &w->e), 0);
	keylife_done_fini(&done);
	assert_int_equal(
		keylife_sign("r", "r/waiting/2.targets.json", safety, TREPO_NOW, &done, &w->e),
		-ERR_NOT_FOUND);
}

static void an_approvers_file_follows_its_new_key(void **state)
{
	struct world *w = *state;
	struct role_change c = {.role = "safety", .n_add = 1, .add = &w->pub, .only_added = true};
	CLEANUP(keystore_free) struct keystore *fresh = keystore_new();
	BUF_AUTO pem = {0};
	FILE *f;

	change_is(w, "targets", &c, w->offline, ERR_OK);
	change_is(w, "safety", NULL, w->offline, ERR_OK); /* the old key alone */
	assert_false(w->done.complete);
	run("rm -rf r/waiting fresh && mkdir -m 700 fresh && : >fresh/safety-2.pem && "
	    "chmod 600 fresh/safety-2.pem");
	assert_int_equal(sign_key_encode(&w->fresh, &pem, &w->e), 0);
	f = fopen("fresh/safety-2.pem", "w");
	assert_int_equal(fwrite(pem.p, 1, pem.n, f), pem.n);
	fclose(f);
	assert_int_equal(keystore_load(fresh, "fresh", &w->e), 0);
	change_is(w, "safety", NULL, fresh, ERR_OK);
	assert_true(w->done.complete && exists("r/2.safety.json"));
}

static void a_public_key_file_is_strict(void **state)
{
	struct world *w = *state;
	BUF_AUTO good = {0};
	static const struct {
		const char *what, *text;
		enum err_code want;
	} cases[] = {
		{"empty", "", ERR_BAD_INPUT},
		{"a list", "[]", ERR_BAD_INPUT},
		{"no members", "{}", ERR_BAD_INPUT},
		{"no value", "{\"keytype\": \"ecdsa\", \"scheme\": \"ecdsa-sha2-nistp256\"}",
			ERR_BAD_INPUT},
		{"no key",
			"{\"keytype\": \"ecdsa\", \"scheme\": \"ecdsa-sha2-nistp256\", "
			"\"keyval\": {\"public\": \"x\"}}",
			ERR_BAD_INPUT},
		{"a number for a key",
			"{\"keytype\": \"ecdsa\", \"scheme\": \"ecdsa-sha2-nistp256\", "
			"\"keyval\": {\"public\": 1}}",
			ERR_BAD_INPUT},
		{"unknown scheme",
			"{\"keytype\": \"odd\", \"scheme\": \"odd\", "
			"\"keyval\": {\"public\": \"x\"}}",
			ERR_BAD_INPUT},
		{"a private part",
			"{\"keytype\": \"ed25519\", \"scheme\": \"ed25519\", "
			"\"keyval\": {\"public\": \"x\", \"private\": \"y\"}}",
			ERR_BAD_INPUT},
		{"more",
			"{\"keytype\": \"ed25519\", \"scheme\": \"ed25519\", \"more\": 1, "
			"\"keyval\": {\"public\": \"x\"}}",
			ERR_BAD_INPUT},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pub_file f;

		if (pub_file_parse(str_of(cases[i].text), &f, &w->e) != -(int)cases[i].want)
			fail_msg("%s: not as expected: %s", cases[i].what, w->e.text);
	}
	json_write(w->pub.json, &good);
	while (good.n <= LIMIT_PUB_FILE_BYTES)
		buf_add_char(&good, ' ');
	assert_int_equal(pub_file_parse(buf_str(&good), &w->pub, &w->e), -ERR_TOO_LARGE);
}

/* Counsel as it was founded when there was no update-record. */
static int know_less(json_t *part, const void *ctx, struct err *e)
{
	json_t *roles = json_object_get(json_object_get(part, "x-backstay-evidence"), "roles");
	json_t *types = json_object_get(json_array_get(roles, 2), "predicateTypes");

	(void)ctx, (void)e;
	assert_int_equal(json_array_size(types), 3);
	return json_array_remove(types, 2);
}

static int let_counsel(json_t *part, const void *who, struct err *e)
{
	return repo_let_attest(part, who, PREDICATE_UPDATE, e);
}

static unsigned lists_it(struct world *w, uint64_t version)
{
	CLEANUP(meta_fini) struct meta m = {0};
	BUF_AUTO text = {0};
	struct fs fs;
	unsigned n = 0;

	assert_int_equal(fs_posix_open("r", &fs, &w->e), 0);
	assert_int_equal(folder_meta(&fs, "targets", version, &m, &w->e), 0);
	fs_posix_close(&fs);
	json_write(m.signed_part, &text);
	for (const char *p = buf_cstr(&text); (p = strstr(p, "urn:backstay:update-record:v1")); p++)
		n++;
	return n;
}

static void edit_is(struct world *w, keylife_edit_f *edit, const char *who, enum err_code want)
{
	keylife_done_fini(&w->done);
	if (keylife_edit("r", "targets", edit, who, w->offline, TREPO_NOW, &w->done, &w->e) !=
		-(int)want)
		fail_msg("wanted %s: %s", err_name(want), w->e.text);
}

static void keys_from_before_learn_a_kind_of_evidence(void **state)
{
	struct world *w = *state;

	edit_is(w, know_less, NULL, ERR_OK);
	assert_int_equal(lists_it(w, 2), 0);
	edit_is(w, let_counsel, "nobody", ERR_NOT_FOUND);
	edit_is(w, let_counsel, "counsel", ERR_OK);
	assert_int_equal(lists_it(w, 3), 1);
	edit_is(w, let_counsel, "counsel", ERR_OK); /* it is there: not twice */
	assert_int_equal(lists_it(w, 4), 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_key_is_listed_in_place_of_the_old),
		CASE(a_witness_gets_a_new_key_and_no_approvers),
		CASE(impossible_changes_are_refused),
		CASE(holders_sign_one_after_the_other),
		CASE(what_does_not_follow_is_not_signed),
		CASE(nobody_is_made_to_sign_for_ever),
		CASE(a_stranger_signs_nothing),
		CASE(an_approvers_file_follows_its_new_key),
		CASE(a_public_key_file_is_strict),
		CASE(keys_from_before_learn_a_kind_of_evidence),
	};

	return cmocka_run_group_tests(tests, keys_made, NULL);
}
