#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/lib/trepo.h"

/* Every case starts from a signed image repository and ends with what a client says of it. */
struct world {
	struct trepo r;
	struct trusted_set t;
	struct err e;
};

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	trepo_init(&w->r, TREPO_IMAGE, TREPO_NOW);
	trepo_publish(&w->r);
	trusted_init(&w->t, TREPO_NOW);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	trusted_fini(&w->t);
	trepo_fini(&w->r);
	mem_free(&w);
	return 0;
}

static void rc_is(const struct world *w, const char *what, int rc, enum err_code want)
{
	if (rc != -(int)want)
		fail_msg("%s: got %s, wanted %s: %s", what, err_name((enum err_code) - rc),
			err_name(want), rc < 0 ? w->e.text : "");
}

/* A client that knows nothing but the root. */
static void fresh_is(struct world *w, const char *what, enum err_code want)
{
	trusted_fini(&w->t);
	trusted_init(&w->t, TREPO_NOW);
	rc_is(w, what, trepo_refresh(&w->r, &w->t, &w->e), want);
}

/* The client that is there asks again. */
static void again_is(struct world *w, const char *what, enum err_code want)
{
	rc_is(w, what, trepo_refresh(&w->r, &w->t, &w->e), want);
}

static const char *name_of(enum trepo_file f)
{
	static const char *const names[] = {
		"root", "timestamp", "snapshot", "targets", "engineering", "safety", "compliance"};

	return names[f];
}

/* Refused at its own step, not only when the next one looks back at it. */
static void is_not_held(const struct world *w, enum trepo_file f)
{
	const struct trusted_set *t = &w->t;
	const bool held[] = {false, t->has_timestamp, t->has_snapshot, t->has_targets,
		trusted_find_delegated(t, "engineering") != NULL,
		trusted_find_delegated(t, "safety") != NULL,
		trusted_find_delegated(t, "compliance") != NULL};

	if (held[f])
		fail_msg("%s was refused, and is held", name_of(f));
}

/* ---- what is good ---- */

static void a_good_repository_is_trusted(void **state)
{
	struct world *w = *state;

	fresh_is(w, "good", ERR_OK);
	assert_int_equal(w->t.n_delegated, 3);
	assert_non_null(trusted_find_delegated(&w->t, "safety"));
	assert_null(trusted_find_delegated(&w->t, "marketing"));
	again_is(w, "twice", ERR_OK);
}

static void unknown_members_are_signed_and_kept(void **state)
{
	struct world *w = *state;

	for (enum trepo_file f = 0; f < TREPO_FILES; f++)
		json_object_set_new(
			w->r.role[f].part, "x-note", json_string("more\n\t\"than\" \\ this"));
	trepo_publish(&w->r);
	fresh_is(w, "unknown members", ERR_OK);
	assert_non_null(json_object_get(w->t.targets.signed_part, "x-note"));
	assert_non_null(json_object_get(w->t.root.signed_part, "x-backstay-quorum"));
}

