#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/lib/trepo.h"

#define DOCUMENT STR("{\"id\": \"ocr-4\"}")
#define PATH     "ocr/ocr-4.json"

/* Both repositories, agreeing on ocr-4 with counter 4 for hardware "edge-x86", and device dev-1,
 * which has committed counter 3. A case spoils one thing. */
struct world {
	struct trepo image, director;
	struct trusted_set ti, td;
	struct device_facts dev;
	struct repo_match match;
	struct desired got;
	struct err e;
};

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	trepo_init(&w->image, TREPO_IMAGE, TREPO_NOW);
	trepo_init(&w->director, TREPO_DIRECTOR, TREPO_NOW);
	w->match = trepo_match("edge-x86", 4);
	trepo_add_release(&w->image, PATH, DOCUMENT, &w->match);
	trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, PATH, DOCUMENT, &w->match);
	w->dev = (struct device_facts){{"dev-1"}, "edge-x86", 3, {{0}}, 0, {{{0}, {{0}}}}};
	trusted_init(&w->ti, TREPO_NOW);
	trusted_init(&w->td, TREPO_NOW);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	trusted_fini(&w->ti);
	trusted_fini(&w->td);
	trepo_fini(&w->image);
	trepo_fini(&w->director);
	mem_free(&w);
	return 0;
}

static void load(struct world *w)
{
	trepo_publish(&w->image);
	trepo_publish(&w->director);
	trusted_fini(&w->ti);
	trusted_fini(&w->td);
	trusted_init(&w->ti, TREPO_NOW);
	trusted_init(&w->td, TREPO_NOW);
	if (trepo_refresh(&w->image, &w->ti, &w->e) < 0 ||
		trepo_refresh(&w->director, &w->td, &w->e) < 0)
		fail_msg("%s", w->e.text);
}

static void answer_is(struct world *w, const char *what, enum err_code want)
{
	int rc;

	load(w);
	rc = director_read(&w->td, &w->dev, &w->got, &w->e);
	if (rc == 0)
		rc = director_agree(&w->td, &w->ti, &w->dev, &w->got, &w->e);
	if (rc != -(int)want)
		fail_msg("%s: got %s, wanted %s: %s", what, err_name((enum err_code) - rc),
			err_name(want), rc < 0 ? w->e.text : "");
}

static json_t *entry_of(struct world *w, enum trepo_file f)
{
	return json_object_get(json_object_get(w->image.role[f].part, "targets"), PATH);
}

static json_t *match_of(struct world *w, enum trepo_file f)
{
	return json_object_get(json_object_get(entry_of(w, f), "custom"), "match");
}

static json_t *direction(struct world *w)
{
	return json_object_get(w->director.role[TREPO_TARGETS].part, "x-backstay");
}

/* ---- agreement ---- */

static void what_all_agree_on_is_desired(void **state)
{
	struct world *w = *state;
	struct sha256 document, manifest;

	answer_is(w, "good", ERR_OK);
	digest_of(DOCUMENT.p, DOCUMENT.n, &document);
	digest_of(trepo_bytes(&w->director, TREPO_TARGETS).p,
		trepo_bytes(&w->director, TREPO_TARGETS).n, &manifest);
	assert_int_equal(w->got.order, DESIRED_INSTALL);
	assert_string_equal(w->got.campaign.s, "camp-1");
	assert_int_equal(w->got.director_version, 1);
	assert_string_equal(w->got.path, PATH);
	assert_int_equal(w->got.length, DOCUMENT.n);
	assert_true(sha256_eq(&w->got.hash, &document));
	assert_true(sha256_eq(&w->got.manifest, &manifest));
	assert_int_equal(w->got.counter, 4);
	assert_int_equal(w->got.n_rollback_to, 0);
}

static void nothing_to_do_needs_no_agreement(void **state)
{
	struct world *w = *state;

	trepo_direct(&w->director, "dev-1", DESIRED_NOTHING, NULL, STR(""), NULL);
	answer_is(w, "nothing", ERR_OK);
	assert_int_equal(w->got.order, DESIRED_NOTHING);
	assert_int_equal(w->got.path[0], 0);
}

