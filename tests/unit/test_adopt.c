/* Taking over what people have signed about keys: what follows and is signed by enough is taken
 * whole; every refusal has its code, and leaves the store as it was. The files are made by the
 * holders' own code, from the ceremony's keys. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/keylife.h"
#include "server/repo/metadata.h"
#include "server/run/adopt.h"
#include "tests/lib/fleet.h"

static struct fleet f;
static struct fleet_device dev;
static struct keystore *keys;
static struct pub_file fresh; /* of a key that nobody lists */

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

static int make(void **state)
{
	struct sign_key key;
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_device(&f, &dev, "lane-0", "toy-1");
	fleet_keep(&f);
	keys = keystore_new();
	expect_ok(keystore_load(keys, "keys/offline", &e), &e);
	expect_ok(sign_key_new("fresh", SIG_ECDSA_P384, &key, &e), &e);
	JSON_AUTO *public = sign_key_public(&key);
	json_write(public, &text);
	expect_ok(pub_file_parse(buf_str(&text), &fresh, &e), &e);
	sign_key_fini(&key);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	keystore_free(&keys);
	pub_file_fini(&fresh);
	return 0;
}

/* "image" and "director" are the holders' copies, which each case changes. */
static int setup(void **state)
{
	(void)state;
	fleet_open(&f);
	run("rm -rf image director waiting.json && cp -r signed image && cp -r keys/repo/director director");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fleet_close(&f);
	return 0;
}

/* ---- what people sign ---- */

/* The next version of a root or of targets. Without a role it says the same for longer. */
static void sign_next(const char *repo, const char *lister, const char *role)
{
	struct role_change c = {.role = role, .n_add = 1, .add = &fresh, .only_added = true};
	struct keylife_done done = {.added = 0};
	int64_t now_s = f.now / 1000;
	struct err e;

	if (role)
		expect_ok(keylife_change(repo, lister, &c, keys, now_s, &done, &e), &e);
	else
		expect_ok(keylife_renew(repo, lister, keys, now_s, &done, &e), &e);
	assert_true(done.complete);
	keylife_done_fini(&done);
}

static void read_signed(const char *repo, const char *role, uint64_t version, struct buf *out)
{
	struct fs fs;
	struct err e;

	expect_ok(fs_posix_open(repo, &fs, &e), &e);
	expect_ok(folder_read(&fs, role, version, out, &e), &e);
	fs_posix_close(&fs);
}

/* ---- what is handed to the server ---- */

struct parcel {
	struct adopt_in in;
	struct buf files[4];
	unsigned n;
};

static struct buf *add_bytes(struct parcel *p, const char *repo, const char *role, uint64_t version)
{
	struct buf *b = &p->files[p->n++];

	p->in.repo = repo;
	p->in.who = "ann";
	read_signed(repo, role, version, b);
	return b;
}

static void add_root(struct parcel *p, const char *repo, uint64_t version)
{
	p->in.roots[p->in.n_roots++] = buf_str(add_bytes(p, repo, "root", version));
}

static void add_role(struct parcel *p, const char *role, uint64_t version)
{
	struct role_file *r = &p->in.roles[p->in.n_roles++];

	snprintf(r->role, sizeof r->role, "%s", role);
	r->bytes = buf_str(add_bytes(p, "image", role, version));
}

static void parcel_free(struct parcel **p)
{
	for (size_t i = 0; i < ARRAY_LEN((*p)->files); i++)
		buf_fini(&(*p)->files[i]);
	mem_free(p);
}
#define PARCEL_AUTO CLEANUP(parcel_free) struct parcel

static void taken(struct parcel *p, unsigned want)
{
	unsigned stored = 99;
	struct err e;

	expect_ok(adopt_metadata(f.run, &p->in, &stored, &e), &e);
	assert_int_equal(stored, want);
}

/* Every byte of what is published. */
static void dump(struct buf *out)
{
	static const char *const queries[] = {
		"SELECT repo || role || version || ' ' || hex(bytes) FROM metadata"
		" ORDER BY repo, role, version",
		"SELECT device || role || version || ' ' || refresh_s || hex(bytes) FROM director"
		" ORDER BY device, role",
	};
	struct err e;

	fleet_dump(&f, out);
	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		DB_ROWS_AUTO rows = {0};

		expect_ok(db_query(&f.store, queries[i], DB_NO_ARGS, &rows, &e), &e);
		while (db_next(&rows, &e) > 0) {
			struct str row = db_col_str(&rows, 0);

			buf_add(out, row.p, row.n);
			buf_add_char(out, '\n');
		}
	}
}

