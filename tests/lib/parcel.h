/* Components for tests: a few entries in, and out come the tar, the artifact and the numbers that a
 * release would state of them. Nothing is checked on the way, so hostile archives are made of the
 * same entries. Failures inside end the test. */
#ifndef TESTS_LIB_PARCEL_H
#define TESTS_LIB_PARCEL_H

#include "proto/wire/release.h"
#include "proto/wire/tree.h"

struct parcel_entry {
	char type; /* as in ustar: '0' file, '5' folder, '2' symbolic link, '1' hard link, ... */
	const char *path;
	const char *body; /* a file's bytes, a link's target */
	uint32_t mode;    /* 0: 0644, 0755 for a folder */
};

#define PARCEL_END                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

/* The headers and bodies of one entry. Names beyond ustar's 100 bytes go into a pax header. */
void parcel_tar_entry(struct buf *tar, const struct parcel_entry *x);
/* Entries up to PARCEL_END, and the two empty blocks. */
void parcel_tar(struct buf *tar, const struct parcel_entry *v);
void parcel_zstd(struct str plain, int level, int window_log, struct buf *out);

/* Digest of the tree that the entries become: parents that are not named are added. */
void parcel_tree(const struct parcel_entry *v, struct sha256 *out);
void parcel_raw_tree(struct str content, bool executable, struct sha256 *out);

/* Makes *c of an archive with these entries; *out_artifact is what crosses the network. */
void parcel_make_tar(struct component *c, const char *name, const char *path,
	const struct parcel_entry *v, enum compression how, struct buf *out_artifact);
void parcel_make_raw(struct component *c, const char *name, const char *path, struct str content,
	enum compression how, struct buf *out_artifact);
/* Fills the artifact's numbers for these content bytes, and the bytes. The tree is the caller's. */
void parcel_wrap(
	struct component *c, struct str content, enum compression how, struct buf *out_artifact);

#endif
