#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/slot/slot_priv.h"
#include "lib/sys/entropy.h"
#include "proto/wire/path.h"

void ledger_init(struct ledger *l)
{
	*l = (struct ledger){0};
	tree_init(&l->tree);
	/* Names come from the network: nobody shall know beforehand which of them collide. */
	entropy_fill(&l->seed, sizeof l->seed);
}

void ledger_fini(struct ledger *l)
{
	tree_fini(&l->tree);
	digest_fini(&l->digest, NULL);
	free(l->set);
	*l = (struct ledger){0};
}

/* ---- the set of names ---- */

static size_t hash(const struct ledger *l, const char *path)
{
	uint64_t h = 0xcbf29ce484222325ULL ^ l->seed;

	for (const char *p = path; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3ULL;
	return (size_t)(h ^ (h >> 29));
}

/* Where `path` stands in the set, or the empty place where it would stand. */
static size_t slot_of(const struct ledger *l, const char *path)
{
	size_t at = hash(l, path) & (l->set_cap - 1);

	while (l->set[at] && strcmp(l->tree.v[l->set[at] - 1].path, path) != 0)
		at = (at + 1) & (l->set_cap - 1);
	return at;
}

static void set_grow(struct ledger *l)
{
	l->set_cap = l->set_cap ? l->set_cap * 2 : 64;
	free(l->set);
	l->set = mem_new(l->set_cap * sizeof *l->set);
	memset(l->set, 0, l->set_cap * sizeof *l->set);
	for (size_t i = 0; i < l->tree.n; i++)
		l->set[slot_of(l, l->tree.v[i].path)] = (uint32_t)(i + 1);
}

static const struct tree_entry *find(const struct ledger *l, const char *path)
{
	uint32_t i = l->set_cap ? l->set[slot_of(l, path)] : 0;

	return i ? &l->tree.v[i - 1] : NULL;
}

static int add(struct ledger *l, const struct tree_entry *entry, struct err *e)
{
	TRY(tree_add(&l->tree, entry, e));
	if (l->tree.n * 2 > l->set_cap)
		set_grow(l);
	else
		l->set[slot_of(l, entry->path)] = (uint32_t)l->tree.n;
	return 0;
}

/* ---- names ---- */

static int check_name(const char *path, struct err *e)
{
	struct str rest = str_of(path), part;
	char shown[160];

	str_printable(rest, shown, sizeof shown);
	if (path[0] == '/')
		return err_set(e, ERR_DENIED, "%s is an absolute name", shown);
	while (str_split(&rest, '/', &part))
		if (str_is(part, ".."))
			return err_set(e, ERR_DENIED, "%s leaves its place", shown);
	if (path_check(str_of(path), LIMIT_TAR_NAME, e) < 0)
		return err_wrap(e, "%s", shown);
	return 0;
}

static int check_free(const struct ledger *l, const char *path, struct err *e)
{
	char shown[160];

	if (!find(l, path))
		return 0;
	return err_set(e, ERR_BAD_INPUT, "%s stands twice",
		str_printable(str_of(path), shown, sizeof shown));
}

/* One folder, unless it is there. A link to a folder is no folder: what is written beneath it would
 * land somewhere else than its name says. */
static int want_dir(struct ledger *l, char *path, struct err *e)
{
	const struct tree_entry *there = find(l, path);
	char shown[160];

	if (!there)
		return add(l, &(struct tree_entry){.kind = TREE_DIR, .path = path}, e);
	if (there->kind == TREE_DIR)
		return 0;
	str_printable(str_of(path), shown, sizeof shown);
	if (there->kind == TREE_LINK)
		return err_set(e, ERR_DENIED, "%s is a link, not a folder", shown);
	return err_set(e, ERR_BAD_INPUT, "%s is a file, not a folder", shown);
}

static int want_parents(struct ledger *l, const char *path, struct err *e)
{
	char above[LIMIT_TAR_NAME + 1];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		memcpy(above, path, (size_t)(s - path));
		above[s - path] = '\0';
		TRY(want_dir(l, above, e));
	}
	return 0;
}

/* ---- entries ---- */

