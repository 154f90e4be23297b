#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/slot/slot.h"
#include "proto/wire/path.h"
#include "tests/lib/parcel.h"
#include "tests/lib/snapshot.h"

static const struct parcel_entry model[] = {
	{'5', "bin", NULL, 0},
	{'0', "bin/serve", "#!/bin/sh\n", 0755},
	{'0', "eng.traineddata", "weights", 0},
	{'0', "empty", "", 0},
	{'2', "default", "eng.traineddata", 0},
	{'2', "bin/up", "../empty", 0},
	PARCEL_END,
};
static const struct parcel_entry config[] = {{'0', "a/b/serve.conf", "psm=7\n", 0}, PARCEL_END};

static const struct sha256 document = {{1, 2, 3}};

struct home {
	char dir[32];
	struct fs fs;
	struct slots *slots;
	const struct slot_driver *d;
	struct release r;
	struct slot_part part;
	struct err e;
};

static int open_home(void **state)
{
	static unsigned n;
	struct home *h = calloc(1, sizeof *h);
	BUF_AUTO ignored = {0};

	snprintf(h->dir, sizeof h->dir, "home%u", n++);
	mkdir(h->dir, 0755);
	assert_int_equal(fs_posix_open(h->dir, &h->fs, &h->e), 0);
	assert_int_equal(slots_open(&h->fs, "dir", &h->slots, &h->e), 0);
	h->d = slots_driver(h->slots);
	strcpy(h->r.id.s, "ocr-1");
	h->r.n_components = 2;
	parcel_make_tar(
		&h->r.components[0], "model", "models/eng", model, COMPRESSION_NONE, &ignored);
	parcel_make_tar(&h->r.components[1], "config", "etc", config, COMPRESSION_NONE, &ignored);
	*state = h;
	return 0;
}

static int close_home(void **state)
{
	struct home *h = *state;

	slots_close(&h->slots);
	fs_posix_close(&h->fs);
	free(h);
	return 0;
}

static int put_entry(struct home *h, const struct parcel_entry *x)
{
	size_t n = x->body ? strlen(x->body) : 0;

	if (x->type == '5')
		return h->d->put_dir(h->slots, x->path, &h->e);
	if (x->type == '2')
		return h->d->put_link(h->slots, x->path, x->body, &h->e);
	TRY(h->d->put_file(h->slots, x->path, (x->mode & 0111) != 0, n, &h->e));
	for (size_t i = 0; i < n; i += 3)
		TRY(h->d->put_data(h->slots, x->body + i, MIN(3, n - i), &h->e));
	return 0;
}

static int put_all(struct home *h, unsigned slot, unsigned component, const struct parcel_entry *v)
{
	TRY(h->d->put_begin(h->slots, slot, &h->r.components[component], false, &h->part, &h->e));
	for (; v->type; v++)
		TRY(put_entry(h, v));
	return h->d->put_end(h->slots, &h->e);
}

static void fill(struct home *h, unsigned slot)
{
	assert_int_equal(h->d->invalidate(h->slots, slot, &h->e), 0);
	assert_int_equal(h->d->begin(h->slots, slot, &h->r, &h->e), 0);
	assert_int_equal(put_all(h, slot, 0, model), 0);
	assert_int_equal(put_all(h, slot, 1, config), 0);
}

static int seal(struct home *h, unsigned slot, struct sha256 *out)
{
	return h->d->seal(h->slots, slot, &h->r, &document, out, &h->e);
}

static void is_marked(struct home *h, unsigned slot, enum slot_mark mark)
{
	struct slot_view v;

	assert_int_equal(h->d->look(h->slots, slot, &v, &h->e), 0);
	assert_int_equal(v.mark, mark);
	assert_true(v.room > 0);
	if (mark == SLOT_INVALID)
		return;
	assert_string_equal(v.release.s, h->r.id.s);
	assert_memory_equal(v.document.b, document.b, sizeof document.b);
}

