#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "keys/ceremony.h"
#include "keys/repo.h"
#include "lib/sys/fs.h"
#include "tests/lib/trepo.h"

static const char *const secrets[] = {"offline/image-root-1", "offline/image-root-2",
	"offline/image-root-3", "offline/image-targets-1", "offline/image-targets-2",
	"offline/image-targets-3", "offline/engineering-1", "offline/safety-1",
	"offline/compliance-1", "offline/director-root-1", "offline/director-root-2",
	"offline/director-root-3", "online/image-timestamp", "online/image-snapshot",
	"online/director-timestamp", "online/director-snapshot", "online/director-targets",
	"online/director-time", "online/director-audit", "creator/creator-1", "evidence/builder",
	"evidence/lab", "evidence/counsel", "evidence/verifier"};

static int keys_made(void **state)
{
	struct err e;

	(void)state;
	if (ceremony_init("keys", TREPO_NOW, &e) == 0)
		return 0;
	print_error("%s\n", e.text);
	return -1;
}

static void private_keys_are_for_the_owner_only(void **state)
{
	struct stat st;
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		snprintf(path, sizeof path, "keys/%s.pem", secrets[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_int_equal(stat("keys/offline", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static struct buf read_all(const char *path)
{
	struct buf b = {0};
	struct err e;
	struct fs fs;

	assert_int_equal(fs_posix_open(".", &fs, &e), 0);
	if (fs_read_file(&fs, path, LIMIT_TARGETS_BYTES, &b, &e) < 0)
		fail_msg("%s: %s", path, e.text);
	fs_posix_close(&fs);
	return b;
}

static void a_second_ceremony_changes_nothing(void **state)
{
	BUF_AUTO before = read_all("keys/offline/image-root-1.pem"), after = {0};
	struct err e;

	(void)state;
	assert_int_equal(ceremony_init("keys", TREPO_NOW, &e), -ERR_CONFLICT);
	after = read_all("keys/offline/image-root-1.pem");
	assert_true(str_eq(buf_str(&before), buf_str(&after)));
}

/* Root demands, targets name the gate and who may give evidence; without gates nothing is
 * demanded. */
static void a_gated_fleet_demands_evidence(void **state)
{
	static const struct {
		const char *dir;
		unsigned gates;
	} fleets[] = {{"keys", 0}, {"gated", 1}};
	struct sha256 gate;
	struct err e;

	(void)state;
	digest_of("gate", 4, &gate);
	assert_int_equal(ceremony_init_gated("gated", &gate, 1, TREPO_NOW, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(fleets); i++) {
		CLEANUP(meta_fini) struct meta root = {0}, targets = {0};
		struct evidence_demand demand;
		char path[64];

		snprintf(path, sizeof path, "%s/repo/image/1.root.json", fleets[i].dir);
		BUF_AUTO root_bytes = read_all(path);
		snprintf(path, sizeof path, "%s/repo/image/1.targets.json", fleets[i].dir);
		BUF_AUTO targets_bytes = read_all(path);
		assert_int_equal(
			meta_parse(buf_str(&root_bytes), ROLE_ROOT, LIMIT_ROOT_BYTES, &root, &e),
			0);
		assert_int_equal(meta_parse(buf_str(&targets_bytes), ROLE_TARGETS,
					 LIMIT_TARGETS_BYTES, &targets, &e),
			0);
		assert_int_equal(evidence_demand(&root, &targets, "a/b.json", &demand, &e), 0);
		assert_int_equal(demand.n, fleets[i].gates);
		if (demand.n)
			assert_true(sha256_eq(&demand.gates[0].policies[0], &gate));
		json_object_del((json_t *)targets.signed_part, "x-backstay-evidence");
		assert_int_equal(evidence_demand(&root, &targets, "a/b.json", &demand, &e),
			fleets[i].gates ? -ERR_UNPROVEN : 0);
	}
}

/* What the server does with its own keys. */
static void serve(const struct keystore *ks, const char *role, json_t *part, struct buf *out)
{
	const struct sign_key *keys[LIMIT_KEYS];
	unsigned n = keystore_find(ks, role, keys);
	struct err e;

	assert_int_equal(n, 1);
	assert_int_equal(sign_meta(part, keys, n, out, &e), 0);
	json_decref(part);
}

static const char *const listed[] = {"targets", "engineering", "safety", "compliance"};

static void publish(struct buf files[4], struct buf *snapshot, struct buf *timestamp)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	struct repo_head head = {1, TREPO_NOW + TREPO_DAY};
	struct repo_pin pins[4], pin;
	char path[64];
	struct err e;

	assert_int_equal(keystore_load(ks, "keys/online", &e), 0);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "keys/repo/image/1.%s.json", listed[i]);
		files[i] = read_all(path);
		snprintf(path, sizeof path, "%s.json", listed[i]);
		repo_pin_of(path, 1, buf_str(&files[i]), &pins[i]);
	}
	serve(ks, "image-snapshot", repo_snapshot(head, pins, 4), snapshot);
	repo_pin_of("snapshot.json", 1, buf_str(snapshot), &pin);
	serve(ks, "image-timestamp", repo_timestamp(head, &pin), timestamp);
}

static int refresh(struct trusted_set *t, struct buf files[4], struct buf *snapshot,
	struct buf *timestamp, struct err *e)
{
	BUF_AUTO root = read_all("keys/repo/image/1.root.json");
	bool changed;

	TRY(trusted_load_root(t, buf_str(&root), e));
	TRY(trusted_roots_done(t, e));
	TRY(trusted_timestamp(t, buf_str(timestamp), &changed, e));
	TRY(trusted_snapshot(t, buf_str(snapshot), e));
	TRY(trusted_targets(t, buf_str(&files[0]), e));
	for (unsigned i = 1; i < 4; i++)
		TRY(trusted_delegated(t, listed[i], buf_str(&files[i]), e));
	return 0;
}

static void the_first_repository_is_complete(void **state)
{
	BUF_AUTO snapshot = {0}, timestamp = {0};
	struct buf files[4] = {0};
	struct trusted_set t;
	struct err e;

	(void)state;
	trusted_init(&t, TREPO_NOW);
	publish(files, &snapshot, &timestamp);
	if (refresh(&t, files, &snapshot, &timestamp, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(t.n_delegated, 3);
	assert_int_equal(t.root.expires_s, TREPO_NOW + 365 * TREPO_DAY);
	assert_int_equal(
		trusted_find_delegated(&t, "safety")->expires_s, TREPO_NOW + 182 * TREPO_DAY);
	assert_non_null(json_object_get(t.root.signed_part, "x-backstay-quorum"));
	trusted_fini(&t);
	for (unsigned i = 0; i < 4; i++)
		buf_fini(&files[i]);
}

static void the_directors_root_stands_alone(void **state)
{
	BUF_AUTO root = read_all("keys/repo/director/1.root.json");
	struct trusted_set t;
	struct sha256 time;
	struct err e;

	(void)state;
	trusted_init(&t, TREPO_NOW);
	assert_int_equal(trusted_load_root(&t, buf_str(&root), &e), 0);
	assert_int_equal(trusted_roots_done(&t, &e), 0);
	assert_null(json_object_get(t.root.signed_part, "x-backstay-quorum"));
	assert_int_equal(timetoken_keys(&t.root, &time, &e), 0);
	assert_false(sha256_is_zero(&time));
	trusted_fini(&t);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	const struct sign_key *keys[LIMIT_KEYS];
	struct err e;

	(void)state;
	assert_int_equal(chmod("keys/online/image-snapshot.pem", 0640), 0);
	assert_int_equal(keystore_load(ks, "keys/online", &e), -ERR_DENIED);
	assert_non_null(strstr(e.text, "image-snapshot.pem"));
	assert_int_equal(chmod("keys/online/image-snapshot.pem", 0600), 0);
	keystore_free(&ks);
	ks = keystore_new();
	assert_int_equal(keystore_load(ks, "keys/offline", &e), 0);
	assert_int_equal(keystore_find(ks, "image-root", keys), 3);
	assert_string_equal(keys[0]->name, "image-root-1");
	assert_string_equal(keys[2]->name, "image-root-3");
	assert_int_equal(keystore_find(ks, "image", keys), 0);
	assert_int_equal(keystore_find(ks, "image-snapshot", keys), 0);
}

static void what_is_no_key_is_refused(void **state)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	struct err e;
	FILE *f;

	(void)state;
	assert_int_equal(keystore_load(ks, "nowhere", &e), -ERR_NOT_FOUND);
	assert_int_equal(mkdir("odd", 0700), 0);
	assert_int_equal(keystore_load(ks, "odd", &e), -ERR_NOT_FOUND);
	umask(077);
	f = fopen("odd/safety-1.pem", "w");
	assert_non_null(f);
	fputs("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", f);
	fclose(f);
	assert_int_equal(keystore_load(ks, "odd", &e), -ERR_BAD_INPUT);
	assert_int_equal(keystore_create(ks, "odd", "safety-1", SIG_ECDSA_P256, &e), -ERR_CONFLICT);
	assert_int_equal(
		keystore_create(ks, "odd", "../safety", SIG_ECDSA_P256, &e), -ERR_BAD_INPUT);
	assert_int_equal(unlink("odd/safety-1.pem"), 0);
	assert_int_equal(symlink("../keys/online/image-snapshot.pem", "odd/safety-1.pem"), 0);
	assert_int_equal(keystore_load(ks, "odd", &e), -ERR_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gated_fleet_demands_evidence),
		cmocka_unit_test(private_keys_are_for_the_owner_only),
		cmocka_unit_test(a_second_ceremony_changes_nothing),
		cmocka_unit_test(the_first_repository_is_complete),
		cmocka_unit_test(the_directors_root_stands_alone),
		cmocka_unit_test(a_key_that_others_may_read_is_refused),
		cmocka_unit_test(what_is_no_key_is_refused),
	};

	return cmocka_run_group_tests(tests, keys_made, NULL);
}
