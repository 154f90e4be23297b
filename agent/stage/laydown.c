#include "agent/stage/stage_priv.h"

/* ---- what a raw component's file is like ---- */

static void tree_of(const struct artifact *a, bool executable, struct sha256 *out)
{
	BUF_AUTO line = {0};
	struct tree_entry file = {.kind = TREE_FILE,
		.executable = executable,
		.size = a->content_length,
		.digest = a->content_digest,
		.path = (char[]){"."}};
	struct tree t = {.v = &file, .n = 1, .cap = 1};

	tree_encode(&t, &line);
	digest_of(line.p, line.n, out);
}

int laydown_raw_mode(const struct artifact *a, bool *out_executable, struct err *e)
{
	struct sha256 is;

	for (int x = 0; x < 2; x++) {
		tree_of(a, x == 1, &is);
		if (!sha256_eq(&is, &a->tree))
			continue;
		*out_executable = x == 1;
		return 0;
	}
	return err_set(e, ERR_ALTERED, "the signed content does not make the signed tree");
}

/* ---- the sink ---- */

static const struct slot_driver *driver(const struct laydown *l)
{
	return slots_driver(l->slots);
}

static int check_entry(struct laydown *l, struct err *e)
{
	if (!l->is_tar)
		return err_set(e, ERR_BAD_INPUT, "an entry in what is no archive");
	if (l->left > 0)
		return err_set(e, ERR_BAD_INPUT, "archive: a file is cut off");
	if (++l->entries > LIMIT_TAR_ENTRIES)
		return err_set(
			e, ERR_TOO_LARGE, "archive: more than %d entries", LIMIT_TAR_ENTRIES);
	return 0;
}

static int lay_dir(void *self, const char *path, struct err *e)
{
	struct laydown *l = self;

	TRY(check_entry(l, e));
	return driver(l)->put_dir(l->slots, path, e);
}

static int lay_link(void *self, const char *path, const char *target, struct err *e)
{
	struct laydown *l = self;

	TRY(check_entry(l, e));
	return driver(l)->put_link(l->slots, path, target, e);
}

static int open_file(
	struct laydown *l, const char *path, bool executable, uint64_t size, struct err *e)
{
	if (size > l->room)
		return err_set(e, ERR_BAD_INPUT, "archive: a file larger than the archive");
	TRY(driver(l)->put_file(l->slots, path, executable, size, e));
	l->room -= size;
	l->left = size;
	return 0;
}

static int lay_file(void *self, const char *path, bool executable, uint64_t size, struct err *e)
{
	struct laydown *l = self;

	TRY(check_entry(l, e));
	return open_file(l, path, executable, size, e);
}

static int lay_data(void *self, const void *p, size_t n, struct err *e)
{
	struct laydown *l = self;

	if (n > l->left)
		return err_set(e, ERR_ALTERED, "more bytes than the file's size");
	l->left -= n;
	return driver(l)->put_data(l->slots, p, n, e);
}

static int lay_foothold(void *self, const struct foothold *at, struct err *e)
{
	struct laydown *l = self;

	return driver(l)->put_foothold(l->slots, at, e);
}

int laydown_begin(struct laydown *l, struct slots *slots, const struct artifact *a,
	const struct slot_part *part, struct stage_sink *out, struct err *e)
{
	bool executable;

	*l = (struct laydown){.slots = slots,
		.is_tar = a->archive == ARCHIVE_TAR,
		.room = a->content_length - part->at.content - part->at.skip - part->left,
		.left = part->left,
		.entries = part->entries};
	if (!l->is_tar && part->at.artifact == 0) {
		TRY(laydown_raw_mode(a, &executable, e));
		TRY(open_file(l, ".", executable, a->content_length, e));
	}
	*out = (struct stage_sink){
		.dir = lay_dir, .file = lay_file, .link = lay_link, .data = lay_data, .self = l};
	if (driver(l)->put_foothold)
		out->foothold = lay_foothold;
	return 0;
}