static void each_role_of_the_quorum_must_have_signed(void **state)
{
	struct world *w = *state;

	for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++) {
		json_t *targets = json_object_get(w->image.role[f].part, "targets");
		json_t *entry = json_incref(json_object_get(targets, PATH));

		json_object_del(targets, PATH);
		answer_is(w, w->image.role[f].name, ERR_UNSIGNED);
		json_object_set_new(targets, PATH, entry);
	}
	answer_is(w, "all again", ERR_OK);
}

static void each_role_must_have_signed_the_same(void **state)
{
	struct world *w = *state;
	char hex[SHA256_TEXT];
	struct sha256 other;

	digest_of("other", 5, &other);
	sha256_format(&other, hex);
	for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++) {
		json_t *hashes = json_object_get(entry_of(w, f), "hashes");
		json_t *good = json_incref(json_object_get(hashes, "sha256"));

		json_object_set_new(hashes, "sha256", json_string(hex));
		answer_is(w, "another hash", ERR_MIXED);
		json_object_set(hashes, "sha256", good);

		json_object_set_new(hashes, "sha512", json_sprintf("%s%s", hex, hex));
		answer_is(w, "a second hash that nobody else knows", ERR_MIXED);
		json_object_del(hashes, "sha256");
		answer_is(w, "no hash in common", ERR_UNSIGNED);
		json_object_set(hashes, "sha256", good);
		json_object_del(hashes, "sha512");

		json_object_set_new(entry_of(w, f), "length", json_integer(1));
		answer_is(w, "another length", ERR_MIXED);
		json_object_set_new(entry_of(w, f), "length", json_integer((json_int_t)DOCUMENT.n));

		json_object_set_new(match_of(w, f), "releaseCounter", json_integer(5));
		answer_is(w, "another counter", ERR_MIXED);
		json_object_set_new(match_of(w, f), "releaseCounter", json_integer(4));

		json_object_set_new(match_of(w, f), "more", json_true());
		answer_is(w, "another match", ERR_MIXED);
		json_object_del(match_of(w, f), "more");
		json_decref(good);
	}
	answer_is(w, "as it was", ERR_OK);
}

static void an_entry_without_match_agrees_with_nobody(void **state)
{
	struct world *w = *state;

	for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++)
		json_object_del(entry_of(w, f), "custom");
	trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, PATH, DOCUMENT, NULL);
	answer_is(w, "no match anywhere", ERR_MIXED);
}

static void the_director_cannot_ask_for_what_is_not_signed(void **state)
{
	struct world *w = *state;
	struct repo_match other = trepo_match("edge-x86", 9);

	trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, "ocr/evil.json", DOCUMENT, &w->match);
	answer_is(w, "unknown release", ERR_UNSIGNED);
	trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, PATH, STR("evil"), &w->match);
	answer_is(w, "other content", ERR_MIXED);
	trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, PATH, DOCUMENT, &other);
	answer_is(w, "other match", ERR_MIXED);
}

/* ---- whose keys ---- */

/* A copy of its own, as if one person held the key twice. */
static void add_copy(struct trepo_role *to, const struct sign_key *key)
{
	CLEANUP(sign_wipe) struct buf pem = {0};
	struct err e;

	assert_true(to->n_keys < TREPO_KEYS);
	assert_int_equal(sign_key_encode(key, &pem, &e), 0);
	assert_int_equal(sign_key_decode(key->name, buf_str(&pem), &to->keys[to->n_keys], &e), 0);
	to->n_keys++;
}

static void one_key_speaks_for_one_role(void **state)
{
	struct world *w = *state;
	struct trepo_role *safety = &w->image.role[TREPO_SAFETY];

	sign_key_fini(&safety->keys[0]);
	safety->n_keys = 0;
	add_copy(safety, &w->image.role[TREPO_ENGINEERING].keys[0]);
	trepo_rebuild_delegations(&w->image);
	answer_is(w, "safety with engineering's key", ERR_UNSIGNED);
	trepo_new_keys(&w->image, TREPO_SAFETY, 1);
	trepo_rebuild_delegations(&w->image);
	answer_is(w, "safety with a key of its own", ERR_OK);
}