static void pins_without_length_and_hash_will_do(void **state)
{
	struct world *w = *state;
	json_t *pins = json_object_get(w->r.role[TREPO_SNAPSHOT].part, "meta"), *one;
	const char *file;

	json_object_foreach (pins, file, one) {
		json_object_del(one, "length");
		json_object_del(one, "hashes");
	}
	trepo_sign(&w->r, TREPO_SNAPSHOT);
	trepo_pin(&w->r, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
	trepo_sign(&w->r, TREPO_TIMESTAMP);
	fresh_is(w, "version only", ERR_OK);
}

/* ---- what somebody did to one file, while all that pins it fits ---- */

static void no_signature(struct trepo *r, enum trepo_file f, json_t *file)
{
	(void)r, (void)f;
	json_object_set_new(file, "signatures", json_array());
}

static json_t *first_signature(json_t *file)
{
	return json_array_get(json_object_get(file, "signatures"), 0);
}

static void empty_signature(struct trepo *r, enum trepo_file f, json_t *file)
{
	(void)r, (void)f;
	json_object_set_new(first_signature(file), "sig", json_string(""));
}

static void signature_not_hex(struct trepo *r, enum trepo_file f, json_t *file)
{
	(void)r, (void)f;
	json_object_set_new(first_signature(file), "sig", json_string("3045zz"));
}

static void signature_too_long(struct trepo *r, enum trepo_file f, json_t *file)
{
	char hex[4 * SIG_MAX + 1];

	(void)r, (void)f;
	memset(hex, 'a', sizeof hex - 1);
	hex[sizeof hex - 1] = 0;
	json_object_set_new(first_signature(file), "sig", json_string(hex));
}

static void signed_twice(struct trepo *r, enum trepo_file f, json_t *file)
{
	(void)r, (void)f;
	json_array_append(json_object_get(file, "signatures"), first_signature(file));
}

static void no_keyid(struct trepo *r, enum trepo_file f, json_t *file)
{
	(void)r, (void)f;
	json_object_del(first_signature(file), "keyid");
}

/* The key of another role of the same repository. */
static void foreign_signature(struct trepo *r, enum trepo_file f, json_t *file)
{
	const struct sign_key *key = &r->role[(f + 1) % TREPO_FILES].keys[0];
	BUF_AUTO bytes = {0};
	JSON_AUTO *other = NULL;
	struct err e;

	assert_int_equal(sign_meta(r->role[f].part, &key, 1, &bytes, &e), 0);
	assert_int_equal(json_read(buf_str(&bytes), LIMIT_TARGETS_BYTES, &other, &e), 0);
	json_object_set(file, "signatures", json_object_get(other, "signatures"));
}

static void other_content(struct trepo *r, enum trepo_file f, json_t *file)
{
	(void)r, (void)f;
	json_object_set_new(json_object_get(file, "signed"), "x-more", json_true());
}

static void not_signed_part(struct trepo *r, enum trepo_file f, json_t *file)
{
	(void)r, (void)f;
	json_object_del(file, "signed");
}

static const struct mutation {
	const char *what;
	void (*apply)(struct trepo *r, enum trepo_file f, json_t *file);
	enum err_code want;
} mutations[] = {
	{"no signature", no_signature, ERR_UNSIGNED},
	{"an empty signature", empty_signature, ERR_UNSIGNED},
	{"a signature that is not hexadecimal", signature_not_hex, ERR_UNSIGNED},
	{"a signature that is too long", signature_too_long, ERR_UNSIGNED},
	{"another role's signature", foreign_signature, ERR_UNSIGNED},
	{"content added after signing", other_content, ERR_UNSIGNED},
	{"one key id signing twice", signed_twice, ERR_BAD_INPUT},
	{"a signature of nobody", no_keyid, ERR_BAD_INPUT},
	{"nothing that is signed", not_signed_part, ERR_BAD_INPUT},
};

struct mutate {
	const struct mutation *m;
	enum trepo_file f;
};

static void mutate_one(struct trepo *r, enum trepo_file f, void *ctx)
{
	const struct mutate *how = ctx;
	JSON_AUTO *file = NULL;
	struct err e;

	if (f != how->f)
		return;
	assert_int_equal(json_read(trepo_bytes(r, f), LIMIT_TARGETS_BYTES, &file, &e), 0);
	how->m->apply(r, f, file);
	buf_clear(&r->role[f].file);
	json_write(file, &r->role[f].file);
}

static void a_changed_file_of_any_role_is_refused(void **state)
{
	struct world *w = *state;
	char what[128];

	for (size_t i = 0; i < ARRAY_LEN(mutations); i++) {
		for (enum trepo_file f = 0; f < TREPO_FILES; f++) {
			struct mutate how = {&mutations[i], f};

			snprintf(what, sizeof what, "%s: %s", name_of(f), mutations[i].what);
			trepo_publish_changed(&w->r, mutate_one, &how);
			fresh_is(w, what, mutations[i].want);
			is_not_held(w, f);
		}
	}
}

/* An invalid signature beside enough good ones is nobody's problem. */
static void a_bad_signature_beside_good_ones_is_tolerated(void **state)
{
	struct world *w = *state;
	JSON_AUTO *file = NULL;
	struct buf *bytes = &w->r.role[TREPO_TIMESTAMP].file;

	assert_int_equal(json_read(buf_str(bytes), LIMIT_TIMESTAMP_BYTES, &file, &w->e), 0);
	json_array_insert_new(json_object_get(file, "signatures"), 0,
		json_pack("{s:s, s:s}", "keyid", w->r.role[TREPO_SNAPSHOT].keys[0].keyid, "sig",
			"30060201010201"));
	buf_clear(bytes);
	json_write(file, bytes);
	fresh_is(w, "one bad, one good", ERR_OK);
}

static void bytes_that_are_not_pinned_are_refused(void **state)
{
	struct world *w = *state;
	char what[64];

	for (enum trepo_file f = TREPO_SNAPSHOT; f < TREPO_FILES; f++) {
		struct buf *file = &w->r.role[f].file;

		snprintf(what, sizeof what, "%s: a blank more", name_of(f));
		buf_add_char(file, ' ');
		fresh_is(w, what, ERR_ALTERED);
		file->n--;
		for (size_t at = 0; at < file->n; at += 97) {
			snprintf(what, sizeof what, "%s: byte %zu", name_of(f), at);
			file->p[at] ^= 1;
			fresh_is(w, what, ERR_ALTERED);
			file->p[at] ^= 1;
		}
		snprintf(what, sizeof what, "%s: cut", name_of(f));
		file->n--;
		fresh_is(w, what, ERR_ALTERED);
		file->n++;
	}
	fresh_is(w, "as it was", ERR_OK);
}

/* What nothing pins is protected by its signature alone. */
static void no_altered_byte_of_root_or_timestamp_is_trusted(void **state)
{
	static const enum trepo_file unpinned[] = {TREPO_ROOT, TREPO_TIMESTAMP};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(unpinned); i++) {
		struct buf *file = &w->r.role[unpinned[i]].file;

		for (size_t at = 0; at < file->n; at += 13) {
			file->p[at] ^= 4;
			trusted_fini(&w->t);
			trusted_init(&w->t, TREPO_NOW);
			if (trepo_refresh(&w->r, &w->t, &w->e) == 0)
				fail_msg("%s: byte %zu", name_of(unpinned[i]), at);
			file->p[at] ^= 4;
		}
	}
}

