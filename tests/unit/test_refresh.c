#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "proto/trust/refresh.h"
#include "proto/wire/path.h"
#include "tests/lib/expect.h"
#include "tests/lib/tgraph.h"

struct file {
	char name[REFRESH_NAME];
	struct buf bytes;
};

#define FILES 300

/* A server and a store in memory, and what was asked of the server. */
struct world {
	struct tgraph g;
	struct refresh r;
	unsigned n_served, n_stored;
	struct file served[FILES], stored[16];
	struct buf asked; /* "2.root.json timestamp.json " */
	struct err e;
};

static struct buf *file_at(struct file *files, unsigned *n, const char *name)
{
	for (unsigned i = 0; i < *n; i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i].bytes;
	snprintf(files[*n].name, sizeof files[*n].name, "%s", name);
	return &files[(*n)++].bytes;
}

static const struct buf *find(const struct file *files, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(files[i].name, name) == 0 && files[i].bytes.n)
			return &files[i].bytes;
	return NULL;
}

static void put(struct buf *to, struct str bytes)
{
	buf_clear(to);
	buf_add(to, bytes.p, bytes.n);
}

static void serve_as(struct world *w, uint64_t version, const char *role, struct str bytes)
{
	char name[REFRESH_NAME];

	snprintf(name, sizeof name, "%llu.%s.json", (unsigned long long)version, role);
	assert_true(w->n_served < FILES);
	put(file_at(w->served, &w->n_served, name), bytes);
	snprintf(name, sizeof name, "%s.json", role);
	put(file_at(w->served, &w->n_served, name), bytes);
}

static void serve(struct world *w)
{
	tgraph_publish(&w->g);
	for (enum trepo_file f = TREPO_ROOT; f <= TREPO_TARGETS; f++)
		serve_as(
			w, trepo_version(&w->g.r, f), w->g.r.role[f].name, trepo_bytes(&w->g.r, f));
	for (unsigned i = 0; i < w->g.n; i++) {
		BUF_AUTO quoted = {0};

		path_quote(str_of(w->g.role[i].name), false, &quoted);
		serve_as(w, 1, buf_cstr(&quoted), buf_str(&w->g.role[i].file));
	}
}

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	memset(w, 0, sizeof *w);
	tgraph_init(&w->g);
	serve(w);
	put(file_at(w->stored, &w->n_stored, "root.json"), trepo_bytes(&w->g.r, TREPO_ROOT));
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	refresh_fini(&w->r);
	for (unsigned i = 0; i < w->n_served; i++)
		buf_fini(&w->served[i].bytes);
	for (unsigned i = 0; i < w->n_stored; i++)
		buf_fini(&w->stored[i].bytes);
	buf_fini(&w->asked);
	tgraph_fini(&w->g);
	mem_free(&w);
	return 0;
}

/* ---- one who drives it, as its header says ---- */

static int bring(struct world *w, const struct refresh_want *want)
{
	const struct buf *kept = find(w->stored, w->n_stored, want->store), *sent;
	bool keep = false;

	if (want->may_offer && kept && refresh_offer(&w->r, buf_str(kept)))
		return 0;
	buf_addf(&w->asked, "%s ", want->remote);
	sent = find(w->served, w->n_served, want->remote);
	if (!sent)
		return refresh_miss(&w->r, &w->e);
	if (sent->n > want->max)
		return err_set(&w->e, ERR_TOO_LARGE, "%s", want->remote);
	TRY(refresh_accept(&w->r, buf_str(sent), &keep, &w->e));
	if (keep)
		put(file_at(w->stored, &w->n_stored, want->store), buf_str(sent));
	return 0;
}

static int drive(struct world *w)
{
	struct refresh_want want;
	bool done;

	for (;;) {
		TRY(refresh_plan(&w->r, &want, &done, &w->e));
		if (done)
			return 0;
		TRY(bring(w, &want));
	}
}

static int refresh_at(struct world *w, int64_t now_s)
{
	refresh_fini(&w->r);
	refresh_init(&w->r, now_s);
	buf_clear(&w->asked);
	TRY(refresh_begin(&w->r, buf_str(find(w->stored, w->n_stored, "root.json")), &w->e));
	return drive(w);
}

static void refresh_is(struct world *w, enum err_code want, const char *asked)
{
	int rc = refresh_at(w, TREPO_NOW);

	if (rc != -(int)want)
		fail_msg("got %s, wanted %s: %s", err_name((enum err_code) - rc), err_name(want),
			rc < 0 ? w->e.text : "");
	expect_text(buf_cstr(&w->asked), asked);
}