static bool has(struct home *h, unsigned slot, unsigned component)
{
	bool is;

	assert_int_equal(h->d->has(h->slots, slot, &h->r.components[component], &is, &h->e), 0);
	return is;
}

static const char *in(struct home *h, const char *path)
{
	static char full[256];

	snprintf(full, sizeof full, "%s/%s", h->dir, path);
	return full;
}

static void overwrite(const char *path, const char *text)
{
	chmod(path, 0644);
	FILE *f = fopen(path, "r+");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, 0444);
}

static void new_slots_hold_nothing(void **state)
{
	struct home *h = *state;

	is_marked(h, 0, SLOT_INVALID);
	is_marked(h, 1, SLOT_INVALID);
	assert_string_equal(slot_path(0), "slots/a");
	assert_string_equal(slot_path(1), "slots/b");
	assert_false(has(h, 0, 0));
}

static void a_release_is_laid_down_and_sealed(void **state)
{
	struct home *h = *state;
	struct sha256 content, want;
	struct slot_view v;
	struct stat st;

	fill(h, 1);
	assert_true(has(h, 1, 0));
	is_marked(h, 1, SLOT_INVALID);
	assert_int_equal(seal(h, 1, &content), 0);
	is_marked(h, 1, SLOT_VALID);
	is_marked(h, 0, SLOT_INVALID);
	slot_content(&h->r, &want);
	assert_memory_equal(content.b, want.b, sizeof want.b);
	assert_int_equal(h->d->look(h->slots, 1, &v, &h->e), 0);
	assert_memory_equal(v.content.b, want.b, sizeof want.b);
	assert_int_equal(stat(in(h, "slots/b/models/eng/bin/serve"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(stat(in(h, "slots/b/etc/a/b/serve.conf"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(h->d->invalidate(h->slots, 1, &h->e), 0);
	is_marked(h, 1, SLOT_INVALID);
}

static void a_large_file_keeps_its_length(void **state)
{
	struct home *h = *state;
	static const size_t sizes[] = {65535, 65536, 65537, 1048575, 1048576, 1048577, 3000001};
	static char body[3000001];
	struct sha256 content;
	struct stat st;

	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)(i * 31 + (i >> 12));
	h->r.n_components = 1;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		BUF_AUTO ignored = {0};

		parcel_make_raw(&h->r.components[0], "raw", "x/model.bin",
			(struct str){body, sizes[i]}, COMPRESSION_NONE, &ignored);
		assert_int_equal(h->d->begin(h->slots, 0, &h->r, &h->e), 0);
		assert_int_equal(
			h->d->put_begin(h->slots, 0, h->r.components, false, &h->part, &h->e), 0);
		assert_int_equal(h->d->put_file(h->slots, ".", false, sizes[i], &h->e), 0);
		for (size_t at = 0; at < sizes[i]; at += 70001)
			assert_int_equal(h->d->put_data(h->slots, body + at,
						 MIN((size_t)70001, sizes[i] - at), &h->e),
				0);
		assert_int_equal(h->d->put_end(h->slots, &h->e), 0);
		assert_int_equal(stat(in(h, "slots/a/x/model.bin"), &st), 0);
		assert_int_equal(st.st_size, sizes[i]);
		assert_int_equal(seal(h, 0, &content), 0);
	}
}

/* ---- names ---- */

static const struct {
	const char *why;
	struct parcel_entry v[3];
	enum err_code code;
} refused[] = {
	{"absolute", {{'0', "/etc/passwd", "", 0}}, ERR_DENIED},
	{"up", {{'0', "../x", "", 0}}, ERR_DENIED},
	{"up inside", {{'0', "a/../../x", "", 0}}, ERR_DENIED},
	{"up, a folder", {{'5', "a/..", NULL, 0}}, ERR_DENIED},
	{"up, a link", {{'2', "a/../b", "x", 0}}, ERR_DENIED},
	{"empty", {{'0', "", "", 0}}, ERR_BAD_INPUT},
	{"empty part", {{'0', "a//b", "", 0}}, ERR_BAD_INPUT},
	{"dot", {{'0', "./b", "", 0}}, ERR_BAD_INPUT},
	{"control character", {{'0', "a\nb", "", 0}}, ERR_BAD_INPUT},
	{"file twice", {{'0', "a", "", 0}, {'0', "a", "", 0}}, ERR_BAD_INPUT},
	{"file over a folder", {{'5', "a", NULL, 0}, {'0', "a", "", 0}}, ERR_BAD_INPUT},
	{"folder over a file", {{'0', "a", "", 0}, {'5', "a", NULL, 0}}, ERR_BAD_INPUT},
	{"link twice", {{'2', "a", "x", 0}, {'2', "a", "y", 0}}, ERR_BAD_INPUT},
	{"beneath a file", {{'0', "a", "", 0}, {'0', "a/b", "", 0}}, ERR_BAD_INPUT},
	{"through a link", {{'5', "d", NULL, 0}, {'2', "a", "d", 0}, {'0', "a/b", "", 0}},
		ERR_DENIED},
	{"folder over a link", {{'2', "a", "d", 0}, {'5', "a", NULL, 0}}, ERR_DENIED},
	{"link out", {{'2', "a", "../x", 0}}, ERR_DENIED},
	{"link to the root", {{'2', "a", "/", 0}}, ERR_DENIED},
};

static void names_that_leave_or_collide_are_refused(void **state)
{
	struct home *h = *state;
	BUF_AUTO before = {0};

	fill(h, 0);
	snapshot_take(h->dir, &before);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		BUF_AUTO after = {0};
		int rc = 0;

		assert_int_equal(
			h->d->put_begin(h->slots, 1, &h->r.components[0], false, &h->part, &h->e),
			0);
		for (size_t k = 0; rc == 0 && k < 3 && refused[i].v[k].type; k++)
			rc = put_entry(h, &refused[i].v[k]);
		if (rc != -(int)refused[i].code)
			fail_msg("%s: %d (%s)", refused[i].why, rc, h->e.text);
		h->d->put_abort(h->slots, false);
		assert_int_equal(h->d->begin(h->slots, 1, &h->r, &h->e), 0);
		snapshot_take(h->dir, &after);
		assert_string_equal(buf_cstr(&after), buf_cstr(&before));
	}
}

static const struct {
	const char *path, *target;
	bool ok;
} links[] = {
	{"a", "b", true},
	{"a", "b/c", true},
	{"a", "./b", true},
	{"d/a", "../b", true},
	{"d/e/a", "../../b", true},
	{"d/a", ".././b", true},
	{"d/a", "..", true},
	{"a", "..", false},
	{"d/a", "../..", false},
	{"d/a", "../../x", false},
	{"d/a", "b/../../x", false},
	{"d/a", "b/../x", false}, /* stays inside only if b is no link */
	{"a", "/abs", false},
	{"a", "", false},
};

static void links_stay_inside(void **state)
{
	struct home *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		assert_int_equal(path_link_check(links[i].path, links[i].target, &h->e),
			links[i].ok ? 0 : -ERR_DENIED);
}

static void bytes_beyond_the_size_are_refused(void **state)
{
	struct home *h = *state;

	assert_int_equal(
		h->d->put_begin(h->slots, 1, &h->r.components[0], false, &h->part, &h->e), 0);
	assert_int_equal(h->d->put_file(h->slots, "a", false, 3, &h->e), 0);
	assert_int_equal(h->d->put_data(h->slots, "abcd", 4, &h->e), -ERR_ALTERED);
	h->d->put_abort(h->slots, false);
	assert_int_equal(
		h->d->put_begin(h->slots, 1, &h->r.components[0], false, &h->part, &h->e), 0);
	assert_int_equal(h->d->put_file(h->slots, "a", false, 3, &h->e), 0);
	assert_int_equal(h->d->put_data(h->slots, "ab", 2, &h->e), 0);
	assert_int_equal(h->d->put_end(h->slots, &h->e), -ERR_ALTERED);
	h->d->put_abort(h->slots, false);
	h->d->put_abort(h->slots, false);
}

static void another_tree_is_refused(void **state)
{
	struct home *h = *state;
	struct sha256 content;

	assert_int_equal(h->d->begin(h->slots, 1, &h->r, &h->e), 0);
	assert_int_equal(put_all(h, 1, 0, config), -ERR_ALTERED);
	h->d->put_abort(h->slots, false);
	assert_false(has(h, 1, 0));
	assert_int_equal(seal(h, 1, &content), -ERR_ALTERED);
	is_marked(h, 1, SLOT_INVALID);
}

/* ---- reading back ---- */

static void flip(struct home *h)
{
	overwrite(in(h, "slots/b/models/eng/eng.traineddata"), "W");
}

static void shorten(struct home *h)
{
	assert_int_equal(truncate(in(h, "slots/b/models/eng/eng.traineddata"), 3), 0);
}

static void delete (struct home *h)
{
	assert_int_equal(unlink(in(h, "slots/b/models/eng/empty")), 0);
}

static void add_inside(struct home *h)
{
	assert_int_equal(mkdir(in(h, "slots/b/models/eng/bin/__cache__"), 0755), 0);
}

static void add_outside(struct home *h)
{
	assert_int_equal(symlink("x", in(h, "slots/b/models/stray")), 0);
}

static void make_executable(struct home *h)
{
	assert_int_equal(chmod(in(h, "slots/b/models/eng/eng.traineddata"), 0555), 0);
}

static void bend_link(struct home *h)
{
	assert_int_equal(unlink(in(h, "slots/b/models/eng/default")), 0);
	assert_int_equal(symlink("empty", in(h, "slots/b/models/eng/default")), 0);
}

static void replace_by_link(struct home *h)
{
	assert_int_equal(unlink(in(h, "slots/b/models/eng/eng.traineddata")), 0);
	assert_int_equal(symlink("bin/serve", in(h, "slots/b/models/eng/eng.traineddata")), 0);
}

static void damage_listing(struct home *h)
{
	overwrite(in(h, "slots/b.model.tree"), "l");
}

static void lose_listing(struct home *h)
{
	assert_int_equal(unlink(in(h, "slots/b.model.tree")), 0);
}

static void (*const damages[])(struct home *) = {flip, shorten, delete, add_inside, add_outside,
	make_executable, bend_link, replace_by_link, damage_listing, lose_listing};

static void seal_finds_every_damage(void **state)
{
	struct home *h = *state;
	struct sha256 content;

	for (unsigned threads = 1; threads <= 3; threads += 2) {
		slots_set_threads(h->slots, threads);
		for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
			fill(h, 1);
			damages[i](h);
			if (seal(h, 1, &content) != -ERR_ALTERED)
				fail_msg("damage %zu was not found: %s", i, h->e.text);
			is_marked(h, 1, SLOT_INVALID);
		}
	}
}

static void begin_keeps_what_is_whole(void **state)
{
	struct home *h = *state;
	struct sha256 content;

	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		fill(h, 1);
		damages[i](h);
		assert_int_equal(h->d->begin(h->slots, 1, &h->r, &h->e), 0);
		assert_true(has(h, 1, 1));
		if (damages[i] != add_outside) {
			assert_false(has(h, 1, 0));
			assert_int_equal(put_all(h, 1, 0, model), 0);
		}
		assert_int_equal(seal(h, 1, &content), 0);
	}
}

static void begin_removes_what_is_no_part_of_the_release(void **state)
{
	struct home *h = *state;
	struct stat st;

	fill(h, 1);
	h->r.n_components = 1;
	assert_int_equal(h->d->begin(h->slots, 1, &h->r, &h->e), 0);
	assert_int_equal(stat(in(h, "slots/b/etc"), &st), -1);
	assert_int_equal(stat(in(h, "slots/b.config.tree"), &st), -1);
	assert_int_equal(stat(in(h, "slots/b/models/eng/empty"), &st), 0);
}

static void a_damaged_status_is_no_status(void **state)
{
	struct home *h = *state;
	struct sha256 content;
	static const long at[] = {0, 66, 100, 200};

	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		fill(h, 1);
		assert_int_equal(seal(h, 1, &content), 0);
		is_marked(h, 1, SLOT_VALID);
		FILE *f = fopen(in(h, "slots/b.status"), "r+");
		assert_int_equal(fseek(f, at[i], SEEK_SET), 0);
		fputc('~', f);
		fclose(f);
		is_marked(h, 1, SLOT_INVALID);
	}
}