int ledger_dir(struct ledger *l, const char *path, struct err *e)
{
	char own[LIMIT_TAR_NAME + 1];

	TRY(check_name(path, e));
	TRY(want_parents(l, path, e));
	memcpy(own, path, strlen(path) + 1);
	return want_dir(l, own, e);
}

int ledger_link(struct ledger *l, const char *path, const char *target, struct err *e)
{
	struct tree_entry entry = {
		.kind = TREE_LINK, .path = (char *)path, .target = (char *)target};

	TRY(check_name(path, e));
	TRY(path_link_check(path, target, e));
	TRY(want_parents(l, path, e));
	TRY(check_free(l, path, e));
	return add(l, &entry, e);
}

static void file_done(struct ledger *l)
{
	digest_fini(&l->digest, &l->tree.v[l->file].digest);
	l->in_file = false;
}

int ledger_file(struct ledger *l, const char *path, bool executable, uint64_t size, struct err *e)
{
	struct tree_entry entry = {
		.kind = TREE_FILE, .executable = executable, .size = size, .path = (char *)path};

	assert(!l->in_file);
	if (strcmp(path, ".") != 0) {
		TRY(check_name(path, e));
		TRY(want_parents(l, path, e));
	}
	TRY(check_free(l, path, e));
	TRY(add(l, &entry, e));
	l->file = l->tree.n - 1;
	l->left = size;
	l->in_file = true;
	digest_init(&l->digest);
	if (size == 0)
		file_done(l);
	return 0;
}

int ledger_data(struct ledger *l, const void *p, size_t n, struct err *e)
{
	if (!l->in_file || n > l->left)
		return err_set(e, ERR_ALTERED, "more bytes than the file's size");
	digest_add(&l->digest, p, n);
	l->left -= n;
	if (l->left == 0)
		file_done(l);
	return 0;
}

int ledger_again(struct ledger *l, struct str line, struct err *e)
{
	struct tree one CLEANUP(tree_fini) = {0};

	TRY(tree_decode_line(line, &one, e));
	if (strcmp(one.v[0].path, ".") != 0)
		TRY(check_name(one.v[0].path, e));
	if (find(l, one.v[0].path)) {
		struct tree_entry *last = &l->tree.v[l->tree.n - 1];

		if (strcmp(last->path, one.v[0].path) != 0 || one.v[0].kind != TREE_FILE)
			return err_set(e, ERR_BAD_INPUT, "an entry stands twice");
		last->size = one.v[0].size;
		last->digest = one.v[0].digest;
		return 0;
	}
	return add(l, &one.v[0], e);
}

void ledger_reopen(struct ledger *l, uint64_t size)
{
	l->file = l->tree.n - 1;
	l->left = size - l->tree.v[l->file].size;
	l->tree.v[l->file].size = size;
	l->in_file = true;
	digest_init(&l->digest);
}

void ledger_prefix(struct ledger *l, const void *p, size_t n)
{
	digest_add(&l->digest, p, n);
}

bool ledger_has(const struct ledger *l, const char *path)
{
	return find(l, path) != NULL;
}

void ledger_lines(const struct ledger *l, size_t from, struct buf *out)
{
	size_t whole = l->tree.n - l->in_file;
	struct tree done = {.v = l->tree.v + from, .n = whole - MIN(from, whole)};

	tree_encode(&done, out);
	if (!l->in_file)
		return;
	struct tree_entry open = l->tree.v[l->file];

	open.size -= l->left;
	digest_look(&l->digest, &open.digest);
	tree_encode(&(struct tree){.v = &open, .n = 1}, out);
}

int ledger_end(struct ledger *l, const struct sha256 *want, struct buf *out_listing, struct err *e)
{
	struct sha256 is;
	size_t from = out_listing->n;
	const void *listing = "";

	if (l->in_file)
		return err_set(e, ERR_ALTERED, "%.160s ends early", l->tree.v[l->file].path);
	TRY(tree_sort(&l->tree, e));
	tree_encode(&l->tree, out_listing);
	/* Of an empty tree the listing may be no bytes at no address. */
	if (out_listing->n > from)
		listing = out_listing->p + from;
	digest_of(listing, out_listing->n - from, &is);
	if (!sha256_eq(&is, want))
		return err_set(e, ERR_ALTERED, "the tree is not the one that was signed");
	return 0;
}