static uint64_t stored_version(struct world *w, const char *name)
{
	const struct buf *kept = find(w->stored, w->n_stored, name);
	JSON_AUTO *doc = NULL;
	struct err e;

	if (!kept)
		return 0;
	expect_ok(json_read(buf_str(kept), LIMIT_TARGETS_BYTES, &doc, &e), &e);
	return (uint64_t)json_integer_value(
		json_object_get(json_object_get(doc, "signed"), "version"));
}

/* ---- refresh ---- */

#define ALL "2.root.json timestamp.json 1.snapshot.json 1.targets.json "

/* One role's next version, and nobody else's. */
static void again(struct world *w, enum trepo_file f, uint64_t version)
{
	trepo_set_version(&w->g.r, f, version);
	trepo_sign(&w->g.r, f);
	serve_as(w, version, w->g.r.role[f].name, trepo_bytes(&w->g.r, f));
}

static void only_what_is_new_is_asked_for(void **state)
{
	struct world *w = *state;

	refresh_is(w, ERR_OK, ALL);
	assert_int_equal(w->n_stored, 4);
	refresh_is(w, ERR_OK, "2.root.json timestamp.json ");
	again(w, TREPO_TIMESTAMP, 2);
	refresh_is(w, ERR_OK, "2.root.json timestamp.json ");
	assert_int_equal(stored_version(w, "timestamp.json"), 2);
	again(w, TREPO_SNAPSHOT, 2);
	trepo_pin(&w->g.r, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
	again(w, TREPO_TIMESTAMP, 3);
	refresh_is(w, ERR_OK, "2.root.json timestamp.json 2.snapshot.json ");
}

static void files_have_no_version_where_snapshots_are_not_consistent(void **state)
{
	struct world *w = *state;

	json_object_set_new(w->g.r.role[TREPO_ROOT].part, "consistent_snapshot", json_false());
	tgraph_list(&w->g, "targets", "a/b", STR("1"));
	serve(w);
	put(file_at(w->stored, &w->n_stored, "root.json"), trepo_bytes(&w->g.r, TREPO_ROOT));
	refresh_is(w, ERR_OK, "2.root.json timestamp.json snapshot.json targets.json ");
	BUF_AUTO name = {0};
	assert_int_equal(refresh_seek(&w->r, "a/b", &w->e), 0);
	assert_int_equal(drive(w), 0);
	assert_int_equal(refresh_target(&w->r, &name, &w->e), 0);
	expect_text(buf_cstr(&name), "a/b");
}

static void another_timestamp_of_the_same_version_is_not_kept(void **state)
{
	struct world *w = *state;
	BUF_AUTO before = {0};

	refresh_is(w, ERR_OK, ALL);
	put(&before, buf_str(find(w->stored, w->n_stored, "timestamp.json")));
	json_object_set_new(w->g.r.role[TREPO_TIMESTAMP].part, "x-note", json_true());
	serve(w);
	refresh_is(w, ERR_OK, "2.root.json timestamp.json ");
	assert_true(
		str_eq(buf_str(&before), buf_str(find(w->stored, w->n_stored, "timestamp.json"))));
}

/* What was accepted before a refusal is kept: it is good. */
static void a_refused_file_ends_it_where_it_stands(void **state)
{
	static const struct {
		enum trepo_file f;
		const char *asked;
		unsigned kept;
	} rows[] = {
		{TREPO_TIMESTAMP, "2.root.json timestamp.json ", 1},
		{TREPO_SNAPSHOT, "2.root.json timestamp.json 1.snapshot.json ", 2},
		{TREPO_TARGETS, ALL, 3},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		trepo_set_expiry(&w->g.r, rows[i].f, TREPO_NOW);
		serve(w);
		trepo_set_expiry(&w->g.r, rows[i].f, TREPO_NOW + 30 * TREPO_DAY);
		w->n_stored = 1;
		refresh_is(w, ERR_EXPIRED, rows[i].asked);
		assert_int_equal(w->n_stored, rows[i].kept);
	}
}

static void a_missing_file_ends_it(void **state)
{
	struct world *w = *state;

	buf_clear(file_at(w->served, &w->n_served, "1.snapshot.json"));
	refresh_is(w, ERR_NOT_FOUND, "2.root.json timestamp.json 1.snapshot.json ");
	buf_clear(file_at(w->served, &w->n_served, "timestamp.json"));
	refresh_is(w, ERR_NOT_FOUND, "2.root.json timestamp.json ");
}

/* ---- roots ---- */

static void next_root(struct world *w)
{
	trepo_set_version(&w->g.r, TREPO_ROOT, trepo_version(&w->g.r, TREPO_ROOT) + 1);
	trepo_sign(&w->g.r, TREPO_ROOT);
	serve_as(w, trepo_version(&w->g.r, TREPO_ROOT), "root", trepo_bytes(&w->g.r, TREPO_ROOT));
}

static void every_root_is_walked(void **state)
{
	struct world *w = *state;

	next_root(w);
	next_root(w);
	refresh_is(w, ERR_OK,
		"2.root.json 3.root.json 4.root.json timestamp.json 1.snapshot.json 1.targets.json ");
	assert_int_equal(stored_version(w, "root.json"), 3);
}

/* Between two that are good, one may have expired; the last may not, but it is kept. */
static void only_the_last_root_must_be_valid(void **state)
{
	struct world *w = *state;

	trepo_set_expiry(&w->g.r, TREPO_ROOT, TREPO_NOW - 1);
	next_root(w);
	refresh_is(w, ERR_EXPIRED, "2.root.json 3.root.json ");
	assert_int_equal(stored_version(w, "root.json"), 2);
	trepo_set_expiry(&w->g.r, TREPO_ROOT, TREPO_NOW + 1);
	next_root(w);
	refresh_is(w, ERR_OK,
		"3.root.json 4.root.json timestamp.json 1.snapshot.json 1.targets.json ");
}

static void roots_without_end_are_left_for_the_next_time(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < LIMIT_ROOT_ROTATIONS + 1; i++)
		next_root(w);
	assert_int_equal(refresh_at(w, TREPO_NOW), -ERR_TOO_LARGE);
	assert_int_equal(stored_version(w, "root.json"), LIMIT_ROOT_ROTATIONS + 1);
	assert_int_equal(w->n_stored, 1);
	assert_int_equal(refresh_at(w, TREPO_NOW), 0);
	assert_int_equal(stored_version(w, "root.json"), LIMIT_ROOT_ROTATIONS + 2);
}