static void a_spare_key_of_another_role_is_refused_too(void **state)
{
	struct world *w = *state;

	add_copy(&w->image.role[TREPO_SAFETY], &w->image.role[TREPO_COMPLIANCE].keys[0]);
	trepo_rebuild_delegations(&w->image); /* threshold stays 1 */
	answer_is(w, "a spare key that is compliance's", ERR_UNSIGNED);
}

static void nobody_approves_what_is_his_own(void **state)
{
	struct world *w = *state;

	for (unsigned f = TREPO_ENGINEERING; f <= TREPO_COMPLIANCE; f++) {
		w->match.creator = w->image.role[f].keys[0].pub.spki;
		trepo_add_release(&w->image, PATH, DOCUMENT, &w->match);
		trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, PATH, DOCUMENT, &w->match);
		answer_is(w, "made with an approver's key", ERR_UNSIGNED);
	}
	w->match.creator = w->image.role[TREPO_TARGETS].keys[0].pub.spki;
	trepo_add_release(&w->image, PATH, DOCUMENT, &w->match);
	trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, PATH, DOCUMENT, &w->match);
	answer_is(w, "made with a key that approves nothing", ERR_OK);
}

static void a_role_speaks_of_its_paths_only(void **state)
{
	struct world *w = *state;
	json_t *roles = json_object_get(
		json_object_get(w->image.role[TREPO_TARGETS].part, "delegations"), "roles");

	json_object_set_new(json_array_get(roles, 1), "paths", json_pack("[s, s]", "*", "lidar/*"));
	answer_is(w, "paths of another product", ERR_UNSIGNED);
	json_object_set_new(json_array_get(roles, 1), "paths", json_pack("[s]", "ocr/*"));
	answer_is(w, "paths of this product", ERR_OK);
	json_object_set_new(json_array_get(roles, 1), "paths", json_array());
	answer_is(w, "no paths", ERR_UNSIGNED);
}

/* ---- the rule in root ---- */

static json_t *rule(struct world *w)
{
	return json_array_get(
		json_object_get(w->image.role[TREPO_ROOT].part, "x-backstay-quorum"), 0);
}

static void root_cannot_go_below_the_minimum(void **state)
{
	struct world *w = *state;

	json_object_set_new(entry_of(w, TREPO_SAFETY), "length", json_integer(0));
	json_object_set_new(rule(w), "all_of", json_pack("[s]", "engineering"));
	answer_is(w, "engineering alone", ERR_MIXED);
	json_object_del(w->image.role[TREPO_ROOT].part, "x-backstay-quorum");
	answer_is(w, "no rule", ERR_MIXED);
}

static void root_can_ask_for_more_roles(void **state)
{
	struct world *w = *state;

	json_array_append_new(json_object_get(rule(w), "all_of"), json_string("privacy"));
	answer_is(w, "privacy has not signed", ERR_UNSIGNED);
	json_object_set_new(rule(w), "paths", json_pack("[s]", "lidar/*"));
	answer_is(w, "privacy is asked for another product", ERR_OK);
}

static void a_rule_that_cannot_be_read_is_refused(void **state)
{
	static const char *const bad[] = {"{}", "[{}]", "[{\"paths\": [\"*/*\"]}]",
		"[{\"paths\": \"*/*\", \"all_of\": []}]",
		"[{\"paths\": [\"*/*\"], \"all_of\": [1]}]",
		"[{\"paths\": [\"*/*\"], \"all_of\": [\"../x\"]}]",
		"[{\"paths\": [\"*/*\"], \"all_of\": [\"\"]}]", "true"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_object_set_new(w->image.role[TREPO_ROOT].part, "x-backstay-quorum",
			json_loads(bad[i], 0, NULL));
		answer_is(w, bad[i], ERR_BAD_INPUT);
	}
}

static void quorum_names_the_roles_to_fetch(void **state)
{
	struct world *w = *state;
	char roles[LIMIT_DELEGATIONS][LIMIT_ROLE_NAME];
	unsigned n = 0;

	json_array_append_new(json_object_get(rule(w), "all_of"), json_string("privacy"));
	load(w);
	assert_int_equal(director_quorum(&w->ti, PATH, roles, &n, &w->e), 0);
	assert_int_equal(n, 4);
	assert_string_equal(roles[0], "engineering");
	assert_string_equal(roles[3], "privacy");
	assert_int_equal(director_quorum(&w->ti, "a/b/c", roles, &n, &w->e), 0);
	assert_int_equal(n, 3);
}

