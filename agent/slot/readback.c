#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "agent/slot/slot_priv.h"
#include "lib/sys/ahead.h"

#define PIECE        ((size_t)256 * 1024)
#define DIRECT_FROM  ((uint64_t)64 * 1024)
#define OVERLAP_FROM ((uint64_t)4 << 20) /* a thread for a smaller file is not worth it */
#define THREADS_MAX  8

/* One reading of one component. Entries are dealt out one by one; the first failure ends it. */
struct readback {
	struct fs *fs;
	const char *base;
	const struct tree *tree;
	enum readback_from from;
	const atomic_bool *cancel;
	bool overlap;
	atomic_size_t next;
	atomic_bool failed;
	pthread_mutex_t lock; /* of err */
	struct err err;
};

static int altered(const struct tree_entry *t, const char *how, struct err *e)
{
	char shown[160];

	return err_set(
		e, ERR_ALTERED, "%s %s", str_printable(str_of(t->path), shown, sizeof shown), how);
}

int readback_check(const atomic_bool *cancel, struct err *e)
{
	if (cancel && atomic_load(cancel))
		return err_set(e, ERR_CANCELLED, "cancelled");
	return 0;
}

/* A file that is being read. */
struct reading {
	struct fs *fs;
	const atomic_bool *cancel;
	int fd;
	uint64_t at;
};

static int read_next(void *ctx, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct reading *f = ctx;

	TRY(readback_check(f->cancel, e));
	TRY(f->fs->ops->pread(f->fs, f->fd, p, n, f->at, out_n, e));
	f->at += *out_n;
	return 0;
}

/* Stops at the first byte too many. */
static int digest_all(struct ahead *a, uint64_t size, struct sha256 *out, struct err *e)
{
	const void *p;
	struct digest d;
	size_t n = 1;
	int rc = 0;

	digest_init(&d);
	while (rc == 0 && n > 0 && d.n <= size) {
		rc = ahead_take(a, &p, &n, e);
		if (rc == 0)
			digest_add(&d, p, n);
	}
	digest_fini(&d, rc == 0 ? out : NULL);
	return rc;
}

static int digest_fd(struct readback *r, int fd, uint64_t size, struct sha256 *out, struct err *e)
{
	struct reading file = {.fs = r->fs, .cancel = r->cancel, .fd = fd};
	struct ahead_in in = {.read = read_next,
		.ctx = &file,
		.piece = PIECE,
		.pieces = 3,
		.overlap = r->overlap && size >= OVERLAP_FROM};
	struct ahead *a = ahead_new(&in);
	int rc = digest_all(a, size, out, e);

	ahead_free(&a);
	return rc;
}

/* What has to come from the device is read around the cache, too: it would only fill up with what
 * nobody has asked for. */
static int digest_file(
	struct readback *r, const char *path, uint64_t size, struct sha256 *out, struct err *e)
{
	const struct fs_ops *ops = r->fs->ops;
	bool device = r->from == READBACK_DEVICE;
	int fd, rc = 0;

	TRY(ops->open(
		r->fs, path, FS_READ | (device && size >= DIRECT_FROM ? FS_DIRECT : 0), &fd, e));
	if (device)
		rc = ops->drop_cache(r->fs, fd, e);
	if (rc == 0)
		rc = digest_fd(r, fd, size, out, e);
	int closed = ops->close(r->fs, fd, rc < 0 ? NULL : e);
	return rc < 0 ? rc : closed;
}

static int check_file(struct readback *r, const struct tree_entry *t, const char *path,
	const struct fs_stat *st, struct err *e)
{
	struct sha256 is;

	if (st->kind != FS_FILE || st->size != t->size)
		return altered(t, "has another size", e);
	if (((st->mode & 0111) != 0) != t->executable)
		return altered(t, "has another mode", e);
	TRY(digest_file(r, path, t->size, &is, e));
	return sha256_eq(&is, &t->digest) ? 0 : altered(t, "has another digest", e);
}

static int check_link(
	struct readback *r, const struct tree_entry *t, const char *path, struct err *e)
{
	char target[LIMIT_TAR_NAME + 1];