/* Whoever had the keys of timestamp and snapshot pushed the versions as far as they go. New keys,
 * and they count from 1 again. */
static void new_keys_recover_from_fast_forward(void **state)
{
	struct world *w = *state;
	const uint64_t far = (1ULL << 53) - 1;

	trepo_set_version(&w->g.r, TREPO_TIMESTAMP, far);
	trepo_set_version(&w->g.r, TREPO_SNAPSHOT, far);
	trepo_set_version(&w->g.r, TREPO_TARGETS, far);
	serve(w);
	assert_int_equal(refresh_at(w, TREPO_NOW), 0);
	for (enum trepo_file f = TREPO_TIMESTAMP; f <= TREPO_TARGETS; f++)
		trepo_set_version(&w->g.r, f, 1);
	serve(w);
	refresh_is(w, ERR_ROLLED_BACK, "2.root.json timestamp.json ");
	trepo_new_keys(&w->g.r, TREPO_TIMESTAMP, 1);
	trepo_rebuild_root(&w->g.r);
	next_root(w);
	serve(w);
	refresh_is(w, ERR_ROLLED_BACK,
		"2.root.json 3.root.json timestamp.json 1.snapshot.json "); /* targets in it */
	trepo_new_keys(&w->g.r, TREPO_SNAPSHOT, 1);
	trepo_rebuild_root(&w->g.r);
	trepo_set_version(&w->g.r, TREPO_TIMESTAMP, 2);
	next_root(w);
	serve(w);
	refresh_is(w, ERR_OK,
		"3.root.json 4.root.json timestamp.json 1.snapshot.json 1.targets.json ");
	assert_int_equal(stored_version(w, "snapshot.json"), 1);
}

/* ---- targets ---- */

static int seek(struct world *w, const char *path)
{
	TRY(refresh_seek(&w->r, path, &w->e));
	return drive(w);
}

