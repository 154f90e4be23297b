#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "keys/release_sign.h"
#include "tests/lib/expect.h"
#include "tests/lib/trepo.h"
#include "tests/lib/witness.h"

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* An image repository in the folder "repo", in which safety has two keys and needs both: their
 * private halves lie in "anna" and "ben". Engineering's one key lies in "anna", too. */
struct world {
	struct trepo r;
	struct keystore *anna, *ben;
	struct release_terms terms;
	struct release_signed done;
	struct err e;
};

static void write_file(const char *path, struct str bytes, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void write_key(const struct sign_key *key, const char *dir)
{
	BUF_AUTO pem = {0};
	char path[64];
	struct err e;

	assert_int_equal(sign_key_encode(key, &pem, &e), 0);
	snprintf(path, sizeof path, "%s/%s.pem", dir, key->name);
	write_file(path, buf_str(&pem), 0600);
}

static void write_document(const char *id, const char *notes)
{
	char path[64], text[1024];

	snprintf(path, sizeof path, "%s.json", id);
	snprintf(text, sizeof text,
		"{\"format\": 1, \"id\": \"%s\", \"product\": \"ocr\", \"version\": \"1\", "
		"\"notes\": \"%s\", \"components\": [{\"name\": \"m\", \"kind\": \"model\", "
		"\"path\": \"m\", \"artifact\": {\"digest\": \"" DIGEST "\", \"length\": 0, "
		"\"tree\": \"" DIGEST "\"}}]}",
		id, notes);
	write_file(path, str_of(text), 0644);
}

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	assert_int_equal(system("rm -rf repo anna ben && mkdir repo anna ben"), 0);
	trepo_init(&w->r, TREPO_IMAGE, TREPO_NOW);
	trepo_new_keys(&w->r, TREPO_SAFETY, 2);
	trepo_rebuild_delegations(&w->r);
	trepo_publish(&w->r);
	trepo_save(&w->r, "repo");
	write_key(&w->r.role[TREPO_ENGINEERING].keys[0], "anna");
	write_key(&w->r.role[TREPO_SAFETY].keys[0], "anna");
	write_key(&w->r.role[TREPO_SAFETY].keys[1], "ben");
	w->anna = keystore_new();
	w->ben = keystore_new();
	assert_int_equal(keystore_load(w->anna, "anna", &w->e), 0);
	assert_int_equal(keystore_load(w->ben, "ben", &w->e), 0);
	w->terms = (struct release_terms){.n_hardware = 1, .hardware = {"edge-x86"}, .counter = 4};
	write_document("ocr-1", "first");
	write_document("ocr-2", "second");
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	keystore_free(&w->anna);
	keystore_free(&w->ben);
	trepo_fini(&w->r);
	mem_free(&w);
	return 0;
}

static void sign_is(struct world *w, const struct keystore *ks, const char *role,
	const char *document, enum err_code want)
{
	int rc = release_sign(
		"repo", NULL, ks, role, document, &w->terms, TREPO_NOW, &w->done, &w->e);

	if (rc != -(int)want)
		fail_msg("%s by %s: got %s, wanted %s: %s", document, role,
			err_name((enum err_code) - rc), err_name(want), rc < 0 ? w->e.text : "");
}

static void done_is(const struct world *w, const char *file, bool changed, bool complete)
{
	assert_string_equal(w->done.file, file);
	assert_int_equal(w->done.changed, changed);
	assert_int_equal(w->done.complete, complete);
}

/* The file in the repository, parsed. */
static void read_file(const char *file, struct meta *out)
{
	char path[96], bytes[16384];
	struct err e;
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "repo/%s", file);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	if (meta_parse((struct str){bytes, n}, ROLE_TARGETS, sizeof bytes, out, &e) < 0)
		fail_msg("%s", e.text);
}

