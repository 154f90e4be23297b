#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/lib/trepo.h"

/* The chain of roots: version 1 is trusted, version 2 is what the case makes of it. Roots have two
 * keys and need both. */
struct world {
	struct trepo r;
	struct trusted_set t;
	struct err e;
	struct sign_key old[2]; /* keys of version 1 after trepo_new_keys, for signing with both */
};

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	trepo_init(&w->r, TREPO_IMAGE, TREPO_NOW);
	trepo_publish(&w->r);
	trusted_init(&w->t, TREPO_NOW);
	assert_int_equal(trusted_load_root(&w->t, trepo_bytes(&w->r, TREPO_ROOT), &w->e), 0);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 2; i++)
		sign_key_fini(&w->old[i]);
	trusted_fini(&w->t);
	trepo_fini(&w->r);
	mem_free(&w);
	return 0;
}

static void rc_is(const struct world *w, int rc, enum err_code want)
{
	if (rc != -(int)want)
		fail_msg("got %s, wanted %s: %s", err_name((enum err_code) - rc), err_name(want),
			rc < 0 ? w->e.text : "");
}

/* New root keys; the old ones are kept for signing. */
static void rotate_root_keys(struct world *w)
{
	struct trepo_role *root = &w->r.role[TREPO_ROOT];

	memcpy(w->old, root->keys, sizeof w->old);
	root->n_keys = 0;
	trepo_new_keys(&w->r, TREPO_ROOT, 2);
	trepo_rebuild_root(&w->r);
}

/* Root of that version, signed by `n_old` of the old keys and `n_new` of the present ones. */
static void next_is(
	struct world *w, uint64_t version, unsigned n_old, unsigned n_new, enum err_code want)
{
	const struct sign_key *keys[4];
	BUF_AUTO file = {0};
	unsigned n = 0;

	for (unsigned i = 0; i < n_old; i++)
		keys[n++] = &w->old[i];
	for (unsigned i = 0; i < n_new; i++)
		keys[n++] = &w->r.role[TREPO_ROOT].keys[i];
	trepo_set_version(&w->r, TREPO_ROOT, version);
	assert_int_equal(sign_meta(w->r.role[TREPO_ROOT].part, keys, n, &file, &w->e), 0);
	rc_is(w, trusted_next_root(&w->t, buf_str(&file), &w->e), want);
	assert_int_equal(w->t.root.version, want == ERR_OK ? version : 1);
}

static void same_keys_go_on(void **state)
{
	next_is(*state, 2, 0, 2, ERR_OK);
}

static void a_step_needs_all_thresholds(void **state)
{
	struct world *w = *state;

	rotate_root_keys(w);
	next_is(w, 2, 0, 2, ERR_UNSIGNED);
	next_is(w, 2, 1, 2, ERR_UNSIGNED);
	next_is(w, 2, 2, 0, ERR_UNSIGNED);
	next_is(w, 2, 2, 1, ERR_UNSIGNED);
	next_is(w, 2, 2, 2, ERR_OK);
	next_is(w, 3, 0, 2, ERR_OK);
}

static void no_version_is_skipped_or_repeated(void **state)
{
	struct world *w = *state;

	next_is(w, 1, 0, 2, ERR_ROLLED_BACK);
	next_is(w, 3, 0, 2, ERR_MIXED);
	next_is(w, 2, 0, 2, ERR_OK);
	rc_is(w, trusted_next_root(&w->t, trepo_bytes(&w->r, TREPO_ROOT), &w->e), ERR_ROLLED_BACK);
}

static void the_first_root_signs_itself(void **state)
{
	struct world *w = *state;
	struct trusted_set t;

	trusted_init(&t, TREPO_NOW);
	w->r.role[TREPO_ROOT].n_keys = 1; /* one of two signs */
	trepo_sign(&w->r, TREPO_ROOT);
	w->r.role[TREPO_ROOT].n_keys = 2;
	rc_is(w, trusted_load_root(&t, trepo_bytes(&w->r, TREPO_ROOT), &w->e), ERR_UNSIGNED);
	assert_false(t.has_root);
	trusted_fini(&t);
}

static void only_the_newest_root_must_be_valid(void **state)
{
	struct world *w = *state;

	trepo_set_expiry(&w->r, TREPO_ROOT, TREPO_NOW - 1);
	next_is(w, 2, 0, 2, ERR_OK);
	rc_is(w, trusted_roots_done(&w->t, &w->e), ERR_EXPIRED);
	trepo_set_expiry(&w->r, TREPO_ROOT, TREPO_NOW + 1);
	next_is(w, 3, 0, 2, ERR_OK);
	rc_is(w, trusted_roots_done(&w->t, &w->e), ERR_OK);
}