static uint64_t newest(const char *repo, const char *role)
{
	META_ROW_AUTO m = {0};
	struct err e;

	expect_ok(metadata_get(&f.store, repo, role, 0, &m, &e), &e);
	return m.version;
}

/* ---- what is taken ---- */

static void a_new_root_and_what_hangs_from_it_are_taken_once(void **state)
{
	PARCEL_AUTO *p = mem_new(sizeof *p);
	BUF_AUTO before = {0}, after = {0};
	uint64_t snapshot = newest("image", "snapshot");

	(void)state;
	sign_next("image", "root", NULL);
	sign_next("image", "targets", NULL);
	add_root(p, "image", 1);
	add_root(p, "image", 2);
	add_role(p, "targets", 2);
	taken(p, 2);
	assert_int_equal(newest("image", "root"), 2);
	assert_int_equal(newest("image", "targets"), 2);
	assert_true(newest("image", "snapshot") > snapshot);
	dump(&before);
	assert_non_null(
		strstr(buf_cstr(&before), "ann brought 2 new files of the image repository"));
	taken(p, 0);
	dump(&after);
	expect_text(buf_cstr(&after), buf_cstr(&before));
}

static void a_copy_that_lags_behind_changes_nothing(void **state)
{
	PARCEL_AUTO *p = mem_new(sizeof *p), *old = mem_new(sizeof *old);
	BUF_AUTO before = {0}, after = {0};

	(void)state;
	sign_next("image", "targets", NULL);
	add_role(p, "targets", 2);
	taken(p, 1);
	dump(&before);
	add_root(old, "image", 1);
	add_role(old, "targets", 1);
	taken(old, 0);
	dump(&after);
	expect_text(buf_cstr(&after), buf_cstr(&before));
}

static void the_directors_root_is_followed_by_devices(void **state)
{
	PARCEL_AUTO *p = mem_new(sizeof *p);

	(void)state;
	sign_next("director", "root", NULL);
	add_root(p, "director", 2);
	taken(p, 1);
	assert_int_equal(newest("director", "root"), 2);
	assert_false(fleet_poll(&f, &dev)); /* verified as a device does */
}

/* ---- what is refused ---- */

static void skipped_root(struct parcel *p)
{
	sign_next("image", "root", NULL);
	sign_next("image", "root", NULL);
	add_root(p, "image", 3);
}

static void change_expiry(struct buf *b)
{
	char *at = strstr((char *)buf_cstr(b), "\"expires\":\"2");

	assert_non_null(at);
	at[strlen("\"expires\":\"")] = '3';
}

static void changed_root(struct parcel *p)
{
	sign_next("image", "root", NULL);
	add_root(p, "image", 2);
	change_expiry(&p->files[0]);
}

static void another_first_root(struct parcel *p)
{
	add_root(p, "image", 1);
	change_expiry(&p->files[0]);
}

static void other_targets_of_that_version(struct parcel *p)
{
	add_role(p, "targets", 1);
	change_expiry(&p->files[0]);
}

static void half_signed_root(struct parcel *p)
{
	struct role_change c = {.role = "snapshot", .n_add = 1, .add = &fresh};
	CLEANUP(keystore_free) struct keystore *one = keystore_new();
	struct keylife_done done = {.added = 0};
	struct err e;

	run("rm -rf one && mkdir -m 700 one && cp keys/offline/image-root-1.pem one/");
	expect_ok(keystore_load(one, "one", &e), &e);
	expect_ok(keylife_change("image", "root", &c, one, f.now / 1000, &done, &e), &e);
	assert_false(done.complete);
	keylife_done_fini(&done);
	p->in.roots[p->in.n_roots++] = buf_str(add_bytes(p, "image/waiting", "root", 2));
	p->in.repo = REPO_IMAGE;
}

static void end_root(struct parcel *p, const char *repo)
{
	struct keylife_done done = {.added = 0};
	int64_t then_s = f.now / 1000 - (int64_t)366 * 86400;
	struct err e;

	expect_ok(keylife_renew(repo, "root", keys, then_s, &done, &e), &e);
	keylife_done_fini(&done);
	add_root(p, repo, 2);
}

static void ended_root(struct parcel *p)
{
	end_root(p, "image");
}

static void ended_directors_root(struct parcel *p)
{
	end_root(p, "director");
}

static void no_root(struct parcel *p)
{
	p->in.repo = REPO_IMAGE;
	p->in.who = "ann";
	p->in.roots[p->in.n_roots++] = STR("{");
}