static void a_role_with_one_key_signs_alone(void **state)
{
	struct world *w = *state;
	CLEANUP(meta_fini) struct meta m = {0}, targets = {0};
	struct target t;

	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_OK);
	done_is(w, "2.engineering.json", true, true);
	assert_string_equal(w->done.path, "ocr/ocr-1.json");
	read_file("2.engineering.json", &m);
	read_file("1.targets.json", &targets);
	assert_int_equal(meta_check_signatures(&m, &targets, "engineering", &w->e), 0);
	assert_int_equal(m.version, 2);
	assert_int_equal(m.expires_s, TREPO_NOW + 182 * TREPO_DAY);
	assert_int_equal(meta_target(&m, "ocr/ocr-1.json", &t, &w->e), 0);
	assert_true(sha256_eq(&t.hash, &w->done.document));
	assert_int_equal(json_integer_value(json_object_get(t.match, "releaseCounter")), 4);
}

static void signing_twice_changes_nothing(void **state)
{
	struct world *w = *state;

	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_OK);
	sign_is(w, w->anna, "engineering", "./ocr-1.json", ERR_OK);
	done_is(w, "2.engineering.json", false, true);
	assert_int_equal(access("repo/3.engineering.json", F_OK), -1);
}

static void what_was_signed_stays_listed(void **state)
{
	struct world *w = *state;
	CLEANUP(meta_fini) struct meta m = {0};
	struct target t;

	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_OK);
	w->terms.counter = 5;
	sign_is(w, w->anna, "engineering", "ocr-2.json", ERR_OK);
	done_is(w, "3.engineering.json", true, true);
	read_file("3.engineering.json", &m);
	assert_int_equal(meta_target(&m, "ocr/ocr-1.json", &t, &w->e), 0);
	assert_int_equal(meta_target(&m, "ocr/ocr-2.json", &t, &w->e), 0);
}

static void two_holders_sign_one_file(void **state)
{
	struct world *w = *state;
	CLEANUP(meta_fini) struct meta m = {0}, targets = {0};

	sign_is(w, w->anna, "safety", "ocr-1.json", ERR_OK);
	done_is(w, "2.safety.json", true, false);
	sign_is(w, w->anna, "safety", "ocr-1.json", ERR_OK);
	done_is(w, "2.safety.json", false, false);
	sign_is(w, w->ben, "safety", "ocr-1.json", ERR_OK);
	done_is(w, "2.safety.json", true, true);
	read_file("2.safety.json", &m);
	read_file("1.targets.json", &targets);
	assert_int_equal(meta_check_signatures(&m, &targets, "safety", &w->e), 0);
	sign_is(w, w->ben, "safety", "ocr-1.json", ERR_OK);
	done_is(w, "2.safety.json", false, true);
}

/* The second holder signs what he was asked to, not what lies there. */
static void nothing_is_slipped_under_a_second_signature(void **state)
{
	struct world *w = *state;

	sign_is(w, w->anna, "safety", "ocr-1.json", ERR_OK);
	sign_is(w, w->ben, "safety", "ocr-2.json", ERR_MIXED);
	w->terms.counter = 9;
	sign_is(w, w->ben, "safety", "ocr-1.json", ERR_MIXED);
	w->terms.counter = 4;
	write_document("ocr-1", "other content");
	sign_is(w, w->ben, "safety", "ocr-1.json", ERR_MIXED);
}

static void sign_travelling(struct world *w, const char *repo, const struct keystore *ks,
	const char *document, enum err_code want)
{
	if (release_sign(repo, "bundle", ks, "safety", document, &w->terms, TREPO_NOW, &w->done,
		    &w->e) != -(int)want)
		fail_msg("wanted %s: %s", err_name(want), w->e.text);
}