static void the_server_can_ask_for_the_image_half(void **state)
{
	struct world *w = *state;
	struct target t;

	load(w);
	assert_int_equal(director_image_agrees(&w->ti, PATH, &t, &w->e), 0);
	assert_string_equal(t.path, PATH);
	assert_int_equal(t.length, DOCUMENT.n);
	assert_int_equal(director_image_agrees(&w->ti, "ocr/none.json", &t, &w->e), -ERR_UNSIGNED);
}

/* A set that was loaded from the store may hold what has expired: good for rollback checks only. */
static void what_was_kept_for_too_long_is_no_desired_state(void **state)
{
	struct world *w = *state;
	struct target t;

	answer_is(w, "in time", ERR_OK);
	w->td.now_s = w->td.targets.expires_s;
	assert_int_equal(director_read(&w->td, &w->dev, &w->got, &w->e), -ERR_EXPIRED);
	w->ti.now_s = w->ti.targets.expires_s;
	assert_int_equal(director_image_agrees(&w->ti, PATH, &t, &w->e), -ERR_EXPIRED);
}

/* ---- for whom ---- */

static void another_devices_file_is_refused(void **state)
{
	struct world *w = *state;

	trepo_direct(&w->director, "dev-2", DESIRED_INSTALL, PATH, DOCUMENT, &w->match);
	answer_is(w, "another device", ERR_WRONG_DEVICE);
	trepo_direct(&w->director, "dev-2", DESIRED_NOTHING, NULL, STR(""), NULL);
	answer_is(w, "another device, nothing to do", ERR_WRONG_DEVICE);
	trepo_direct(&w->director, "dev-11", DESIRED_INSTALL, PATH, DOCUMENT, &w->match);
	answer_is(w, "a longer name", ERR_WRONG_DEVICE);
}

static void other_hardware_is_refused(void **state)
{
	struct world *w = *state;

	snprintf(w->dev.hardware, sizeof w->dev.hardware, "edge-arm");
	answer_is(w, "edge-arm", ERR_WRONG_DEVICE);
	snprintf(w->dev.hardware, sizeof w->dev.hardware, "edge-x8");
	answer_is(w, "a prefix", ERR_WRONG_DEVICE);
}

/* ---- what the director may say ---- */

static void a_director_that_says_more_is_refused(void **state)
{
	struct world *w = *state;
	json_t *part = w->director.role[TREPO_TARGETS].part;
	json_t *targets = json_object_get(part, "targets");

	json_object_set(targets, "ocr/ocr-5.json", json_object_get(targets, PATH));
	answer_is(w, "two targets", ERR_BAD_INPUT);
	json_object_del(targets, "ocr/ocr-5.json");
	json_object_set_new(part, "delegations", json_pack("{s:{}, s:[]}", "keys", "roles"));
	answer_is(w, "delegations", ERR_BAD_INPUT);
	json_object_del(part, "delegations");
	json_object_set_new(direction(w), "order", json_string("explode"));
	answer_is(w, "unknown order", ERR_BAD_INPUT);
	json_object_set_new(direction(w), "order", json_string("nothing"));
	answer_is(w, "a target without an order", ERR_BAD_INPUT);
	json_object_set_new(direction(w), "order", json_string("install"));
	json_object_set_new(direction(w), "campaign", json_string("../x"));
	answer_is(w, "a campaign that is no id", ERR_BAD_INPUT);
	json_object_del(part, "x-backstay");
	answer_is(w, "no x-backstay", ERR_BAD_INPUT);
}

static void paths_that_leave_are_refused(void **state)
{
	static const char *const bad[] = {
		"../ocr-4.json", "/etc/passwd", "ocr/../../x", "ocr//x", "ocr\\x", "", "ocr/\x01"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, bad[i], DOCUMENT, &w->match);
		answer_is(w, bad[i], ERR_BAD_INPUT);
	}
}