/* ---- taking over ---- */

static bool take(struct home *h, unsigned component)
{
	bool taken = false;

	assert_int_equal(
		h->d->take_over(h->slots, 0, 1, &h->r.components[component], &taken, &h->e), 0);
	return taken;
}

static void unchanged_components_are_shared(void **state)
{
	struct home *h = *state;
	struct sha256 content;
	BUF_AUTO before = {0};
	BUF_AUTO after = {0};
	struct stat a, b;

	fill(h, 1);
	assert_false(take(h, 0)); /* not VALID yet */
	assert_int_equal(seal(h, 1, &content), 0);
	snapshot_take(in(h, "slots/b"), &before);
	assert_int_equal(h->d->begin(h->slots, 0, &h->r, &h->e), 0);
	assert_true(take(h, 0));
	assert_true(take(h, 1));
	assert_int_equal(seal(h, 0, &content), 0);
	snapshot_take(in(h, "slots/b"), &after);
	assert_string_equal(buf_cstr(&after), buf_cstr(&before));
	assert_int_equal(stat(in(h, "slots/a/models/eng/bin/serve"), &a), 0);
	assert_int_equal(stat(in(h, "slots/b/models/eng/bin/serve"), &b), 0);
	assert_true(a.st_ino == b.st_ino || a.st_nlink == 1); /* hard link, or reflink */
	is_marked(h, 1, SLOT_VALID);
}

