#include "tests/lib/crashfs_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- images of files ---- */

void disk_image_resize(struct image *i, uint64_t size)
{
	if (size > i->bytes.n) {
		size_t more = size - i->bytes.n;

		memset(buf_reserve(&i->bytes, more), 0, more);
	}
	i->bytes.n = size;
}

static void image_write(struct image *i, uint64_t off, const void *p, size_t n)
{
	if (off + n > i->bytes.n)
		disk_image_resize(i, off + n);
	if (n > 0)
		memcpy(i->bytes.p + off, p, n);
}

void disk_image_copy(const struct image *from, struct image *to)
{
	buf_clear(&to->bytes);
	buf_add(&to->bytes, from->bytes.p, from->bytes.n);
	to->mode = from->mode;
}

void disk_image_apply(struct image *i, const struct change *c)
{
	switch (c->kind) {
	case CHANGE_BYTES:
		image_write(i, c->at, c->bytes.p, c->bytes.n);
		return;
	case CHANGE_SIZE:
		disk_image_resize(i, c->at);
		return;
	case CHANGE_MODE:
		i->mode = (uint32_t)c->at;
		return;
	}
}

/* ---- folders ---- */

static unsigned folder_at(const struct folder *f, const char *name, size_t n, bool *out_found)
{
	unsigned lo = 0, hi = f->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		int cmp = strncmp(f->v[mid].name, name, n);

		if (cmp == 0)
			cmp = f->v[mid].name[n] != '\0';
		if (cmp == 0) {
			*out_found = true;
			return mid;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*out_found = false;
	return lo;
}

struct inode *disk_find(const struct folder *f, const char *name, size_t n)
{
	bool found;
	unsigned i = folder_at(f, name, n, &found);

	return found ? f->v[i].to : NULL;
}

static void folder_insert(struct folder *f, unsigned i, const char *name, struct inode *to)
{
	if (f->n == f->cap) {
		f->cap = f->cap * 2 + 4;
		f->v = mem_resize(f->v, f->cap * sizeof *f->v);
	}
	memmove(&f->v[i + 1], &f->v[i], (f->n - i) * sizeof *f->v);
	f->v[i] = (struct entry){mem_strdup(name), to};
	f->n++;
}

static void folder_remove(struct folder *f, unsigned i)
{
	free(f->v[i].name);
	f->n--;
	memmove(&f->v[i], &f->v[i + 1], (f->n - i) * sizeof *f->v);
}

static void folder_set(struct folder *f, const char *name, struct inode *to)
{
	bool found;
	unsigned i = folder_at(f, name, strlen(name), &found);

	if (found && to)
		f->v[i].to = to;
	else if (found)
		folder_remove(f, i);
	else if (to)
		folder_insert(f, i, name, to);
}

static void folder_clear(struct folder *f)
{
	while (f->n > 0)
		folder_remove(f, f->n - 1);
}

void disk_folder_copy(const struct folder *from, struct folder *to)
{
	folder_clear(to);
	for (unsigned i = 0; i < from->n; i++)
		folder_insert(to, i, from->v[i].name, from->v[i].to);
}

static void folder_fini(struct folder *f)
{
	folder_clear(f);
	free(f->v);
}

/* ---- inodes ---- */

struct inode *disk_new_inode(struct disk *d, enum fs_kind kind, uint32_t mode)
{
	struct inode *f = mem_new(sizeof *f);

	f->kind = kind;
	f->live.mode = f->disk.mode = mode;
	f->next = d->all;
	d->all = f;
	return f;
}

void disk_forget_changes(struct inode *f)
{
	for (unsigned i = 0; i < f->n_changes; i++)
		buf_fini(&f->changes[i].bytes);
	free(f->changes);
	f->changes = NULL;
	f->n_changes = 0;
}

static void inode_free(struct inode *f)
{
	disk_forget_changes(f);
	buf_fini(&f->live.bytes);
	buf_fini(&f->disk.bytes);
	folder_fini(&f->live_in);
	folder_fini(&f->disk_in);
	free(f);
}

/* A change is live at once and waits for a sync. */
static void change(struct inode *f, struct change c)
{
	f->changes = mem_resize(f->changes, (f->n_changes + 1) * sizeof *f->changes);
	f->changes[f->n_changes++] = c;
	disk_image_apply(&f->live, &c);
}

void disk_write(struct disk *d, struct inode *f, uint64_t off, const void *p, size_t n)
{
	struct change c = {.kind = CHANGE_BYTES, .at = off};
	size_t before = f->live.bytes.n;

	buf_add(&c.bytes, p, n);
	change(f, c);
	d->used += f->live.bytes.n - before;
}

void disk_resize(struct disk *d, struct inode *f, uint64_t size)
{
	size_t before = f->live.bytes.n;

	change(f, (struct change){.kind = CHANGE_SIZE, .at = size});
	d->used += f->live.bytes.n - before;
}

void disk_chmod(struct inode *f, uint32_t mode)
{
	change(f, (struct change){.kind = CHANGE_MODE, .at = mode});
}

void disk_sync(struct inode *f)
{
	for (unsigned i = 0; i < f->n_changes; i++)
		if (!f->changes[i].dropped)
			disk_image_apply(&f->disk, &f->changes[i]);
	disk_forget_changes(f);
}

void disk_fail_sync(struct inode *f)
{
	for (unsigned i = 0; i < f->n_changes; i++)
		f->changes[i].dropped = true;
}

void disk_reread(struct disk *d, struct inode *f)
{
	d->used += f->disk.bytes.n - f->live.bytes.n;
	disk_image_copy(&f->disk, &f->live);
}

/* ---- names ---- */

static void forget_if_unused(struct disk *d, struct inode *f)
{
	if (f->links == 0 && f->fds == 0 && f->kind == FS_FILE)
		d->used -= f->live.bytes.n;
}

void disk_drop_fd(struct disk *d, struct inode *f)
{
	f->fds--;
	forget_if_unused(d, f);
}

static void edit_live(struct disk *d, const struct edit *e)
{
	struct inode *was = disk_find(&e->dir->live_in, e->name, strlen(e->name));

	if (e->to)
		e->to->links++;
	folder_set(&e->dir->live_in, e->name, e->to);
	if (was) {
		was->links--;
		forget_if_unused(d, was);
	}
}

static void add_naming(struct disk *d, struct naming n)
{
	struct naming *p = mem_new(sizeof *p);

	*p = n;
	for (unsigned i = 0; i < p->n; i++)
		p->v[i].name = mem_strdup(n.v[i].name);
	*d->tail = p;
	d->tail = &p->next;
	/* Backwards: a renamed file gets its new name before it loses the old one. */
	for (unsigned i = p->n; i-- > 0;)
		edit_live(d, &p->v[i]);
}

void disk_name(struct disk *d, struct inode *dir, const char *name, struct inode *to)
{
	add_naming(d, (struct naming){.n = 1, .v = {{dir, (char *)name, to}}});
}

void disk_rename(struct disk *d, struct inode *from_dir, const char *from, struct inode *to_dir,
	const char *to)
{
	struct inode *f = disk_find(&from_dir->live_in, from, strlen(from));

	add_naming(d, (struct naming){.n = 2,
			      .v = {{from_dir, (char *)from, NULL}, {to_dir, (char *)to, f}}});
}

static bool is_about_the_same(const struct naming *a, const struct naming *b)
{
	for (unsigned i = 0; i < a->n; i++)
		for (unsigned k = 0; k < b->n; k++)
			if (a->v[i].dir == b->v[k].dir && strcmp(a->v[i].name, b->v[k].name) == 0)
				return true;
	return false;
}

/* Whatever is chosen needs the earlier ones about the same names. */
static void choose_causes(struct disk *d)
{
	bool more = true;

	while (more) {
		more = false;
		for (struct naming *a = d->pending; a; a = a->next)
			for (struct naming *b = a->next; b && !a->chosen; b = b->next)
				if (b->chosen && is_about_the_same(a, b))
					a->chosen = more = true;
	}
}

void disk_naming_free(struct naming *p)
{
	for (unsigned i = 0; i < p->n; i++)
		free(p->v[i].name);
	free(p);
}

void disk_carry_out(struct disk *d)
{
	struct naming **at = &d->pending;

	choose_causes(d);
	while (*at) {
		struct naming *p = *at;

		if (!p->chosen) {
			at = &p->next;
			continue;
		}
		for (unsigned i = 0; i < p->n; i++)
			folder_set(&p->v[i].dir->disk_in, p->v[i].name, p->v[i].to);
		*at = p->next;
		disk_naming_free(p);
	}
	d->tail = at;
}

void disk_sync_dir(struct disk *d, struct inode *dir)
{
	disk_sync(dir); /* its mode */
	for (struct naming *p = d->pending; p; p = p->next)
		for (unsigned i = 0; i < p->n; i++)
			p->chosen |= p->v[i].dir == dir;
	disk_carry_out(d);
}

/* ---- the whole disk ---- */

static void mark(struct inode *f)
{
	if (f->copy)
		return;
	f->copy = f;
	for (unsigned i = 0; i < f->live_in.n; i++)
		mark(f->live_in.v[i].to);
	for (unsigned i = 0; i < f->disk_in.n; i++)
		mark(f->disk_in.v[i].to);
}

static void recount(struct disk *d)
{
	d->used = 0;
	for (struct inode *f = d->all; f; f = f->next) {
		f->links = 0;
		f->copy = NULL;
		d->used += f->live.bytes.n;
	}
	for (struct inode *f = d->all; f; f = f->next)
		for (unsigned i = 0; i < f->live_in.n; i++)
			f->live_in.v[i].to->links++;
}

void disk_collect(struct disk *d)
{
	struct inode **at = &d->all;

	assert(!d->pending);
	mark(d->root);
	while (*at) {
		struct inode *f = *at;

		if (f->copy) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		inode_free(f);
	}
	recount(d);
}

void disk_init(struct disk *d)
{
	*d = (struct disk){0};
	d->tail = &d->pending;
	d->root = disk_new_inode(d, FS_DIR, 0755);
}

void disk_fini(struct disk *d)
{
	while (d->pending) {
		struct naming *p = d->pending;

		d->pending = p->next;
		disk_naming_free(p);
	}
	while (d->all) {
		struct inode *f = d->all;

		d->all = f->next;
		inode_free(f);
	}
}

static void copy_inode(struct disk *to, struct inode *f)
{
	f->copy = disk_new_inode(to, f->kind, f->disk.mode);
	disk_image_copy(&f->disk, &f->copy->disk);
	disk_image_copy(&f->disk, &f->copy->live);
	memcpy(f->copy->target, f->target, sizeof f->target);
}

static void copy_names(const struct inode *f)
{
	for (unsigned i = 0; i < f->disk_in.n; i++) {
		const struct entry *e = &f->disk_in.v[i];

		folder_set(&f->copy->disk_in, e->name, e->to->copy);
		folder_set(&f->copy->live_in, e->name, e->to->copy);
	}
}

void disk_copy(const struct disk *from, struct disk *to)
{
	assert(!from->pending);
	*to = (struct disk){0};
	to->tail = &to->pending;
	for (struct inode *f = from->all; f; f = f->next) {
		assert(f->n_changes == 0 && f->fds == 0);
		copy_inode(to, f);
	}
	for (struct inode *f = from->all; f; f = f->next)
		copy_names(f);
	to->root = from->root->copy;
	recount(to);
	for (struct inode *f = from->all; f; f = f->next)
		f->copy = NULL;
}
