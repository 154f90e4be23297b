#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

static void must_fit(int n)
{
	assert(n > 0 && n < PLACE_MAX);
}

void place_component(char out[PLACE_MAX], unsigned slot, const struct component *c)
{
	must_fit(snprintf(out, PLACE_MAX, "%s/%s", slot_path(slot), c->path));
}

int place_entry(char out[PLACE_MAX], const char *base, const char *name, struct err *e)
{
	bool own = strcmp(name, ".") == 0;
	int n = snprintf(out, PLACE_MAX, "%s%s%s", base, own ? "" : "/", own ? "" : name);

	if (n >= PLACE_MAX)
		return err_set(e, ERR_TOO_LARGE, "%.100s.../%.100s: too long a name", base, name);
	return 0;
}

void place_listing(char out[PLACE_MAX], unsigned slot, const char *component)
{
	must_fit(snprintf(out, PLACE_MAX, "%s.%s.tree", slot_path(slot), component));
}

void place_part(char out[PLACE_MAX], unsigned slot, const char *component)
{
	must_fit(snprintf(out, PLACE_MAX, "%s.%s.part", slot_path(slot), component));
}

static int add_name(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	struct buf *names = ctx;

	(void)e;
	buf_add_char(names, (char)('0' + (int)kind));
	buf_add(names, name, strlen(name) + 1);
	return 0;
}

int place_names(struct fs *fs, const char *dir, struct buf *out, struct err *e)
{
	struct fs_stat st;

	TRY(fs->ops->stat(fs, dir, &st, e));
	if (st.kind == FS_NONE)
		return 0;
	return fs->ops->list(fs, dir, add_name, out, e);
}

bool place_next(const struct buf *names, size_t *at, const char **out_name, enum fs_kind *out_kind)
{
	if (*at >= names->n)
		return false;
	*out_kind = (enum fs_kind)(names->p[*at] - '0');
	*out_name = (const char *)names->p + *at + 1;
	*at += strlen(*out_name) + 2;
	return true;
}