static void roles_are_brought_as_they_are_needed(void **state)
{
	struct world *w = *state;
	struct meta_pin file;

	tgraph_delegate(&w->g, "targets", "?", "[\"*\"]", false);
	tgraph_delegate(&w->g, "targets", "../x", "[\"*\"]", false);
	tgraph_delegate(&w->g, "../x", "/y#", "[\"*\"]", false);
	tgraph_list(&w->g, "/y#", "it", STR("12345"));
	serve(w);
	assert_int_equal(refresh_at(w, TREPO_NOW), 0);
	buf_clear(&w->asked);
	assert_int_equal(seek(w, "it"), 0);
	expect_text(buf_cstr(&w->asked), "1.%3F.json 1...%2Fx.json 1.%2Fy%23.json ");
	assert_int_equal(refresh_found(&w->r, &file, &w->e), 0);
	assert_int_equal(file.length, 5);
	assert_non_null(find(w->stored, w->n_stored, "%2Fy%23.json"));
	assert_int_equal(seek(w, "nothing"), 0);
	assert_int_equal(refresh_found(&w->r, &file, &w->e), -ERR_NOT_FOUND);
	assert_int_equal(refresh_at(w, TREPO_NOW), 0); /* and again, from the store */
	assert_int_equal(seek(w, "it"), 0);
	expect_text(buf_cstr(&w->asked), "2.root.json timestamp.json ");
}

static void a_role_that_is_not_listed_is_not_asked_for(void **state)
{
	struct world *w = *state;

	tgraph_delegate(&w->g, "targets", "a", "[\"*\"]", false)->unlisted = true;
	serve(w);
	refresh_is(w, ERR_OK, ALL);
	buf_clear(&w->asked);
	assert_int_equal(seek(w, "it"), -ERR_MIXED);
	expect_text(buf_cstr(&w->asked), "");
}

static const struct {
	const char *path, *address; /* with H for the hash; NULL: refused */
} addresses[] = {
	{"a", "H.a"},
	{"a/b/c.txt", "a/b/H.c.txt"},
	{"a b/c?#%", "a%20b/H.c%3F%23%25"},
	{".hidden", "H..hidden"},
	{"\xc3\xa4/\xc3\xb6", "%C3%A4/H.%C3%B6"},
	{"../a", NULL},
	{"a/../../b", NULL},
	{"/a", NULL},
	{"a//b", NULL},
	{"a/", NULL},
	{"a\\b", NULL},
	{"a\nb", NULL},
	{".", NULL},
};

static void targets_have_their_hash_in_the_address(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		tgraph_list(&w->g, "targets", addresses[i].path, STR("abc"));
	serve(w);
	refresh_is(w, ERR_OK, ALL);
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		BUF_AUTO got = {0}, want = {0};
		int rc;

		assert_int_equal(seek(w, addresses[i].path), 0);
		rc = refresh_target(&w->r, &got, &w->e);
		if (!addresses[i].address) {
			expect_err(rc, &w->e, ERR_BAD_INPUT, "name", addresses[i].path);
			continue;
		}
		expect_ok(rc, &w->e);
		for (const char *p = addresses[i].address; *p; p++)
			if (*p == 'H')
				buf_add_str(&want, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9"
						   "cb410ff61f20015ad");
			else
				buf_add_char(&want, *p);
		expect_text(buf_cstr(&got), buf_cstr(&want));
	}
}

static void nothing_is_taken_that_was_not_asked_for(void **state)
{
	struct world *w = *state;
	struct str root = trepo_bytes(&w->g.r, TREPO_ROOT);
	struct meta_pin file;
	bool keep;

	refresh_is(w, ERR_OK, ALL);
	assert_int_equal(refresh_accept(&w->r, root, &keep, &w->e), -ERR_BUG);
	assert_false(refresh_offer(&w->r, root));
	assert_int_equal(refresh_miss(&w->r, &w->e), -ERR_NOT_FOUND);
	assert_int_equal(refresh_found(&w->r, &file, &w->e), -ERR_NOT_FOUND);
	refresh_fini(&w->r);
	refresh_init(&w->r, TREPO_NOW);
	assert_int_equal(refresh_seek(&w->r, "a", &w->e), -ERR_BUG);
	assert_int_equal(refresh_begin(&w->r, STR("{}"), &w->e), -ERR_BAD_INPUT);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(only_what_is_new_is_asked_for),
		CASE(files_have_no_version_where_snapshots_are_not_consistent),
		CASE(another_timestamp_of_the_same_version_is_not_kept),
		CASE(a_refused_file_ends_it_where_it_stands),
		CASE(a_missing_file_ends_it),
		CASE(every_root_is_walked),
		CASE(only_the_last_root_must_be_valid),
		CASE(roots_without_end_are_left_for_the_next_time),
		CASE(new_keys_recover_from_fast_forward),
		CASE(roles_are_brought_as_they_are_needed),
		CASE(a_role_that_is_not_listed_is_not_asked_for),
		CASE(targets_have_their_hash_in_the_address),
		CASE(nothing_is_taken_that_was_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