static void an_image_file_is_no_directors_file(void **state)
{
	struct world *w = *state;

	load(w);
	assert_int_equal(director_read(&w->ti, &w->dev, &w->got, &w->e), -ERR_BAD_INPUT);
	trusted_fini(&w->td);
	assert_int_equal(director_read(&w->td, &w->dev, &w->got, &w->e), -ERR_UNSIGNED);
}

/* ---- counters ---- */

static void the_counter_does_not_go_below_the_floor(void **state)
{
	struct world *w = *state;

	w->dev.counter_floor = 4;
	answer_is(w, "the floor itself", ERR_OK);
	w->dev.counter_floor = 5;
	answer_is(w, "below", ERR_ROLLED_BACK);
}

static void what_runs_already_is_no_step_back(void **state)
{
	struct world *w = *state;

	w->dev.counter_floor = 5;
	digest_of(DOCUMENT.p, DOCUMENT.n, &w->dev.running);
	answer_is(w, "it runs", ERR_OK);
}

static void a_rollback_needs_the_running_releases_word(void **state)
{
	struct world *w = *state;
	struct rollback_to *word = &w->dev.rollback_to[0];

	w->dev.counter_floor = 5;
	digest_of("ocr-5", 5, &w->dev.running);
	w->dev.n_rollback_to = 1;
	snprintf(word->path, sizeof word->path, "%s", PATH);
	digest_of(DOCUMENT.p, DOCUMENT.n, &word->hash);
	answer_is(w, "authorised, but no rollback was ordered", ERR_ROLLED_BACK);
	json_object_set_new(direction(w), "order", json_string("rollback"));
	answer_is(w, "authorised and ordered", ERR_OK);
	assert_int_equal(w->got.order, DESIRED_ROLLBACK);
	word->hash.b[0] ^= 1;
	answer_is(w, "another document", ERR_ROLLED_BACK);
	word->hash.b[0] ^= 1;
	snprintf(word->path, sizeof word->path, "ocr/ocr-3.json");
	answer_is(w, "another name", ERR_ROLLED_BACK);
	snprintf(word->path, sizeof word->path, "%s", PATH);
	memset(&w->dev.running, 0, sizeof w->dev.running);
	answer_is(w, "nothing runs that could have said so", ERR_ROLLED_BACK);
}

static void a_release_says_what_may_follow_it(void **state)
{
	struct world *w = *state;
	struct rollback_to out[LIMIT_ROLLBACK_TO];
	unsigned n = 9;

	w->match.n_rollback_to = 1;
	snprintf(w->match.rollback_to[0].path, LIMIT_TARGET_NAME, "ocr/ocr-2.json");
	w->match.rollback_to[0].hash.b[0] = 7;
	trepo_add_release(&w->image, PATH, DOCUMENT, &w->match);
	trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, PATH, DOCUMENT, &w->match);
	answer_is(w, "with rollbackTo", ERR_OK);
	assert_int_equal(w->got.n_rollback_to, 1);
	assert_string_equal(w->got.rollback_to[0].path, "ocr/ocr-2.json");
	assert_int_equal(w->got.rollback_to[0].hash.b[0], 7);
	assert_int_equal(director_rollback_to(NULL, out, &n, &w->e), 0);
	assert_int_equal(n, 0);
}

/* Everybody signs a match that no device can read. */
static void a_match_that_cannot_be_read_is_refused(void **state)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{"releaseCounter", "-1"},
		{"releaseCounter", "\"4\""},
		{"releaseCounter", "null"},
		{"hardwareIds", "\"edge-x86\""},
		{"rollbackTo", "{}"},
		{"rollbackTo", "[{}]"},
		{"rollbackTo", "[{\"path\": \"a/b\", \"sha256\": \"00\"}]"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_t *value = json_loads(bad[i].value, JSON_DECODE_ANY, NULL);
		json_t *asked = json_object_get(
			json_object_get(w->director.role[TREPO_TARGETS].part, "targets"), PATH);
		json_t *match = json_object_get(json_object_get(asked, "custom"), "match");

		json_object_set(match, bad[i].key, value);
		for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++)
			json_object_set(match_of(w, f), bad[i].key, value);
		json_decref(value);
		answer_is(w, bad[i].value, ERR_BAD_INPUT);
		trepo_add_release(&w->image, PATH, DOCUMENT, &w->match);
		trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, PATH, DOCUMENT, &w->match);
	}
}

