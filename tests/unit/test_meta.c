#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/lib/trepo.h"

/* One good file of each kind; a case puts one value into it and says what comes of it. */
struct world {
	struct trepo r;
	struct err e;
};

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);
	struct repo_match match = trepo_match("edge-x86", 1);

	trepo_init(&w->r, TREPO_IMAGE, TREPO_NOW);
	trepo_add_release(&w->r, "ocr/ocr-1.json", STR("{}"), &match);
	trepo_publish(&w->r);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	trepo_fini(&w->r);
	mem_free(&w);
	return 0;
}

static json_t *child(json_t *j, const char *step)
{
	return json_is_array(j) ? json_array_get(j, strtoul(step, NULL, 10))
				: json_object_get(j, step);
}

/* Puts a value at "a/b/0/c"; "-" takes the member away. */
static void put(json_t *j, const char *place, const char *value)
{
	char steps[200], *last, *step, *more;

	snprintf(steps, sizeof steps, "%s", place);
	last = strrchr(steps, '/');
	if (last) {
		*last = 0;
		for (step = strtok_r(steps, "/", &more); step; step = strtok_r(NULL, "/", &more))
			j = child(j, step);
		last++;
	} else {
		last = steps;
	}
	assert_non_null(j);
	if (strcmp(value, "-") == 0) {
		assert_int_equal(json_object_del(j, last), 0);
	} else {
		json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);

		assert_non_null(v);
		assert_int_equal(json_is_array(j) ? json_array_append_new(j, v)
						  : json_object_set_new(j, last, v),
			0);
	}
}

#define ZERO256 "0000000000000000000000000000000000000000000000000000000000000000"
#define ZERO512 ZERO256 ZERO256