/* The way back survives everything that happens to the copy. */
static void emptying_one_slot_leaves_the_other(void **state)
{
	struct home *h = *state;
	struct sha256 content;

	unchanged_components_are_shared(state);
	h->r.n_components = 1;
	assert_int_equal(h->d->invalidate(h->slots, 0, &h->e), 0);
	assert_int_equal(h->d->begin(h->slots, 0, &h->r, &h->e), 0);
	assert_int_equal(put_all(h, 0, 0, model), 0);
	h->r.n_components = 2;
	assert_int_equal(seal(h, 1, &content), 0);
}

static void what_is_damaged_is_not_taken(void **state)
{
	struct home *h = *state;
	struct sha256 content;
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		if (damages[i] == add_outside)
			continue;
		fill(h, 1);
		assert_int_equal(seal(h, 1, &content), 0);
		damages[i](h);
		assert_int_equal(h->d->begin(h->slots, 0, &h->r, &h->e), 0);
		if (take(h, 0))
			fail_msg("damage %zu was taken over", i);
		assert_int_equal(stat(in(h, "slots/a/models"), &st), -1);
		assert_true(take(h, 1));
	}
}

static int no_clone(struct fs *fs, const char *from, const char *to, struct err *e)
{
	(void)fs;
	(void)from;
	return err_set(e, ERR_NOT_FOUND, "%s: cannot share", to);
}