static void a_counter_that_is_missing_is_refused(void **state)
{
	struct world *w = *state;
	json_t *asked = json_object_get(
		json_object_get(w->director.role[TREPO_TARGETS].part, "targets"), PATH);

	json_object_del(
		json_object_get(json_object_get(asked, "custom"), "match"), "releaseCounter");
	for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++)
		json_object_del(match_of(w, f), "releaseCounter");
	answer_is(w, "no counter", ERR_BAD_INPUT);
}

static void a_counter_must_be_equal_in_both_repositories(void **state)
{
	struct world *w = *state;

	for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++)
		json_object_set_new(match_of(w, f), "releaseCounter", json_integer(5));
	answer_is(w, "4 and 5", ERR_MIXED);
}

/* ---- what the director planned with ---- */

static void plan(struct world *w, const char *text)
{
	json_object_set_new(direction(w), "imageRepo", json_loads(text, JSON_DECODE_ANY, NULL));
}

static void an_older_image_repository_than_planned_with_is_refused(void **state)
{
	static const struct {
		const char *plan;
		enum err_code want;
	} t[] = {
		{"{\"root\":1,\"snapshot\":1}", ERR_OK},
		{"{\"root\":1,\"snapshot\":2}", ERR_ROLLED_BACK},
		{"{\"root\":2,\"snapshot\":1}", ERR_ROLLED_BACK},
		{"{\"root\":1}", ERR_BAD_INPUT},
		{"{\"root\":0,\"snapshot\":1}", ERR_BAD_INPUT},
		{"{\"root\":1,\"snapshot\":\"1\"}", ERR_BAD_INPUT},
		{"[1,1]", ERR_BAD_INPUT},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		plan(w, t[i].plan);
		answer_is(w, t[i].plan, t[i].want);
	}
	plan(w, "{\"root\":1,\"snapshot\":2}");
	trepo_set_version(&w->image, TREPO_SNAPSHOT, 3);
	answer_is(w, "a newer one than planned with", ERR_OK);
}

static void files_that_are_carried_say_so(void **state)
{
	struct world *w = *state;

	answer_is(w, "not said", ERR_OK);
	assert_false(w->got.offline);
	json_object_set_new(direction(w), "offline", json_true());
	answer_is(w, "said", ERR_OK);
	assert_true(w->got.offline);
	json_object_set_new(direction(w), "offline", json_integer(1));
	answer_is(w, "said oddly", ERR_BAD_INPUT);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(what_all_agree_on_is_desired),
		CASE(nothing_to_do_needs_no_agreement),
		CASE(each_role_of_the_quorum_must_have_signed),
		CASE(each_role_must_have_signed_the_same),
		CASE(an_entry_without_match_agrees_with_nobody),
		CASE(the_director_cannot_ask_for_what_is_not_signed),
		CASE(one_key_speaks_for_one_role),
		CASE(a_spare_key_of_another_role_is_refused_too),
		CASE(nobody_approves_what_is_his_own),
		CASE(a_role_speaks_of_its_paths_only),
		CASE(root_cannot_go_below_the_minimum),
		CASE(root_can_ask_for_more_roles),
		CASE(a_rule_that_cannot_be_read_is_refused),
		CASE(quorum_names_the_roles_to_fetch),
		CASE(the_server_can_ask_for_the_image_half),
		CASE(what_was_kept_for_too_long_is_no_desired_state),
		CASE(another_devices_file_is_refused),
		CASE(other_hardware_is_refused),
		CASE(a_director_that_says_more_is_refused),
		CASE(paths_that_leave_are_refused),
		CASE(an_image_file_is_no_directors_file),
		CASE(the_counter_does_not_go_below_the_floor),
		CASE(what_runs_already_is_no_step_back),
		CASE(a_rollback_needs_the_running_releases_word),
		CASE(a_release_says_what_may_follow_it),
		CASE(a_match_that_cannot_be_read_is_refused),
		CASE(a_counter_that_is_missing_is_refused),
		CASE(a_counter_must_be_equal_in_both_repositories),
		CASE(an_older_image_repository_than_planned_with_is_refused),
		CASE(files_that_are_carried_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
