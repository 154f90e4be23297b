#include <string.h>

#include "agent/slot/slot_priv.h"

/* A line is short: kind, mode, size, digest and two names. */
#define LISTING_MAX ((size_t)LIMIT_TAR_ENTRIES * (2 * LIMIT_TAR_NAME + 128))

int listing_load(struct fs *fs, unsigned slot, const struct component *c, struct tree *out,
	bool *out_is, struct err *e)
{
	char path[PLACE_MAX];
	BUF_AUTO lines = {0};
	struct sha256 is;
	struct err why;

	place_listing(path, slot, c->name);
	int rc = fs_read_file(fs, path, LISTING_MAX, &lines, &why);
	if (rc == -ERR_NOT_FOUND || rc == -ERR_TOO_LARGE) {
		*out_is = false;
		return 0;
	}
	if (rc < 0)
		return err_copy(e, &why);
	digest_of(lines.p, lines.n, &is);
	bool same = sha256_eq(&is, &c->artifact.tree);
	if (same && out)
		TRY(tree_decode(buf_str(&lines), out, e));
	*out_is = same;
	return 0;
}

int listing_save(struct fs *fs, unsigned slot, const struct component *c, const struct buf *lines,
	struct err *e)
{
	char path[PLACE_MAX];

	place_listing(path, slot, c->name);
	return fs_write_file(fs, path, lines->p, lines->n, 0644, e);
}

int listing_remove(struct fs *fs, unsigned slot, const char *component, struct err *e)
{
	char path[PLACE_MAX];

	place_listing(path, slot, component);
	TRY(fs->ops->unlink(fs, path, e));
	return fs->ops->sync_dir(fs, "slots", e);
}

/* The component of "a.NAME.tree" when `slot` is a and `end` ".tree"; false for any other name. */
static bool component_of(unsigned slot, const char *file, struct str end, char out[ID_TEXT_MAX])
{
	struct str s = str_of(file), id = str_of(slot_path(slot) + strlen("slots/"));

	if (s.n <= id.n + 1 + end.n || memcmp(s.p, id.p, id.n) != 0 || s.p[id.n] != '.' ||
		memcmp(s.p + s.n - end.n, end.p, end.n) != 0)
		return false;
	s = (struct str){s.p + id.n + 1, s.n - id.n - 1 - end.n};
	return str_copy(s, out, ID_TEXT_MAX, NULL) == 0;
}

static bool has_component(const struct release *r, const char *name)
{
	for (unsigned i = 0; i < r->n_components; i++)
		if (strcmp(r->components[i].name, name) == 0)
			return true;
	return false;
}

int listing_prune(struct fs *fs, unsigned slot, const struct release *r, struct err *e)
{
	BUF_AUTO names = {0};
	char component[ID_TEXT_MAX];
	const char *name;
	enum fs_kind kind;
	size_t at = 0;

	TRY(place_names(fs, "slots", &names, e));
	while (place_next(&names, &at, &name, &kind)) {
		if (component_of(slot, name, STR(".tree"), component) &&
			!has_component(r, component))
			TRY(listing_remove(fs, slot, component, e));
		if (component_of(slot, name, STR(".part"), component) &&
			!has_component(r, component))
			TRY(part_remove(fs, slot, component, e));
	}
	return 0;
}