static const struct {
	enum trepo_file f;
	const char *place, *value;
	enum err_code want;
} forms[] = {
	/* the envelope */
	{TREPO_ROOT, "x-note", "1", ERR_OK},
	{TREPO_ROOT, "signed", "-", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed", "[]", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed", "\"root\"", ERR_BAD_INPUT},
	{TREPO_ROOT, "signatures", "-", ERR_BAD_INPUT},
	{TREPO_ROOT, "signatures", "{}", ERR_BAD_INPUT},
	{TREPO_ROOT, "signatures", "[]", ERR_OK},
	{TREPO_ROOT, "signatures", "[1]", ERR_BAD_INPUT},
	{TREPO_ROOT, "signatures/0/sig", "-", ERR_BAD_INPUT},
	{TREPO_ROOT, "signatures/0/sig", "5", ERR_BAD_INPUT},
	{TREPO_ROOT, "signatures/0/keyid", "null", ERR_BAD_INPUT},
	/* the head */
	{TREPO_ROOT, "signed/_type", "\"Root\"", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/_type", "-", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/spec_version", "\"1.0\"", ERR_OK},
	{TREPO_ROOT, "signed/spec_version", "\"2.0.0\"", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/spec_version", "\"10.0.0\"", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/spec_version", "1", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/version", "0", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/version", "-1", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/version", "9007199254740991", ERR_OK},
	{TREPO_ROOT, "signed/version", "9007199254740992", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/version", "1.0", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/version", "\"1\"", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/version", "true", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/expires", "\"2030-01-01T00:00:00Z\"", ERR_OK},
	{TREPO_ROOT, "signed/expires", "\"2030-01-01\"", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/expires", "1900000000", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/expires", "-", ERR_BAD_INPUT},
	/* root */
	{TREPO_ROOT, "signed/keys", "[]", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/keys/x", "1", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/keys/x", "{}", ERR_OK},
	{TREPO_ROOT, "signed/roles/snapshot", "-", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/roles/mirrors", "{}", ERR_OK},
	{TREPO_ROOT, "signed/roles/root/threshold", "0", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/roles/root/threshold", "-1", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/roles/root/threshold", "7", ERR_OK},
	{TREPO_ROOT, "signed/roles/root/keyids", "-", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/roles/root/keyids", "[\"a\", \"b\", \"a\"]", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/roles/root/keyids", "[1]", ERR_BAD_INPUT},
	{TREPO_ROOT, "signed/consistent_snapshot", "\"yes\"", ERR_BAD_INPUT},
	/* timestamp and snapshot */
	{TREPO_TIMESTAMP, "signed/meta", "{}", ERR_BAD_INPUT},
	{TREPO_TIMESTAMP, "signed/meta/snapshot.json/version", "-", ERR_BAD_INPUT},
	{TREPO_TIMESTAMP, "signed/meta/snapshot.json/length", "-", ERR_OK},
	{TREPO_TIMESTAMP, "signed/meta/snapshot.json/length", "-5", ERR_BAD_INPUT},
	{TREPO_TIMESTAMP, "signed/meta/snapshot.json/hashes", "-", ERR_OK},
	{TREPO_TIMESTAMP, "signed/meta/snapshot.json/hashes", "{}", ERR_BAD_INPUT},
	{TREPO_TIMESTAMP, "signed/meta/snapshot.json/hashes", "{\"md5\": \"00\"}", ERR_BAD_INPUT},
	{TREPO_TIMESTAMP, "signed/meta/snapshot.json/hashes/sha256", "\"00\"", ERR_BAD_INPUT},
	{TREPO_TIMESTAMP, "signed/meta/snapshot.json/hashes", "{\"sha512\": \"" ZERO512 "\"}",
		ERR_OK},
	{TREPO_TIMESTAMP, "signed/meta/snapshot.json/hashes/sha512", "\"00\"", ERR_BAD_INPUT},
	{TREPO_SNAPSHOT, "signed/meta", "-", ERR_BAD_INPUT},
	{TREPO_SNAPSHOT, "signed/meta/targets.json", "-", ERR_BAD_INPUT},
	{TREPO_SNAPSHOT, "signed/meta/safety.json", "-", ERR_OK},
	{TREPO_SNAPSHOT, "signed/meta/safety.json", "7", ERR_BAD_INPUT},
	{TREPO_SNAPSHOT, "signed/meta/safety.json/version", "0", ERR_BAD_INPUT},
	{TREPO_SNAPSHOT,
		"signed/meta/"
		"eighty-bytes-are-too-many-for-the-name-of-a-role-eighty-bytes-are-too-many.json",
		"{\"version\": 1}", ERR_TOO_LARGE},
	/* targets */
	{TREPO_TARGETS, "signed/targets", "-", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/targets", "[]", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/targets/x", "{}", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/targets/x", "{\"length\": 1, \"hashes\": {}}", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/targets/x", "{\"length\": 1, \"hashes\": {\"sha512\": \"00\"}}",
		ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/targets/x",
		"{\"length\": 1, \"hashes\": {\"sha512\": \"" ZERO512 "\"}}", ERR_OK},
	{TREPO_TARGETS, "signed/targets/x", "{\"length\": 1, \"hashes\": {\"md5\": \"00\"}}",
		ERR_OK},
	{TREPO_TARGETS, "signed/targets/x",
		"{\"length\": -1, \"hashes\": {\"sha512\": \"" ZERO512 "\"}}", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations", "-", ERR_OK},
	{TREPO_TARGETS, "signed/delegations", "[]", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/keys", "-", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles", "{}", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0", "7", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/name", "-", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/name", "\"\"", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/name", "\"root\"", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/name", "\"targets\"", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/name", "\"safety\"", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/threshold", "0", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/terminating", "true", ERR_OK},
	{TREPO_TARGETS, "signed/delegations/roles/0/terminating", "-", ERR_OK},
	{TREPO_TARGETS, "signed/delegations/roles/0/terminating", "1", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/paths", "-", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/paths", "[]", ERR_OK},
	{TREPO_TARGETS, "signed/delegations/roles/0/paths", "\"*\"", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/paths", "[\"*\", 7]", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0/path_hash_prefixes", "[\"0\"]", ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0",
		"{\"name\": \"a\", \"keyids\": [], \"threshold\": 1, \"path_hash_prefixes\": [\"0\"]}",
		ERR_OK},
	{TREPO_TARGETS, "signed/delegations/roles/0",
		"{\"name\": \"a\", \"keyids\": [], \"threshold\": 1, \"path_hash_prefixes\": [\"\"]}",
		ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0",
		"{\"name\": \"a\", \"keyids\": [], \"threshold\": 1, \"path_hash_prefixes\": [\"0G\"]}",
		ERR_BAD_INPUT},
	{TREPO_TARGETS, "signed/delegations/roles/0",
		"{\"name\": \"a\", \"keyids\": [], \"threshold\": 1, \"path_hash_prefixes\": [\"" ZERO256
		"0\"]}",
		ERR_BAD_INPUT},
};

static void the_form_of_every_kind_is_checked(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		enum role_kind kind = (enum role_kind)forms[i].f;
		CLEANUP(meta_fini) struct meta m = {0};
		char *text;
		json_t *file;
		int rc;

		file = json_loads(buf_cstr(&w->r.role[forms[i].f].file), 0, NULL);
		put(file, forms[i].place, forms[i].value);
		text = json_dumps(file, 0);
		json_decref(file);
		rc = meta_parse(str_of(text), kind, LIMIT_TARGETS_BYTES, &m, &w->e);
		free(text);
		if (rc != -(int)forms[i].want)
			fail_msg("%s = %s: got %s, wanted %s: %s", forms[i].place, forms[i].value,
				err_name((enum err_code) - rc), err_name(forms[i].want),
				rc < 0 ? w->e.text : "");
		if (rc < 0)
			assert_null(m.doc);
	}
}

static void too_many_of_anything_are_refused(void **state)
{
	static const struct {
		enum trepo_file f;
		const char *place, *value;
		unsigned limit;
	} rows[] = {
		{TREPO_ROOT, "signed/keys", "{}", LIMIT_KEYS},
		{TREPO_ROOT, "signed/roles/root/keyids", NULL, LIMIT_KEYS},
		{TREPO_SNAPSHOT, "signed/meta", "{\"version\": 1}", LIMIT_ROLES},
		{TREPO_TARGETS, "signed/targets",
			"{\"length\": 0, \"hashes\": {\"sha256\": \"e3b0c44298fc1c149afbf4c8996f"
			"b92427ae41e4649b934ca495991b7852b855\"}}",
			LIMIT_TARGETS},
		{TREPO_TARGETS, "signed/delegations/roles", NULL, LIMIT_DELEGATIONS},
		{TREPO_TARGETS, "signed/delegations/roles/0/paths", NULL, LIMIT_PATTERNS},
		{TREPO_ROOT, "signatures", NULL, LIMIT_SIGNATURES},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum role_kind kind = (enum role_kind)rows[i].f;
		CLEANUP(meta_fini) struct meta m = {0};
		char place[80], value[40], *text;
		json_t *file = json_loads(buf_cstr(&w->r.role[rows[i].f].file), 0, NULL);

		for (unsigned k = 0; k <= rows[i].limit; k++) {
			snprintf(place, sizeof place, "%s/%u", rows[i].place, k);
			snprintf(value, sizeof value, "\"id-%u\"", k);
			put(file, place, rows[i].value ? rows[i].value : value);
		}
		text = json_dumps(file, 0);
		json_decref(file);
		assert_int_equal(meta_parse(str_of(text), kind, LIMIT_TARGETS_BYTES, &m, &w->e),
			-ERR_TOO_LARGE);
		free(text);
	}
}

static void larger_than_the_bound_is_refused(void **state)
{
	struct world *w = *state;
	CLEANUP(meta_fini) struct meta m = {0};
	struct str bytes = trepo_bytes(&w->r, TREPO_ROOT);

	assert_int_equal(meta_parse(bytes, ROLE_ROOT, bytes.n - 1, &m, &w->e), -ERR_TOO_LARGE);
	assert_int_equal(meta_parse(bytes, ROLE_ROOT, bytes.n, &m, &w->e), 0);
	assert_int_equal(m.length, bytes.n);
}

/* The signed bytes of a key carry its line ends as they are, not as \n. */
static void canonical_bytes_have_raw_line_ends(void **state)
{
	struct world *w = *state;
	CLEANUP(meta_fini) struct meta m = {0};

	assert_int_equal(
		meta_parse(trepo_bytes(&w->r, TREPO_ROOT), ROLE_ROOT, LIMIT_ROOT_BYTES, &m, &w->e),
		0);
	assert_non_null(
		memmem(m.signed_bytes.p, m.signed_bytes.n, "-----BEGIN PUBLIC KEY-----\n", 27));
	assert_null(memmem(m.signed_bytes.p, m.signed_bytes.n, "\\n", 2));
}

static void targets_are_found_by_name(void **state)
{
	struct world *w = *state;
	CLEANUP(meta_fini) struct meta m = {0};
	struct target t = {.length = 77};

	assert_int_equal(meta_parse(trepo_bytes(&w->r, TREPO_SAFETY), ROLE_TARGETS,
				 LIMIT_TARGETS_BYTES, &m, &w->e),
		0);
	assert_int_equal(meta_target(&m, "ocr/ocr-2.json", &t, &w->e), -ERR_NOT_FOUND);
	assert_int_equal(t.length, 77);
	assert_int_equal(meta_target(&m, "ocr/ocr-1.json", &t, &w->e), 0);
	assert_int_equal(t.length, 2);
	assert_non_null(t.match);
}

/* How a file may be listed, and what is made of it as a release and as any file. */
static void a_release_is_listed_with_its_sha256(void **state)
{
	static const struct {
		const char *hashes;
		enum err_code as_release, as_file;
	} rows[] = {
		{"{\"sha256\": \"" ZERO256 "\"}", ERR_OK, ERR_OK},
		{"{\"sha256\": \"" ZERO256 "\", \"sha512\": \"" ZERO512 "\"}", ERR_OK, ERR_OK},
		{"{\"sha512\": \"" ZERO512 "\"}", ERR_BAD_INPUT, ERR_OK},
		{"{\"md5\": \"00\"}", ERR_BAD_INPUT, ERR_BAD_INPUT},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(meta_fini) struct meta m = {0};
		struct meta_pin file = {.version = 77};
		struct target t;
		struct err e;

		json_object_set_new(json_object_get(w->r.role[TREPO_SAFETY].part, "targets"), "x",
			json_pack("{s:i, s:o}", "length", 5, "hashes",
				json_loads(rows[i].hashes, 0, NULL)));
		trepo_sign(&w->r, TREPO_SAFETY);
		assert_int_equal(meta_parse(trepo_bytes(&w->r, TREPO_SAFETY), ROLE_TARGETS,
					 LIMIT_TARGETS_BYTES, &m, &e),
			0);
		assert_int_equal(meta_target(&m, "x", &t, &e), -(int)rows[i].as_release);
		assert_int_equal(meta_file(&m, "x", &file, &e), -(int)rows[i].as_file);
		assert_int_equal(file.version, rows[i].as_file == ERR_OK ? 0 : 77);
		assert_int_equal(meta_file(&m, "y", &file, &e), -ERR_NOT_FOUND);
	}
}

/* One of two hashes that differs makes another target. */
static void targets_are_the_same_in_all_they_list(void **state)
{
	JSON_AUTO *match = json_object();
	struct target a = {.length = 5, .match = match}, b = a;

	(void)state;
	assert_true(meta_target_same(&a, &b));
	b.has_hash512 = true;
	assert_false(meta_target_same(&a, &b));
	a.has_hash512 = true;
	assert_true(meta_target_same(&a, &b));
	b.hash512.b[63] = 1;
	assert_false(meta_target_same(&a, &b));
	b = a;
	b.hash.b[0] = 1;
	assert_false(meta_target_same(&a, &b));
	b = a;
	b.length = 6;
	assert_false(meta_target_same(&a, &b));
	a.match = b.match = NULL;
	b.length = 5;
	assert_false(meta_target_same(&a, &b));
}

static void patterns_do_not_cross_slashes(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool want;
	} rows[] = {
		{"*/*", "ocr/ocr-1.json", true},
		{"*/*", "ocr", false},
		{"*/*", "a/b/c", false},
		{"*", "a", true},
		{"*", "", true},
		{"*", "a/b", false},
		{"**", "a/b", false},
		{"ocr/*", "ocr/", true},
		{"ocr/*", "ocr/x", true},
		{"ocr/*", "Ocr/x", false},
		{"ocr/*.json", "ocr/ocr-1.json", true},
		{"ocr/*.json", "ocr/ocr-1.jsonx", false},
		{"ocr/*.json", "ocr/.json", true},
		{"a*b*c/d", "axxbxxbxc/d", true},
		{"a*b*c/d", "axxbxxbx/d", false},
		{"a*/b*c", "a1/b2/c", false},
		{"a*/b*c", "a1/b2c", true},
		{"a?c", "abc", true},
		{"a?c", "a/c", false},
		{"a?c", "ac", false},
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	};
	struct world *w = *state;
	json_t *role = json_array_get(
		json_object_get(
			json_object_get(w->r.role[TREPO_TARGETS].part, "delegations"), "roles"),
		0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(meta_fini) struct meta m = {0};

		json_object_set_new(role, "paths", json_pack("[s, s]", "/", rows[i].pattern));
		trepo_sign(&w->r, TREPO_TARGETS);
		assert_int_equal(meta_parse(trepo_bytes(&w->r, TREPO_TARGETS), ROLE_TARGETS,
					 LIMIT_TARGETS_BYTES, &m, &w->e),
			0);
		if (meta_covers(&m, "engineering", rows[i].path) != rows[i].want)
			fail_msg("%s against %s", rows[i].pattern, rows[i].path);
		assert_false(meta_covers(&m, "marketing", rows[i].path));
	}
}

/* The SHA-256 of "ocr/ocr-1.json" begins with "e932". */
static void prefixes_are_of_the_hash_of_the_path(void **state)
{
	static const struct {
		const char *prefixes;
		bool want;
	} rows[] = {
		{"[\"e\"]", true},
		{"[\"e932\"]", true},
		{"[\"e9321b8033f890bb63ac35474d860c2fbad0458fd9b3b8b2669efbd95a2a33ba\"]", true},
		{"[\"e930\"]", false},
		{"[\"0\", \"1\", \"e9\"]", true},
		{"[\"0\", \"1\"]", false},
		{"[]", false},
	};
	struct world *w = *state;
	json_t *role = json_array_get(
		json_object_get(
			json_object_get(w->r.role[TREPO_TARGETS].part, "delegations"), "roles"),
		0);

	json_object_del(role, "paths");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(meta_fini) struct meta m = {0};

		json_object_set_new(
			role, "path_hash_prefixes", json_loads(rows[i].prefixes, 0, NULL));
		trepo_sign(&w->r, TREPO_TARGETS);
		assert_int_equal(meta_parse(trepo_bytes(&w->r, TREPO_TARGETS), ROLE_TARGETS,
					 LIMIT_TARGETS_BYTES, &m, &w->e),
			0);
		if (meta_covers(&m, "engineering", "ocr/ocr-1.json") != rows[i].want)
			fail_msg("%s", rows[i].prefixes);
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(the_form_of_every_kind_is_checked),
		CASE(too_many_of_anything_are_refused),
		CASE(larger_than_the_bound_is_refused),
		CASE(canonical_bytes_have_raw_line_ends),
		CASE(targets_are_found_by_name),
		CASE(a_release_is_listed_with_its_sha256),
		CASE(targets_are_the_same_in_all_they_list),
		CASE(patterns_do_not_cross_slashes),
		CASE(prefixes_are_of_the_hash_of_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
