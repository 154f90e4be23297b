/* The inside of the simulated disk: inodes in two states, live (what calls see) and on disk (what a
 * power cut leaves), and the changes in between. crashfs_lose.c decides
 * what of them survives. */
#ifndef TESTS_LIB_CRASHFS_DISK_H
#define TESTS_LIB_CRASHFS_DISK_H

#include "lib/prng.h"
#include "lib/sys/fs.h"

#define DISK_SECTOR 512

struct image {
	struct buf bytes;
	uint32_t mode;
};

struct entry {
	char *name;
	struct inode *to;
};
struct folder {
	struct entry *v; /* sorted by name */
	unsigned n, cap;
};

/* One change of a file's bytes, size or mode since the last sync. */
struct change {
	enum { CHANGE_BYTES, CHANGE_SIZE, CHANGE_MODE } kind;
	uint64_t at; /* offset, size or mode */
	struct buf bytes;
	bool dropped; /* by a sync that failed */
};

struct inode {
	struct inode *next; /* of all */
	enum fs_kind kind;
	struct image live, disk;        /* files */
	struct folder live_in, disk_in; /* folders */
	char target[FS_PATH_MAX];       /* links */
	struct change *changes;
	unsigned n_changes;
	unsigned links, fds; /* live */
	struct inode *copy;  /* while a disk is copied; or the mark of a collection */
};

/* One change of names: one or two edits that are seen together or not at all. */
struct edit {
	struct inode *dir;
	char *name;
	struct inode *to; /* NULL: the name goes */
};
struct naming {
	struct naming *next;
	unsigned n;
	struct edit v[2];
	bool chosen;
};

struct disk {
	struct inode *all, *root;
	struct naming *pending, **tail;
	uint64_t used; /* bytes of live files */
};

void disk_init(struct disk *d);
void disk_fini(struct disk *d);
void disk_copy(const struct disk *from, struct disk *to);

struct inode *disk_new_inode(struct disk *d, enum fs_kind kind, uint32_t mode);
struct inode *disk_find(const struct folder *f, const char *name, size_t n);

/* Live now, on disk later. `to` NULL removes. */
void disk_name(struct disk *d, struct inode *dir, const char *name, struct inode *to);
void disk_rename(struct disk *d, struct inode *from_dir, const char *from, struct inode *to_dir,
	const char *to);
void disk_write(struct disk *d, struct inode *f, uint64_t off, const void *p, size_t n);
void disk_resize(struct disk *d, struct inode *f, uint64_t size);
void disk_chmod(struct inode *f, uint32_t mode);
void disk_drop_fd(struct disk *d, struct inode *f);

void disk_sync(struct inode *f);
void disk_fail_sync(struct inode *f);
void disk_sync_dir(struct disk *d, struct inode *dir);
/* What the cache shows becomes what the disk has. */
void disk_reread(struct disk *d, struct inode *f);

/* The power went: what was pending is decided by the seed. */
void disk_lose(struct disk *d, uint64_t seed);
void disk_settle(struct disk *d);
/* ---- what the decision of a power cut is made of ---- */

void disk_image_resize(struct image *i, uint64_t size);
void disk_image_apply(struct image *i, const struct change *c);
void disk_image_copy(const struct image *from, struct image *to);
void disk_folder_copy(const struct folder *from, struct folder *to);
void disk_forget_changes(struct inode *f);
void disk_naming_free(struct naming *p);
/* What was chosen goes to the disk, in order, with everything earlier about the same names; the
 * rest stays pending. */
void disk_carry_out(struct disk *d);
/* Forgets what no name leads to any more; no descriptor is open. */
void disk_collect(struct disk *d);

#endif