static void holders_of_one_role_need_not_meet(void **state)
{
	struct world *w = *state;

	assert_int_equal(system("rm -rf repo2 bundle && cp -r repo repo2 && mkdir bundle"), 0);
	sign_travelling(w, "repo", w->anna, "ocr-1.json", ERR_OK);
	done_is(w, "2.safety.json", true, false);
	sign_travelling(w, "repo2", w->ben, "ocr-2.json", ERR_MIXED);
	assert_int_equal(access("repo2/2.safety.json", F_OK), -1);
	sign_travelling(w, "repo2", w->ben, "ocr-1.json", ERR_OK);
	done_is(w, "2.safety.json", true, true);
	sign_travelling(w, "repo", w->anna, "ocr-1.json", ERR_OK); /* what travelled is whole */
	done_is(w, "2.safety.json", false, true);
	assert_int_equal(system("rm bundle/2.safety.json"), 0);
	sign_travelling(w, "repo2", w->ben, "ocr-1.json", ERR_OK);
	assert_int_equal(access("bundle/2.safety.json", F_OK), 0);
}

static void the_creator_does_not_approve(void **state)
{
	struct world *w = *state;

	w->terms.creator = w->r.role[TREPO_SAFETY].keys[1].pub.spki;
	sign_is(w, w->anna, "safety", "ocr-1.json", ERR_DENIED);
	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_OK);
}

static void a_file_that_would_be_valid_for_too_long_is_refused(void **state)
{
	struct world *w = *state;

	assert_int_equal(release_sign("repo", NULL, w->anna, "safety", "ocr-1.json", &w->terms,
				 TREPO_NOW + TREPO_DAY, &w->done, &w->e),
		0);
	sign_is(w, w->ben, "safety", "ocr-1.json", ERR_MIXED);
}

static void a_release_never_changes(void **state)
{
	struct world *w = *state;

	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_OK);
	w->terms.counter = 5;
	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_CONFLICT);
	w->terms.counter = 4;
	write_document("ocr-1", "other content");
	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_CONFLICT);
}

static void rollback_names_what_was_signed_before(void **state)
{
	struct world *w = *state;
	CLEANUP(meta_fini) struct meta m = {0};
	struct rollback_to to[LIMIT_ROLLBACK_TO];
	struct target first, second;
	unsigned n = 0;

	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_OK);
	w->terms.n_rollback_to = 1;
	snprintf(w->terms.rollback_to[0].s, ID_TEXT_MAX, "ocr-7");
	sign_is(w, w->anna, "engineering", "ocr-2.json", ERR_NOT_FOUND);
	snprintf(w->terms.rollback_to[0].s, ID_TEXT_MAX, "ocr-1");
	sign_is(w, w->anna, "engineering", "ocr-2.json", ERR_OK);
	read_file("3.engineering.json", &m);
	assert_int_equal(meta_target(&m, "ocr/ocr-1.json", &first, &w->e), 0);
	assert_int_equal(meta_target(&m, "ocr/ocr-2.json", &second, &w->e), 0);
	assert_int_equal(director_rollback_to(second.match, to, &n, &w->e), 0);
	assert_int_equal(n, 1);
	assert_string_equal(to[0].path, "ocr/ocr-1.json");
	assert_true(sha256_eq(&to[0].hash, &first.hash));
}

static void what_does_not_verify_is_not_built_upon(void **state)
{
	struct world *w = *state;
	struct trepo *r = &w->r;
	struct repo_match match = trepo_match("edge-x86", 1);

	trepo_add_release(r, "ocr/evil.json", STR("evil"), &match); /* in a file of version 1 */
	buf_clear(&r->role[TREPO_ENGINEERING].file);
	assert_int_equal(sign_meta(r->role[TREPO_ENGINEERING].part, NULL, 0,
				 &r->role[TREPO_ENGINEERING].file, &w->e),
		0);
	trepo_save(r, "repo");
	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_UNSIGNED);
}