	TRY(r->fs->ops->readlink(r->fs, path, target, sizeof target, e));
	return strcmp(target, t->target) == 0 ? 0 : altered(t, "points elsewhere", e);
}

static int check_entry(struct readback *r, const struct tree_entry *t, struct err *e)
{
	static const enum fs_kind kinds[] = {
		[TREE_DIR] = FS_DIR, [TREE_FILE] = FS_FILE, [TREE_LINK] = FS_SYMLINK};
	char path[PLACE_MAX];
	struct fs_stat st;

	TRY(place_entry(path, r->base, t->path, e));
	TRY(r->fs->ops->stat(r->fs, path, &st, e));
	if (st.kind == FS_NONE)
		return altered(t, "is missing", e);
	if (st.kind != kinds[t->kind])
		return altered(t, "is of another kind", e);
	if (t->kind == TREE_FILE)
		return check_file(r, t, path, &st, e);
	return t->kind == TREE_LINK ? check_link(r, t, path, e) : 0;
}

/* ---- nothing that was not signed ---- */

static int count_one(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	size_t *n = ctx;

	(void)name;
	(void)kind;
	(void)e;
	(*n)++;
	return 0;
}

/* Every entry of the tree is there, as check_entry saw. If its folders hold as many things as the
 * tree has entries, then nothing else is there. */
static int check_nothing_more(struct readback *r, struct err *e)
{
	char path[PLACE_MAX];
	size_t n = 0;

	if (r->tree->n == 1 && strcmp(r->tree->v[0].path, ".") == 0)
		return 0;
	TRY(r->fs->ops->list(r->fs, r->base, count_one, &n, e));
	for (size_t i = 0; i < r->tree->n; i++) {
		if (r->tree->v[i].kind != TREE_DIR)
			continue;
		TRY(place_entry(path, r->base, r->tree->v[i].path, e));
		TRY(r->fs->ops->list(r->fs, path, count_one, &n, e));
	}
	if (n != r->tree->n)
		return err_set(e, ERR_ALTERED, "%s holds %zu things, %zu were signed", r->base, n,
			r->tree->n);
	return 0;
}

/* ---- threads ---- */

static void *work(void *arg)
{
	struct readback *r = arg;
	struct err e = {0};

	while (!atomic_load(&r->failed)) {
		size_t i = atomic_fetch_add(&r->next, 1);

		if (i >= r->tree->n)
			break;
		if (check_entry(r, &r->tree->v[i], &e) == 0)
			continue;
		pthread_mutex_lock(&r->lock);
		if (!atomic_exchange(&r->failed, true))
			r->err = e;
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

static void run(struct readback *r, unsigned threads)
{
	pthread_t other[THREADS_MAX];
	unsigned n = 0;

	/* A thread that cannot be had is work for the others. */
	while (n + 1 < MIN(threads, THREADS_MAX) && n + 1 < r->tree->n &&
		pthread_create(&other[n], NULL, work, r) == 0)
		n++;
	work(r);
	while (n > 0)
		pthread_join(other[--n], NULL);
}

static int read_entries(struct readback *r, unsigned threads, struct err *e)
{
	struct fs_stat st;

	TRY(r->fs->ops->stat(r->fs, r->base, &st, e));
	if (st.kind != FS_DIR && st.kind != FS_FILE)
		return err_set(e, ERR_ALTERED, "%s is missing", r->base);
	r->overlap = threads > 1;
	pthread_mutex_init(&r->lock, NULL);
	run(r, threads);
	pthread_mutex_destroy(&r->lock);
	return r->failed ? err_copy(e, &r->err) : 0;
}

int readback_entries(struct fs *fs, const char *base, const struct tree *t, enum readback_from from,
	unsigned threads, struct err *e)
{
	struct readback r = {.fs = fs, .base = base, .tree = t, .from = from};

	return read_entries(&r, threads, e);
}

int readback_tree(struct fs *fs, const char *base, const struct tree *t, enum readback_from from,
	unsigned threads, const atomic_bool *cancel, struct err *e)
{
	struct readback r = {.fs = fs, .base = base, .tree = t, .from = from, .cancel = cancel};

	TRY(read_entries(&r, threads, e));
	return check_nothing_more(&r, e);
}