static void what_cannot_be_shared_is_copied(void **state)
{
	struct home *h = *state;
	struct fs_ops ops = *h->fs.ops;
	const struct fs_ops *old = h->fs.ops;
	struct sha256 content;
	struct stat st;

	fill(h, 1);
	assert_int_equal(seal(h, 1, &content), 0);
	ops.clone = no_clone;
	h->fs.ops = &ops;
	assert_true(take(h, 0));
	assert_true(take(h, 1));
	assert_int_equal(seal(h, 0, &content), 0);
	assert_int_equal(stat(in(h, "slots/a/models/eng/bin/serve"), &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mode & 07777, 0555);
	h->fs.ops = old;
}

static void cost_counts_what_is_missing(void **state)
{
	struct home *h = *state;
	uint64_t all, some, none, room, room_full;
	struct sha256 content;

	assert_int_equal(h->d->cost(h->slots, 0, SLOT_NONE, &h->r, &all, &room, &h->e), 0);
	assert_true(all >= release_content_bytes(&h->r));
	fill(h, 1);
	assert_int_equal(seal(h, 1, &content), 0);
	assert_int_equal(h->d->cost(h->slots, 0, 1, &h->r, &none, &room, &h->e), 0);
	assert_int_equal(none, 0);
	assert_int_equal(put_all(h, 0, 0, model), 0);
	assert_int_equal(h->d->cost(h->slots, 0, SLOT_NONE, &h->r, &some, &room, &h->e), 0);
	assert_true(some > 0 && some < all);
	overwrite(in(h, "slots/a.model.tree"), "?");
	assert_int_equal(truncate(in(h, "slots/a/models/eng/eng.traineddata"), 1 << 20), 0);
	assert_int_equal(h->d->cost(h->slots, 0, SLOT_NONE, &h->r, &some, &room_full, &h->e), 0);
	assert_int_equal(some, all);
	assert_true(room_full >= 1 << 20);
}

static void the_null_driver_checks_the_same(void **state)
{
	struct home *h = *state;
	struct sha256 content, want;
	struct stat st;
	bool taken;

	slots_close(&h->slots);
	assert_int_equal(slots_open(&h->fs, "null", &h->slots, &h->e), 0);
	h->d = slots_driver(h->slots);
	fill(h, 0);
	assert_int_equal(seal(h, 0, &content), 0);
	slot_content(&h->r, &want);
	assert_memory_equal(content.b, want.b, sizeof want.b);
	is_marked(h, 0, SLOT_VALID);
	assert_int_equal(stat(in(h, "slots/a/etc"), &st), -1);
	assert_int_equal(h->d->begin(h->slots, 1, &h->r, &h->e), 0);
	assert_int_equal(put_all(h, 1, 0, config), -ERR_ALTERED);
	h->d->put_abort(h->slots, false);
	assert_int_equal(seal(h, 1, &content), -ERR_ALTERED);
	assert_int_equal(h->d->take_over(h->slots, 1, 0, &h->r.components[0], &taken, &h->e), 0);
	assert_true(taken);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		int rc = 0;

		assert_int_equal(
			h->d->put_begin(h->slots, 1, &h->r.components[0], false, &h->part, &h->e),
			0);
		for (size_t k = 0; rc == 0 && k < 3 && refused[i].v[k].type; k++)
			rc = put_entry(h, &refused[i].v[k]);
		assert_int_equal(rc, -(int)refused[i].code);
		h->d->put_abort(h->slots, false);
	}
}

static void an_unknown_kind_is_a_matter_of_configuration(void **state)
{
	struct home *h = *state;
	struct slots *s = NULL;

	assert_int_equal(slots_open(&h->fs, "tape", &s, &h->e), -ERR_CONFIG);
	assert_null(s);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_home, close_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(new_slots_hold_nothing),
		CASE(a_release_is_laid_down_and_sealed),
		CASE(a_large_file_keeps_its_length),
		CASE(names_that_leave_or_collide_are_refused),
		CASE(links_stay_inside),
		CASE(bytes_beyond_the_size_are_refused),
		CASE(another_tree_is_refused),
		CASE(seal_finds_every_damage),
		CASE(begin_keeps_what_is_whole),
		CASE(begin_removes_what_is_no_part_of_the_release),
		CASE(a_damaged_status_is_no_status),
		CASE(unchanged_components_are_shared),
		CASE(emptying_one_slot_leaves_the_other),
		CASE(what_is_damaged_is_not_taken),
		CASE(what_cannot_be_shared_is_copied),
		CASE(cost_counts_what_is_missing),
		CASE(the_null_driver_checks_the_same),
		CASE(an_unknown_kind_is_a_matter_of_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