static void only_known_keys_of_the_role_sign(void **state)
{
	struct world *w = *state;

	sign_is(w, w->ben, "engineering", "ocr-1.json", ERR_NOT_FOUND);
	sign_is(w, w->anna, "marketing", "ocr-1.json", ERR_NOT_FOUND);
	sign_is(w, w->anna, "targets", "ocr-1.json", ERR_UNSIGNED);
	assert_int_equal(keystore_create(w->ben, "ben", "engineering-9", SIG_ECDSA_P256, &w->e), 0);
	sign_is(w, w->ben, "engineering", "ocr-1.json", ERR_NOT_FOUND);
}

static void bad_documents_are_refused(void **state)
{
	struct world *w = *state;

	sign_is(w, w->anna, "engineering", "none.json", ERR_NOT_FOUND);
	write_file("bad.json", STR("{\"format\": 2}"), 0644);
	sign_is(w, w->anna, "engineering", "bad.json", ERR_BAD_INPUT);
	w->terms.n_hardware = 0;
	sign_is(w, w->anna, "engineering", "ocr-1.json", ERR_USAGE);
	assert_int_equal(access("repo/2.engineering.json", F_OK), -1);
}

/* ---- evidence ---- */

static int sign_one(struct world *w)
{
	return release_sign("repo", NULL, w->anna, "engineering", "./ocr-1.json", &w->terms,
		TREPO_NOW, &w->done, &w->e);
}

/* Nobody is asked to sign what no device would take, and what is signed names all of it. */
static void a_demanded_summary_is_verified_before_it_is_signed(void **state)
{
	struct world *w = *state;
	struct sha256 document, gate;
	BUF_AUTO bytes = {0}, summary = {0}, other = {0};
	struct witness y;
	FILE *f = fopen("ocr-1.json", "r");

	bytes.n = fread(buf_reserve(&bytes, 4096), 1, 4096, f);
	fclose(f);
	digest_of(bytes.p, bytes.n, &document);
	digest_of("G1", 2, &gate);
	witness_init(&y);
	repo_demand_evidence(w->r.role[TREPO_ROOT].part);
	witness_allow(&y, w->r.role[TREPO_TARGETS].part, &gate, 1);
	trepo_publish(&w->r);
	trepo_save(&w->r, "repo");
	expect_err(sign_one(w), &w->e, ERR_UNPROVEN, "no summary", "without");
	witness_summary(&y, "ocr/ocr-1.json", &gate, &gate, TREPO_NOW, &other);
	witness_name(predicate_type(PREDICATE_VSA), buf_str(&other), &w->terms.evidence);
	w->terms.envelopes[0] = buf_str(&other);
	expect_err(sign_one(w), &w->e, ERR_MIXED, "not about", "of another document");
	witness_summary(&y, "ocr/ocr-1.json", &document, &gate, TREPO_NOW, &summary);
	w->terms.envelopes[0] = buf_str(&summary);
	expect_err(sign_one(w), &w->e, ERR_ALTERED, NULL, "other bytes than are named");
	w->terms.evidence.n = 0;
	witness_name(predicate_type(PREDICATE_VSA), buf_str(&summary), &w->terms.evidence);
	expect_ok(sign_one(w), &w->e);
	assert_true(w->done.changed);
	witness_fini(&y);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(a_role_with_one_key_signs_alone),
		CASE(signing_twice_changes_nothing),
		CASE(what_was_signed_stays_listed),
		CASE(two_holders_sign_one_file),
		CASE(nothing_is_slipped_under_a_second_signature),
		CASE(a_file_that_would_be_valid_for_too_long_is_refused),
		CASE(holders_of_one_role_need_not_meet),
		CASE(the_creator_does_not_approve),
		CASE(a_release_never_changes),
		CASE(rollback_names_what_was_signed_before),
		CASE(what_does_not_verify_is_not_built_upon),
		CASE(only_known_keys_of_the_role_sign),
		CASE(bad_documents_are_refused),
		CASE(a_demanded_summary_is_verified_before_it_is_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
