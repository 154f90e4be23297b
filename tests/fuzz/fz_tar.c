/* Any bytes as an archive, unpacked into a slot on a disk in memory: nothing may stand outside the
 * component's place afterwards, and nothing at all of what was refused. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/stage/stage.h"
#include "proto/trust/digest.h"
#include "tests/lib/crashfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct memory {
	const uint8_t *p;
	size_t n, at;
};

static int memory_open(
	void *self, const struct artifact *a, uint64_t from, void **out, struct err *e)
{
	(void)a;
	(void)e;
	((struct memory *)self)->at = from;
	*out = self;
	return 0;
}

static int memory_read(void *stream, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct memory *m = stream;

	(void)e;
	*out_n = MIN(n, m->n - m->at);
	if (*out_n)
		memcpy(p, m->p + m->at, *out_n);
	m->at += *out_n;
	return 0;
}

static void memory_close(void *stream)
{
	(void)stream;
}

static int count(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	unsigned *left = ctx;

	(void)e;
	/* Folders of ours alone: no file, no link, no other name. */
	assert(kind == FS_DIR);
	assert(strcmp(name, "slots") == 0 || strcmp(name, "a") == 0 || strcmp(name, "b") == 0 ||
		strcmp(name, "in") == 0);
	(*left)++;
	return 0;
}

static unsigned names_in(struct fs *fs, const char *dir)
{
	unsigned n = 0;
	struct err e;
	int rc = fs->ops->list(fs, dir, count, &n, &e);

	assert(rc == 0);
	return n;
}

static void is_clean(struct fs *fs)
{
	assert(names_in(fs, "") == 1);
	assert(names_in(fs, "slots") == 2);
	assert(names_in(fs, "slots/b") == 0);
	assert(names_in(fs, "slots/a") == 1);
	assert(names_in(fs, "slots/a/in") == 0);
}

static void fill(struct component *c, const uint8_t *p, size_t n)
{
	strcpy(c->name, "x");
	strcpy(c->path, "in/x");
	c->artifact.archive = ARCHIVE_TAR;
	c->artifact.length = c->artifact.content_length = n;
	digest_of(p, n, &c->artifact.digest);
	c->artifact.content_digest = c->artifact.digest;
	/* No tree has this digest: also what is harmless is refused in the end. */
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct release r;
	struct memory m = {.p = p, .n = n};
	struct crashfs *disk = crashfs_new();
	struct stage_in in = {.from = SLOT_NONE,
		.release = &r,
		.source = {.open = memory_open,
			.read = memory_read,
			.close = memory_close,
			.self = &m}};
	struct sha256 content;
	struct err e;
	int rc;

	r.n_components = 1;
	fill(&r.components[0], p, n);
	rc = slots_open(crashfs_fs(disk), "dir", &in.slots, &e);
	assert(rc == 0);
	rc = stage_run(&in, &content, &e);
	assert(rc < 0);
	slots_close(&in.slots);
	assert(crashfs_open_fds(disk) == 0);
	is_clean(crashfs_fs(disk));
	crashfs_free(&disk);
	return 0;
}
