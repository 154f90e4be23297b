#include "tests/lib/crashfs_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void crashfs_unlock(struct crashfs **c)
{
	pthread_mutex_unlock(&(*c)->lock);
}

struct crashfs *crashfs_lock(struct fs *fs)
{
	struct crashfs *c = fs->self;

	pthread_mutex_lock(&c->lock);
	return c;
}

/* ---- faults ---- */

int crashfs_power(const struct crashfs *c, struct err *e)
{
	return c->is_cut ? err_set(e, ERR_IO, "the power is gone") : 0;
}

static bool is_to_fail(struct crashfs *c, enum room_use use)
{
	if (c->fail_times == 0 || c->ops < c->fail_at)
		return false;
	if (c->fail_sys == ENOSPC && use == TAKES_NONE)
		return false;
	c->fail_times--;
	return true;
}

int crashfs_count(struct crashfs *c, enum room_use use, struct err *e, const char *fmt, ...)
{
	int n;
	va_list ap;

	TRY(crashfs_power(c, e));
	c->ops++;
	n = snprintf(c->last_op, sizeof c->last_op, "%llu: ", (unsigned long long)c->ops);
	va_start(ap, fmt);
	vsnprintf(c->last_op + n, sizeof c->last_op - (size_t)n, fmt, ap);
	va_end(ap);
	if (c->ops == c->cut_at)
		c->is_cut = true;
	else if (is_to_fail(c, use))
		return err_sys(e, c->fail_sys, "%s", c->last_op);
	return 0;
}

/* ---- the tester's side ---- */

static struct crashfs *new_bare(void)
{
	struct crashfs *c = mem_new(sizeof *c);

	pthread_mutex_init(&c->lock, NULL);
	c->fs = (struct fs){.ops = &crashfs_ops_table, .self = c};
	c->room = 1ULL << 30;
	c->first_fd = 1000;
	return c;
}

struct crashfs *crashfs_new(void)
{
	struct crashfs *c = new_bare();

	disk_init(&c->disk);
	return c;
}

struct crashfs *crashfs_dup(const struct crashfs *from)
{
	struct crashfs *c = new_bare();

	disk_copy(&from->disk, &c->disk);
	c->room = from->room;
	c->clone = from->clone;
	return c;
}

void crashfs_free(struct crashfs **c)
{
	if (!*c)
		return;
	disk_fini(&(*c)->disk);
	pthread_mutex_destroy(&(*c)->lock);
	mem_free(c);
}

struct fs *crashfs_fs(struct crashfs *c)
{
	return &c->fs;
}

void crashfs_cut_at(struct crashfs *c, uint64_t n)
{
	c->cut_at = n;
}

void crashfs_fail_at(struct crashfs *c, uint64_t n, uint64_t times, int sys)
{
	c->fail_at = n;
	c->fail_times = times;
	c->fail_sys = sys;
}

void crashfs_write_half(struct crashfs *c, bool half)
{
	c->half = half;
}

void crashfs_set_room(struct crashfs *c, uint64_t bytes)
{
	c->room = bytes;
}

void crashfs_set_clone(struct crashfs *c, enum crashfs_clone how)
{
	c->clone = how;
}

uint64_t crashfs_ops(const struct crashfs *c)
{
	return c->ops;
}

void crashfs_reset_ops(struct crashfs *c)
{
	c->ops = 0;
}

bool crashfs_is_cut(const struct crashfs *c)
{
	return c->is_cut;
}

const char *crashfs_last_op(const struct crashfs *c)
{
	return c->last_op;
}

unsigned crashfs_open_fds(const struct crashfs *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CRASHFS_FDS; i++)
		n += c->fds[i].f != NULL;
	return n;
}

static void new_life(struct crashfs *c)
{
	for (unsigned i = 0; i < CRASHFS_FDS; i++)
		if (c->fds[i].f) {
			disk_drop_fd(&c->disk, c->fds[i].f);
			c->fds[i].f = NULL;
		}
	c->first_fd += CRASHFS_FDS;
	c->is_cut = false;
	c->ops = 0;
	c->cut_at = 0;
	c->fail_times = 0;
}

void crashfs_reboot(struct crashfs *c, uint64_t seed)
{
	new_life(c);
	disk_lose(&c->disk, seed);
}

void crashfs_revive(struct crashfs *c)
{
	new_life(c);
}

void crashfs_settle(struct crashfs *c)
{
	new_life(c);
	disk_settle(&c->disk);
}