static void targets_as_root(struct parcel *p)
{
	sign_next("image", "targets", NULL);
	p->in.roots[p->in.n_roots++] = buf_str(add_bytes(p, "image", "targets", 2));
}

static void no_role(struct parcel *p)
{
	sign_next("image", "root", NULL);
	add_root(p, "image", 2); /* which is good, and not taken either */
	snprintf(p->in.roles[0].role, sizeof p->in.roles[0].role, "targets");
	p->in.roles[p->in.n_roles++].bytes = STR("{");
}

static void role_of_nobody(struct parcel *p)
{
	sign_next("image", "safety", NULL);
	add_role(p, "safety", 3);
	snprintf(p->in.roles[0].role, sizeof p->in.roles[0].role, "lab");
}

static void role_of_another(struct parcel *p)
{
	sign_next("image", "safety", NULL);
	add_role(p, "safety", 3);
	snprintf(p->in.roles[0].role, sizeof p->in.roles[0].role, "compliance");
}

static void ended_targets(struct parcel *p)
{
	struct keylife_done done = {.added = 0};
	int64_t then_s = f.now / 1000 - (int64_t)366 * 86400;
	struct err e;

	expect_ok(keylife_renew("image", "targets", keys, then_s, &done, &e), &e);
	keylife_done_fini(&done);
	add_role(p, "targets", 2);
}

/* Targets give a party another key, and what it has signed so far is left behind. */
static void targets_without_the_party(struct parcel *p)
{
	sign_next("image", "targets", "safety");
	add_role(p, "targets", 2);
}

static void roles_of_the_director(struct parcel *p)
{
	sign_next("image", "targets", NULL);
	add_role(p, "targets", 2);
	p->in.repo = REPO_DIRECTOR;
}

/* Keys that the signer does not have: a device would be locked out. */
static void image_locked_out(struct parcel *p)
{
	sign_next("image", "root", "timestamp");
	add_root(p, "image", 2);
}

static void director_locked_out(struct parcel *p)
{
	sign_next("director", "root", "targets");
	add_root(p, "director", 2);
}

static void what_does_not_hold_is_refused_and_nothing_is_taken(void **state)
{
	static const struct {
		const char *what;
		void (*make)(struct parcel *);
		enum err_code want;
	} cases[] = {
		{"a root after next", skipped_root, ERR_MIXED},
		{"a root with a changed byte", changed_root, ERR_UNSIGNED},
		{"another root of a version that is here", another_first_root, ERR_CONFLICT},
		{"other targets of a version that is here", other_targets_of_that_version,
			ERR_CONFLICT},
		{"a root that waits for signatures", half_signed_root, ERR_UNSIGNED},
		{"a root that has ended", ended_root, ERR_EXPIRED},
		{"a director's root that has ended", ended_directors_root, ERR_EXPIRED},
		{"no root at all", no_root, ERR_BAD_INPUT},
		{"targets in a root's place", targets_as_root, ERR_BAD_INPUT},
		{"no role file", no_role, ERR_BAD_INPUT},
		{"a role that nobody has", role_of_nobody, ERR_UNSIGNED},
		{"a role by another's key", role_of_another, ERR_UNSIGNED},
		{"targets that have ended", ended_targets, ERR_EXPIRED},
		{"targets without a party's file", targets_without_the_party, ERR_UNSIGNED},
		{"roles of the director", roles_of_the_director, ERR_BAD_INPUT},
		{"a root without this signer", image_locked_out, ERR_UNSIGNED},
		{"a director's root without this signer", director_locked_out, ERR_UNSIGNED},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		PARCEL_AUTO *p = mem_new(sizeof *p);
		BUF_AUTO before = {0}, after = {0};
		unsigned stored = 99;
		struct err e;

		teardown(state);
		setup(state);
		cases[i].make(p);
		dump(&before);
		expect_err(adopt_metadata(f.run, &p->in, &stored, &e), &e, cases[i].want, NULL,
			cases[i].what);
		assert_int_equal(stored, 99);
		dump(&after);
		expect_text(buf_cstr(&after), buf_cstr(&before));
		assert_false(fleet_poll(&f, &dev)); /* and devices go on as before */
		*dev.etag = '\0';
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_root_and_what_hangs_from_it_are_taken_once),
		CASE(a_copy_that_lags_behind_changes_nothing),
		CASE(the_directors_root_is_followed_by_devices),
		CASE(what_does_not_hold_is_refused_and_nothing_is_taken),
	};

	return cmocka_run_group_tests_name("adopt", tests, make, unmake);
}
