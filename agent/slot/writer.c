#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "agent/slot/slot_priv.h"
#include "lib/sys/pages.h"

#define PIECE  ((size_t)512 * 1024)
#define PIECES 3U
#define ALIGN  WRITER_ALIGN
#define DIRECT_FROM                                                                                \
	((uint64_t)64 * 1024) /* below, bypassing the cache costs more than it saves               \
			       */

/* The file that a piece belongs to; with the last piece it is closed. */
struct target {
	int fd;
	bool direct, executable;
	bool fixed; /* a device, or a file of the length that its maker gave it */
	uint64_t size, room;
	char path[PLACE_MAX];
};

/* Where bypassing the cache is refused, no more than this waits in it to be written. */
#define SYNC_EVERY ((uint64_t)32 << 20)

struct job {
	uint8_t *p;
	size_t n;
	uint64_t at;
	bool is_last;
	struct target to;
};

/* Large files bypass the page cache: an install then neither pushes the workload's pages out of
 * memory nor leaves gigabytes of dirty ones behind, and reading back sees the device. The last
 * piece is padded to the block and cut off again.
 *
 * Jobs [done, made) are in the hands of the thread, if there is one. */
struct writer {
	struct fs *fs;
	struct target file; /* that is being given */
	bool is_open;
	uint64_t given; /* bytes of it, without those in `fill` */
	size_t fill;    /* bytes in the piece that is being filled */
	struct job job[PIECES];
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t change;
	uint64_t made, done;
	bool stop, failed;
	struct err err;
};

/* ---- carrying a job out ---- */

static int write_piece(struct fs *fs, struct job *j, struct err *e)
{
	size_t n = j->n, over = n % ALIGN;

	if (!j->to.direct || over == 0)
		return n ? fs->ops->pwrite(fs, j->to.fd, j->p, n, j->at, e) : 0;
	memset(j->p + n, 0, ALIGN - over);
	TRY(fs->ops->pwrite(fs, j->to.fd, j->p, n + ALIGN - over, j->at, e));
	return fs->ops->truncate(fs, j->to.fd, j->to.size, e);
}

/* Zeros up to the next block, or to the end where that comes first: a device has whole sectors. */
static int write_fixed(struct fs *fs, struct job *j, struct err *e)
{
	size_t n = j->n, over = n % ALIGN;
	uint64_t end = j->at + n;

	if (over != 0) {
		size_t pad = (size_t)MIN(ALIGN - over, j->to.room - end);

		memset(j->p + n, 0, pad);
		n += pad;
	}
	if (n > 0)
		TRY(fs->ops->pwrite(fs, j->to.fd, j->p, n, j->at, e));
	if (j->is_last || end / SYNC_EVERY != j->at / SYNC_EVERY)
		return fs->ops->sync(fs, j->to.fd, e);
	return 0;
}

static int close_target(struct fs *fs, const struct target *t, struct err *e)
{
	TRY(fs->ops->close(fs, t->fd, e));
	if (t->fixed)
		return 0;
	return fs->ops->chmod(fs, t->path, t->executable ? 0555 : 0444, e);
}

/* After a failure files are only closed. */
static void carry_out(struct writer *w, struct job *j, bool failed, struct err *e, bool *out_failed)
{
	int rc = failed ? -1 : (j->to.fixed ? write_fixed : write_piece)(w->fs, j, e);

	if (j->is_last && rc == 0)
		rc = close_target(w->fs, &j->to, e);
	else if (j->is_last)
		(void)!w->fs->ops->close(w->fs, j->to.fd, NULL);
	*out_failed = rc < 0;
}

static void note(struct writer *w, bool failed, const struct err *e)
{
	if (failed && !w->failed)
		w->err = *e;
	w->failed |= failed;
	w->done++;
}

static void *run(void *arg)
{
	struct writer *w = arg;
	struct err e = {0};

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->stop && w->done == w->made)
			pthread_cond_wait(&w->change, &w->lock);
		if (w->done == w->made)
			break;
		struct job *j = &w->job[w->done % PIECES];
		bool failed = w->failed, now;
		pthread_mutex_unlock(&w->lock);
		carry_out(w, j, failed, &e, &now);
		pthread_mutex_lock(&w->lock);
		note(w, now && !failed, &e);
		pthread_cond_broadcast(&w->change);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- handing jobs over ---- */

static int outcome(const struct writer *w, struct err *e)
{
	return w->failed ? err_copy(e, &w->err) : 0;
}