/* ---- time, type, version ---- */

static void an_expired_file_of_any_role_is_refused(void **state)
{
	struct world *w = *state;

	for (enum trepo_file f = 0; f < TREPO_FILES; f++) {
		trepo_set_expiry(&w->r, f, TREPO_NOW); /* the very second is too late */
		trepo_publish(&w->r);
		fresh_is(w, name_of(f), ERR_EXPIRED);
		is_not_held(w, f);
		trepo_set_expiry(&w->r, f, TREPO_NOW + 1);
		trepo_publish(&w->r);
		fresh_is(w, name_of(f), ERR_OK);
	}
}

static void a_file_of_another_type_is_refused(void **state)
{
	struct world *w = *state;

	for (enum trepo_file f = 0; f < TREPO_FILES; f++) {
		json_t *type = json_incref(json_object_get(w->r.role[f].part, "_type"));

		json_object_set_new(w->r.role[f].part, "_type",
			json_string(f == TREPO_ROOT ? "targets" : "root"));
		trepo_publish(&w->r);
		fresh_is(w, name_of(f), ERR_BAD_INPUT);
		json_object_set_new(w->r.role[f].part, "_type", type);
	}
	trepo_publish(&w->r);
	fresh_is(w, "as it was", ERR_OK);
}

/* The pin says another version than the file; both are signed. */
static void a_version_that_is_not_the_pinned_one_is_refused(void **state)
{
	struct world *w = *state;
	char file[64];

	for (enum trepo_file f = TREPO_SNAPSHOT; f < TREPO_FILES; f++) {
		enum trepo_file lister = f == TREPO_SNAPSHOT ? TREPO_TIMESTAMP : TREPO_SNAPSHOT;
		json_t *pins = json_object_get(w->r.role[lister].part, "meta");

		snprintf(file, sizeof file, "%s.json", name_of(f));
		json_object_set_new(json_object_get(pins, file), "version", json_integer(7));
		trepo_sign(&w->r, lister);
		if (lister == TREPO_SNAPSHOT) {
			trepo_pin(&w->r, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
			trepo_sign(&w->r, TREPO_TIMESTAMP);
		}
		fresh_is(w, file, ERR_MIXED);
		is_not_held(w, f);
		trepo_publish(&w->r);
	}
}

static void a_file_that_is_not_listed_is_refused(void **state)
{
	struct world *w = *state;
	json_t *pins = json_object_get(w->r.role[TREPO_SNAPSHOT].part, "meta");

	json_object_del(pins, "safety.json");
	trepo_sign(&w->r, TREPO_SNAPSHOT);
	trepo_pin(&w->r, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
	trepo_sign(&w->r, TREPO_TIMESTAMP);
	fresh_is(w, "safety not in snapshot", ERR_MIXED);
}

/* ---- rollback ---- */

static void set_all_versions(struct world *w, uint64_t version)
{
	for (enum trepo_file f = TREPO_TIMESTAMP; f < TREPO_FILES; f++)
		trepo_set_version(&w->r, f, version);
	trepo_publish(&w->r);
}

static void no_role_goes_back(void **state)
{
	struct world *w = *state;

	for (enum trepo_file f = TREPO_TIMESTAMP; f < TREPO_FILES; f++) {
		set_all_versions(w, 5);
		fresh_is(w, "version 5", ERR_OK);
		set_all_versions(w, 6);
		trepo_set_version(&w->r, f, 4);
		trepo_publish(&w->r);
		again_is(w, name_of(f), ERR_ROLLED_BACK);
		assert_int_equal(w->t.snapshot.version, 5);
		assert_int_equal(w->t.targets.version, 5);
	}
}

static void no_role_vanishes(void **state)
{
	struct world *w = *state;

	set_all_versions(w, 5);
	fresh_is(w, "version 5", ERR_OK);
	set_all_versions(w, 6);
	json_object_del(json_object_get(w->r.role[TREPO_SNAPSHOT].part, "meta"), "compliance.json");
	trepo_sign(&w->r, TREPO_SNAPSHOT);
	trepo_pin(&w->r, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
	trepo_sign(&w->r, TREPO_TIMESTAMP);
	again_is(w, "compliance is gone", ERR_ROLLED_BACK);
}

static struct buf copy_of(struct str bytes)
{
	struct buf b = {0};

	buf_add(&b, bytes.p, bytes.n);
	return b;
}

/* What a device kept on disk, given to a set that starts anew. */
static void restart_with(struct world *w, const struct buf kept[], int64_t now_s)
{
	trusted_fini(&w->t);
	trusted_init(&w->t, now_s);
	assert_int_equal(trusted_load_root(&w->t, trepo_bytes(&w->r, TREPO_ROOT), &w->e), 0);
	for (enum role_kind k = ROLE_TIMESTAMP; k < ROLE_KIND_MAX; k++)
		trusted_load_stored(&w->t, k, buf_str(&kept[k]));
}

static void keep(const struct world *w, struct buf kept[])
{
	for (enum role_kind k = ROLE_TIMESTAMP; k < ROLE_KIND_MAX; k++)
		kept[k] = copy_of(trepo_bytes(&w->r, (enum trepo_file)k));
}

static void forget(struct buf kept[])
{
	for (enum role_kind k = ROLE_TIMESTAMP; k < ROLE_KIND_MAX; k++)
		buf_fini(&kept[k]);
}

/* Also when what was kept has expired long ago. */
static void what_was_kept_is_the_base_for_rollback_checks(void **state)
{
	struct world *w = *state;
	struct buf kept[ROLE_KIND_MAX] = {0};
	bool changed = false;

	set_all_versions(w, 5);
	keep(w, kept);
	for (enum trepo_file f = TREPO_TIMESTAMP; f <= TREPO_TARGETS; f++)
		trepo_set_expiry(&w->r, f, TREPO_NOW + 99 * TREPO_DAY);
	set_all_versions(w, 4);
	restart_with(w, kept, TREPO_NOW + 30 * TREPO_DAY);
	assert_true(w->t.has_timestamp && w->t.has_snapshot && w->t.has_targets);
	rc_is(w, "older timestamp",
		trusted_timestamp(&w->t, trepo_bytes(&w->r, TREPO_TIMESTAMP), &changed, &w->e),
		ERR_ROLLED_BACK);
	assert_int_equal(w->t.timestamp.version, 5);
	set_all_versions(w, 6);
	rc_is(w, "newer timestamp",
		trusted_timestamp(&w->t, trepo_bytes(&w->r, TREPO_TIMESTAMP), &changed, &w->e),
		ERR_OK);
	assert_true(changed);
	forget(kept);
}

static void nothing_new_needs_no_more_files(void **state)
{
	struct world *w = *state;
	struct buf kept[ROLE_KIND_MAX] = {0};
	struct str timestamp = trepo_bytes(&w->r, TREPO_TIMESTAMP);
	bool changed = true;

	keep(w, kept);
	restart_with(w, kept, TREPO_NOW);
	rc_is(w, "same", trusted_timestamp(&w->t, timestamp, &changed, &w->e), ERR_OK);
	assert_false(changed);
	restart_with(w, kept, TREPO_NOW + 2 * TREPO_DAY);
	rc_is(w, "same, but expired", trusted_timestamp(&w->t, timestamp, &changed, &w->e),
		ERR_EXPIRED);
	buf_clear(&kept[ROLE_TARGETS]); /* the power went before targets were stored */
	restart_with(w, kept, TREPO_NOW);
	rc_is(w, "same", trusted_timestamp(&w->t, timestamp, &changed, &w->e), ERR_OK);
	assert_true(changed);
	rc_is(w, "snapshot from the store",
		trusted_snapshot(&w->t, buf_str(&kept[ROLE_SNAPSHOT]), &w->e), ERR_OK);
	rc_is(w, "targets", trusted_targets(&w->t, trepo_bytes(&w->r, TREPO_TARGETS), &w->e),
		ERR_OK);
	forget(kept);
}

static void other_content_of_the_same_timestamp_is_not_taken(void **state)
{
	struct world *w = *state;
	struct sha256 before;
	bool changed;

	fresh_is(w, "first", ERR_OK);
	before = w->t.timestamp.digest;
	json_object_set_new(w->r.role[TREPO_TIMESTAMP].part, "x-note", json_true());
	trepo_sign(&w->r, TREPO_TIMESTAMP);
	rc_is(w, "same version",
		trusted_timestamp(&w->t, trepo_bytes(&w->r, TREPO_TIMESTAMP), &changed, &w->e),
		ERR_OK);
	assert_false(changed);
	assert_true(sha256_eq(&before, &w->t.timestamp.digest));
}

/* Each file stands on the one above it: what hung from an older one is not taken along. */
static void nothing_hangs_from_an_older_file(void **state)
{
	struct world *w = *state;
	bool changed;

	fresh_is(w, "version 1", ERR_OK);
	BUF_AUTO old = copy_of(trepo_bytes(&w->r, TREPO_TARGETS));
	set_all_versions(w, 2);
	rc_is(w, "timestamp",
		trusted_timestamp(&w->t, trepo_bytes(&w->r, TREPO_TIMESTAMP), &changed, &w->e),
		ERR_OK);
	rc_is(w, "targets under the old snapshot", trusted_targets(&w->t, buf_str(&old), &w->e),
		ERR_MIXED);
	rc_is(w, "snapshot", trusted_snapshot(&w->t, trepo_bytes(&w->r, TREPO_SNAPSHOT), &w->e),
		ERR_OK);
	assert_false(w->t.has_targets);
	assert_int_equal(w->t.n_delegated, 0);
	rc_is(w, "a role under the old targets",
		trusted_delegated(&w->t, "safety", trepo_bytes(&w->r, TREPO_SAFETY), &w->e),
		ERR_UNSIGNED);
	rc_is(w, "targets", trusted_targets(&w->t, trepo_bytes(&w->r, TREPO_TARGETS), &w->e),
		ERR_OK);
}

static void stored_targets_that_are_not_pinned_are_dropped(void **state)
{
	struct world *w = *state;
	struct buf kept[ROLE_KIND_MAX] = {0};

	keep(w, kept);
	buf_fini(&kept[ROLE_TARGETS]);
	set_all_versions(w, 2);
	kept[ROLE_TARGETS] = copy_of(trepo_bytes(&w->r, TREPO_TARGETS));
	restart_with(w, kept, TREPO_NOW);
	assert_true(w->t.has_snapshot);
	assert_false(w->t.has_targets);
	forget(kept);
}

static void rubbish_in_the_store_is_dropped(void **state)
{
	struct world *w = *state;

	assert_int_equal(trusted_load_root(&w->t, trepo_bytes(&w->r, TREPO_ROOT), &w->e), 0);
	trusted_load_stored(&w->t, ROLE_TIMESTAMP, STR("{}"));
	trusted_load_stored(&w->t, ROLE_SNAPSHOT, STR(""));
	trusted_load_stored(&w->t, ROLE_TARGETS, trepo_bytes(&w->r, TREPO_TARGETS));
	trusted_load_stored(&w->t, ROLE_ROOT, trepo_bytes(&w->r, TREPO_ROOT));
	assert_false(w->t.has_timestamp || w->t.has_snapshot || w->t.has_targets);
}

/* ---- steps out of order ---- */

static void every_step_needs_the_one_before(void **state)
{
	struct world *w = *state;
	struct meta_pin pin;
	bool changed;
	size_t max;

	rc_is(w, "roots_done", trusted_roots_done(&w->t, &w->e), ERR_UNSIGNED);
	rc_is(w, "timestamp",
		trusted_timestamp(&w->t, trepo_bytes(&w->r, TREPO_TIMESTAMP), &changed, &w->e),
		ERR_UNSIGNED);
	rc_is(w, "next_root", trusted_next_root(&w->t, trepo_bytes(&w->r, TREPO_ROOT), &w->e),
		ERR_BUG);
	assert_int_equal(trusted_load_root(&w->t, trepo_bytes(&w->r, TREPO_ROOT), &w->e), 0);
	rc_is(w, "snapshot", trusted_snapshot(&w->t, trepo_bytes(&w->r, TREPO_SNAPSHOT), &w->e),
		ERR_MIXED);
	rc_is(w, "want", trusted_want(&w->t, "snapshot.json", &pin, &max, &w->e), ERR_MIXED);
	rc_is(w, "targets", trusted_targets(&w->t, trepo_bytes(&w->r, TREPO_TARGETS), &w->e),
		ERR_MIXED);
	rc_is(w, "delegated",
		trusted_delegated(&w->t, "safety", trepo_bytes(&w->r, TREPO_SAFETY), &w->e),
		ERR_UNSIGNED);
}

static void a_role_is_known_by_its_delegation_only(void **state)
{
	struct world *w = *state;

	fresh_is(w, "good", ERR_OK);
	rc_is(w, "not delegated to",
		trusted_delegated(&w->t, "marketing", trepo_bytes(&w->r, TREPO_SAFETY), &w->e),
		ERR_UNSIGNED);
	rc_is(w, "a top-level role",
		trusted_delegated(&w->t, "targets", trepo_bytes(&w->r, TREPO_TARGETS), &w->e),
		ERR_UNSIGNED);
	rc_is(w, "another role's file",
		trusted_delegated(&w->t, "safety", trepo_bytes(&w->r, TREPO_ENGINEERING), &w->e),
		ERR_ALTERED);
}

/* A device that slept for long finds what it kept, as the base for rollback checks. */
static void an_expired_timestamp_still_says_what_was_kept(void **state)
{
	struct world *w = *state;
	struct buf kept[ROLE_KIND_MAX] = {0};
	struct meta_pin pin;
	size_t max;

	set_all_versions(w, 5);
	keep(w, kept);
	restart_with(w, kept, TREPO_NOW + 999 * TREPO_DAY);
	rc_is(w, "snapshot", trusted_want(&w->t, "snapshot.json", &pin, &max, &w->e), ERR_OK);
	assert_int_equal(pin.version, 5);
	rc_is(w, "targets", trusted_want(&w->t, "targets.json", &pin, &max, &w->e), ERR_OK);
	assert_int_equal(pin.version, 5);
	forget(kept);
}

/* A link of the chain that has expired lets nothing through, however long the others are valid. */
static void nothing_hangs_from_an_expired_file(void **state)
{
	struct world *w = *state;
	struct buf kept[ROLE_KIND_MAX] = {0};
	struct str snapshot, targets, safety;

	for (enum trepo_file f = TREPO_TIMESTAMP; f <= TREPO_TARGETS; f++) {
		for (enum trepo_file all = TREPO_TIMESTAMP; all < TREPO_FILES; all++)
			trepo_set_expiry(&w->r, all, TREPO_NOW + 9 * TREPO_DAY);
		trepo_set_expiry(&w->r, f, TREPO_NOW + TREPO_DAY);
		trepo_publish(&w->r);
		keep(w, kept);
		snapshot = trepo_bytes(&w->r, TREPO_SNAPSHOT);
		targets = trepo_bytes(&w->r, TREPO_TARGETS);
		safety = trepo_bytes(&w->r, TREPO_SAFETY);
		restart_with(w, kept, TREPO_NOW + 2 * TREPO_DAY);
		assert_true(w->t.has_targets);
		rc_is(w, "snapshot", trusted_snapshot(&w->t, snapshot, &w->e),
			f == TREPO_TARGETS ? ERR_OK : ERR_EXPIRED);
		rc_is(w, "targets", trusted_targets(&w->t, targets, &w->e), ERR_EXPIRED);
		rc_is(w, "delegated", trusted_delegated(&w->t, "safety", safety, &w->e),
			ERR_EXPIRED);
		forget(kept);
	}
}

static void wants_are_bounded(void **state)
{
	struct world *w = *state;
	struct meta_pin pin;
	json_t *one;
	size_t max;

	fresh_is(w, "good", ERR_OK);
	rc_is(w, "want", trusted_want(&w->t, "engineering.json", &pin, &max, &w->e), ERR_OK);
	assert_int_equal(max, trepo_bytes(&w->r, TREPO_ENGINEERING).n);
	assert_int_equal(pin.version, 1);
	rc_is(w, "not listed", trusted_want(&w->t, "x.json", &pin, &max, &w->e), ERR_MIXED);

	one = json_object_get(
		json_object_get(w->r.role[TREPO_TIMESTAMP].part, "meta"), "snapshot.json");
	json_object_set_new(one, "length", json_integer(LIMIT_SNAPSHOT_BYTES + 1));
	trepo_set_version(&w->r, TREPO_TIMESTAMP, 2);
	trepo_sign(&w->r, TREPO_TIMESTAMP);
	again_is(w, "too large", ERR_ALTERED);
	rc_is(w, "too large", trusted_want(&w->t, "snapshot.json", &pin, &max, &w->e),
		ERR_TOO_LARGE);
	json_object_del(one, "length");
	trepo_set_version(&w->r, TREPO_TIMESTAMP, 3);
	trepo_sign(&w->r, TREPO_TIMESTAMP);
	again_is(w, "no length", ERR_OK);
	rc_is(w, "no length", trusted_want(&w->t, "snapshot.json", &pin, &max, &w->e), ERR_OK);
	assert_int_equal(max, LIMIT_SNAPSHOT_BYTES);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(a_good_repository_is_trusted),
		CASE(unknown_members_are_signed_and_kept),
		CASE(pins_without_length_and_hash_will_do),
		CASE(a_changed_file_of_any_role_is_refused),
		CASE(a_bad_signature_beside_good_ones_is_tolerated),
		CASE(bytes_that_are_not_pinned_are_refused),
		CASE(no_altered_byte_of_root_or_timestamp_is_trusted),
		CASE(an_expired_file_of_any_role_is_refused),
		CASE(a_file_of_another_type_is_refused),
		CASE(a_version_that_is_not_the_pinned_one_is_refused),
		CASE(a_file_that_is_not_listed_is_refused),
		CASE(no_role_goes_back),
		CASE(no_role_vanishes),
		CASE(what_was_kept_is_the_base_for_rollback_checks),
		CASE(nothing_new_needs_no_more_files),
		CASE(other_content_of_the_same_timestamp_is_not_taken),
		CASE(nothing_hangs_from_an_older_file),
		CASE(stored_targets_that_are_not_pinned_are_dropped),
		CASE(rubbish_in_the_store_is_dropped),
		CASE(every_step_needs_the_one_before),
		CASE(a_role_is_known_by_its_delegation_only),
		CASE(an_expired_timestamp_still_says_what_was_kept),
		CASE(nothing_hangs_from_an_expired_file),
		CASE(wants_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
