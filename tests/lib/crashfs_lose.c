#include <string.h>

#include "tests/lib/crashfs_disk.h"

enum fate { FATE_LOST, FATE_KEPT, FATE_MIXED };

static enum fate fate_of(uint64_t seed, struct prng *r)
{
	if (seed <= FATE_KEPT)
		return (enum fate)seed;
	return (enum fate)prng_below(r, FATE_MIXED + 1);
}

/* Bytes [from, to) of `c`, as far as it is about them. */
static void apply_within(struct image *i, const struct change *c, uint64_t from, uint64_t to)
{
	uint64_t lo, hi;

	if (c->kind == CHANGE_SIZE && c->at < to) {
		lo = MAX(from, c->at);
		memset(i->bytes.p + lo, 0, to - lo);
	}
	if (c->kind != CHANGE_BYTES)
		return;
	lo = MAX(from, c->at);
	hi = MIN(to, c->at + c->bytes.n);
	if (lo < hi)
		memcpy(i->bytes.p + lo, c->bytes.p + (lo - c->at), hi - lo);
}

static uint64_t size_after(const struct inode *f, unsigned n)
{
	uint64_t size = f->disk.bytes.n;

	for (unsigned i = 0; i < n; i++) {
		const struct change *c = &f->changes[i];

		if (c->kind == CHANGE_SIZE)
			size = c->at;
		else if (c->kind == CHANGE_BYTES)
			size = MAX(size, c->at + c->bytes.n);
	}
	return size;
}

/* Every sector has gone its own way through the changes. */
static void mix(struct inode *f, struct prng *r)
{
	uint64_t size = size_after(f, (unsigned)prng_below(r, f->n_changes + 1));

	disk_image_resize(&f->disk, size);
	for (uint64_t at = 0; at < size; at += DISK_SECTOR) {
		unsigned n = (unsigned)prng_below(r, f->n_changes + 1);

		for (unsigned i = 0; i < n; i++)
			apply_within(&f->disk, &f->changes[i], at, MIN(at + DISK_SECTOR, size));
	}
	for (unsigned i = 0; i < f->n_changes; i++)
		if (f->changes[i].kind == CHANGE_MODE && prng_below(r, 2))
			disk_image_apply(&f->disk, &f->changes[i]);
}

static void lose_bytes(struct inode *f, uint64_t seed, struct prng *r)
{
	enum fate fate = fate_of(seed, r);

	if (fate == FATE_KEPT)
		for (unsigned i = 0; i < f->n_changes; i++)
			disk_image_apply(&f->disk, &f->changes[i]);
	else if (fate == FATE_MIXED)
		mix(f, r);
	disk_forget_changes(f);
}

static void lose_names(struct disk *d, uint64_t seed, struct prng *r)
{
	enum fate fate = fate_of(seed, r);

	for (struct naming *p = d->pending; p; p = p->next)
		p->chosen = fate == FATE_KEPT || (fate == FATE_MIXED && prng_below(r, 2));
	disk_carry_out(d);
	while (d->pending) {
		struct naming *p = d->pending;

		d->pending = p->next;
		disk_naming_free(p);
	}
	d->tail = &d->pending;
}

static void come_up(struct inode *f)
{
	f->links = 0;
	f->fds = 0;
	disk_image_copy(&f->disk, &f->live);
	disk_folder_copy(&f->disk_in, &f->live_in);
}

void disk_lose(struct disk *d, uint64_t seed)
{
	struct prng r = {.s = seed};

	lose_names(d, seed, &r);
	for (struct inode *f = d->all; f; f = f->next)
		if (f->n_changes > 0)
			lose_bytes(f, seed, &r);
	for (struct inode *f = d->all; f; f = f->next)
		come_up(f);
	disk_collect(d);
}

void disk_settle(struct disk *d)
{
	for (struct naming *p = d->pending; p; p = p->next)
		p->chosen = true;
	disk_carry_out(d);
	for (struct inode *f = d->all; f; f = f->next) {
		for (unsigned i = 0; i < f->n_changes; i++)
			f->changes[i].dropped = false;
		disk_sync(f);
	}
	disk_collect(d);
}