/* The piece is full, or the file's last; the next one is free afterwards. */
static int hand_over(struct writer *w, bool is_last, struct err *e)
{
	struct job *j = &w->job[w->made % PIECES];
	struct err why = {0};
	bool failed;

	j->n = w->fill;
	j->at = w->given;
	j->is_last = is_last;
	j->to = w->file;
	w->given += w->fill;
	w->fill = 0;
	if (!w->has_thread) {
		carry_out(w, j, w->failed, &why, &failed);
		w->made++;
		note(w, failed && !w->failed, &why);
		return outcome(w, e);
	}
	pthread_mutex_lock(&w->lock);
	w->made++;
	pthread_cond_broadcast(&w->change);
	while (w->made - w->done >= PIECES)
		pthread_cond_wait(&w->change, &w->lock);
	int rc = outcome(w, e);
	pthread_mutex_unlock(&w->lock);
	return rc;
}

int writer_open(struct writer *w, const char *path, uint64_t size, bool executable, struct err *e)
{
	struct target *t = &w->file;

	assert(!w->is_open && strlen(path) < sizeof t->path);
	t->direct = size >= DIRECT_FROM;
	t->fixed = false;
	TRY(w->fs->ops->open(
		w->fs, path, FS_CREATE | FS_EXCL | (t->direct ? FS_DIRECT : 0), &t->fd, e));
	t->size = size;
	t->executable = executable;
	memcpy(t->path, path, strlen(path) + 1);
	w->is_open = true;
	w->given = 0;
	w->fill = 0;
	return 0;
}

void writer_adopt(struct writer *w, int fd, uint64_t size, uint64_t room, uint64_t done)
{
	assert(!w->is_open && size <= room && done % ALIGN == 0);
	w->file = (struct target){
		.fd = fd, .direct = true, .fixed = true, .size = size, .room = room};
	w->is_open = true;
	w->given = done;
	w->fill = 0;
}

int writer_reopen(struct writer *w, const char *path, uint64_t size, uint64_t done, bool executable,
	struct err *e)
{
	struct target *t = &w->file;

	assert(!w->is_open && strlen(path) < sizeof t->path && done % ALIGN == 0);
	t->direct = size >= DIRECT_FROM;
	t->fixed = false;
	TRY(w->fs->ops->open(w->fs, path, FS_WRITE | (t->direct ? FS_DIRECT : 0), &t->fd, e));
	t->size = size;
	t->executable = executable;
	memcpy(t->path, path, strlen(path) + 1);
	w->is_open = true;
	w->given = done;
	w->fill = 0;
	return w->fs->ops->truncate(w->fs, t->fd, done, e);
}

size_t writer_gap(const struct writer *w)
{
	return PIECE - w->fill;
}

bool writer_at_edge(const struct writer *w)
{
	return w->fill == 0;
}

int writer_add(struct writer *w, const void *p, size_t n, struct err *e)
{
	for (size_t k = 0, part; k < n; k += part) {
		struct job *j = &w->job[w->made % PIECES];

		part = MIN(n - k, PIECE - w->fill);
		memcpy(j->p + w->fill, (const uint8_t *)p + k, part);
		w->fill += part;
		if (w->fill == PIECE)
			TRY(hand_over(w, false, e));
	}
	return 0;
}

int writer_close(struct writer *w, struct err *e)
{
	w->is_open = false;
	return hand_over(w, true, e);
}

int writer_drain(struct writer *w, struct err *e)
{
	pthread_mutex_lock(&w->lock);
	while (w->done < w->made)
		pthread_cond_wait(&w->change, &w->lock);
	int rc = outcome(w, e);
	pthread_mutex_unlock(&w->lock);
	return rc;
}

int writer_sync(struct writer *w, struct err *e)
{
	assert(w->fill == 0);
	TRY(writer_drain(w, e));
	return w->is_open ? w->fs->ops->sync(w->fs, w->file.fd, e) : 0;
}

/* ---- birth and end ---- */

struct writer *writer_new(struct fs *fs, bool overlap)
{
	struct writer *w = mem_new(sizeof *w);

	memset(w, 0, sizeof *w);
	w->fs = fs;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->change, NULL);
	for (unsigned i = 0; i < PIECES; i++)
		w->job[i].p = pages_new(PIECE);
	/* Without a thread it is slower, nothing else. */
	w->has_thread = overlap && pthread_create(&w->thread, NULL, run, w) == 0;
	return w;
}

static void end_thread(struct writer *w)
{
	if (!w->has_thread)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->change);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
}

void writer_free(struct writer **wp)
{
	struct writer *w = *wp;

	if (!w)
		return;
	end_thread(w);
	if (w->is_open)
		(void)!w->fs->ops->close(w->fs, w->file.fd, NULL);
	for (unsigned i = 0; i < PIECES; i++)
		pages_free(w->job[i].p, PIECE);
	pthread_cond_destroy(&w->change);
	pthread_mutex_destroy(&w->lock);
	free(w);
	*wp = NULL;
}