/* Two key ids over one public key are one signer. */
static void one_key_under_two_ids_is_one_signer(void **state)
{
	struct world *w = *state;
	json_t *part = w->r.role[TREPO_ROOT].part, *file = json_object(),
	       *signatures = json_array();
	json_t *role = json_object_get(json_object_get(part, "roles"), "root");
	const struct sign_key *key = &w->r.role[TREPO_ROOT].keys[0];
	BUF_AUTO bytes = {0};
	uint8_t sig[SIG_MAX];
	char hex[2 * SIG_MAX + 1];
	size_t n;

	json_object_set_new(json_object_get(part, "keys"), "alias", sign_key_public(key));
	json_object_set_new(role, "keyids", json_pack("[s, s]", key->keyid, "alias"));
	json_canonical(part, &bytes);
	assert_int_equal(sign_bytes(key, buf_str(&bytes), sig, &n, &w->e), 0);
	hex_encode(sig, n, hex);
	json_array_append_new(signatures, json_pack("{s:s, s:s}", "keyid", key->keyid, "sig", hex));
	json_array_append_new(signatures, json_pack("{s:s, s:s}", "keyid", "alias", "sig", hex));
	json_object_set_new(file, "signatures", signatures);
	json_object_set(file, "signed", part);
	buf_clear(&bytes);
	json_write(file, &bytes);
	json_decref(file);
	rc_is(w, trusted_load_root(&w->t, buf_str(&bytes), &w->e), ERR_UNSIGNED);
}

/* ---- what the next root means for the other roles ---- */

static struct buf copy_of(struct str bytes)
{
	struct buf b = {0};

	buf_add(&b, bytes.p, bytes.n);
	return b;
}

/* Version 2 of the root with a new key for `f`; then what was kept is loaded, and what the
 * repository now serves, with lower versions, is offered. */
static void recovery_is(struct world *w, enum trepo_file rotated[], unsigned n, enum err_code want)
{
	struct buf kept[ROLE_KIND_MAX] = {0};
	bool changed;
	int rc;

	for (enum trepo_file f = TREPO_TIMESTAMP; f < TREPO_FILES; f++)
		trepo_set_version(&w->r, f, 1000000); /* an attacker with the keys did that */
	trepo_publish(&w->r);
	for (enum role_kind k = ROLE_TIMESTAMP; k < ROLE_KIND_MAX; k++)
		kept[k] = copy_of(trepo_bytes(&w->r, (enum trepo_file)k));
	for (unsigned i = 0; i < n; i++)
		trepo_new_keys(&w->r, rotated[i], 1);
	trepo_rebuild_root(&w->r);
	next_is(w, 2, 0, 2, ERR_OK);
	for (enum role_kind k = ROLE_TIMESTAMP; k < ROLE_KIND_MAX; k++)
		trusted_load_stored(&w->t, k, buf_str(&kept[k]));
	for (enum trepo_file f = TREPO_TIMESTAMP; f < TREPO_FILES; f++)
		trepo_set_version(&w->r, f, 2);
	trepo_publish(&w->r);
	rc = trusted_timestamp(&w->t, trepo_bytes(&w->r, TREPO_TIMESTAMP), &changed, &w->e);
	if (rc == 0)
		rc = trusted_snapshot(&w->t, trepo_bytes(&w->r, TREPO_SNAPSHOT), &w->e);
	if (rc == 0)
		rc = trusted_targets(&w->t, trepo_bytes(&w->r, TREPO_TARGETS), &w->e);
	rc_is(w, rc, want);
	for (enum role_kind k = ROLE_TIMESTAMP; k < ROLE_KIND_MAX; k++)
		buf_fini(&kept[k]);
}

static void new_keys_heal_versions_run_ahead(void **state)
{
	enum trepo_file both[] = {TREPO_TIMESTAMP, TREPO_SNAPSHOT};

	recovery_is(*state, both, 2, ERR_OK);
}

static void without_new_keys_versions_stay(void **state)
{
	recovery_is(*state, NULL, 0, ERR_ROLLED_BACK);
}

static void a_new_timestamp_key_heals_the_timestamp_only(void **state)
{
	enum trepo_file one[] = {TREPO_TIMESTAMP};

	recovery_is(*state, one, 1, ERR_ROLLED_BACK);
}

static void a_new_root_takes_what_it_may_not_vouch_for(void **state)
{
	struct world *w = *state;

	assert_int_equal(trepo_refresh(&w->r, &w->t, &w->e), 0);
	assert_true(w->t.has_timestamp && w->t.n_delegated == 3);
	next_is(w, 2, 0, 2, ERR_OK);
	assert_false(w->t.has_timestamp || w->t.has_snapshot || w->t.has_targets);
	assert_int_equal(w->t.n_delegated, 0);
}

static void a_rotated_key_no_longer_signs(void **state)
{
	struct world *w = *state;
	bool changed;

	for (enum trepo_file f = TREPO_TIMESTAMP; f < TREPO_FILES; f++)
		trepo_set_version(&w->r, f, 2);
	trepo_publish(&w->r);
	BUF_AUTO old = copy_of(trepo_bytes(&w->r, TREPO_TIMESTAMP));
	trepo_new_keys(&w->r, TREPO_TIMESTAMP, 1);
	trepo_rebuild_root(&w->r);
	next_is(w, 2, 0, 2, ERR_OK);
	rc_is(w, trusted_timestamp(&w->t, buf_str(&old), &changed, &w->e), ERR_UNSIGNED);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(same_keys_go_on),
		CASE(a_step_needs_all_thresholds),
		CASE(no_version_is_skipped_or_repeated),
		CASE(the_first_root_signs_itself),
		CASE(only_the_newest_root_must_be_valid),
		CASE(one_key_under_two_ids_is_one_signer),
		CASE(new_keys_heal_versions_run_ahead),
		CASE(without_new_keys_versions_stay),
		CASE(a_new_timestamp_key_heals_the_timestamp_only),
		CASE(a_new_root_takes_what_it_may_not_vouch_for),
		CASE(a_rotated_key_no_longer_signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
