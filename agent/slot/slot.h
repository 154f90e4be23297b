/* Where a release is laid down. A driver writes; it never decides. Everything lies beneath the
 * agent's home, through the fs seam: slots/a, slots/b (content), slots/a.status (mark and digests,
 * outside the content), slots/a.NAME.tree (the listing of one component). Of raw slots the content
 * is a block device or a file of fixed size, which hold one image from their first byte on; all the
 * rest is the same.
 *
 * Content is read-only for the workload: files have mode 0444 or 0555, because unchanged components
 * may share inodes between slots and a write in one would be a write in both. A workload that needs
 * to write does so elsewhere; `seal` and `has` refuse a slot with anything in it that is not
 * signed.
 *
 * No call touches a slot other than the one it was given. One thread at a time uses a struct slots.
 */
#ifndef AGENT_SLOT_SLOT_H
#define AGENT_SLOT_SLOT_H

#include <stdatomic.h>

#include "agent/core/facts.h"
#include "lib/sys/fs.h"
#include "proto/wire/release.h"
#include "proto/wire/tree.h"

struct slots; /* opaque: kind and place */

/* A place in an artifact from which staging can go on: read from byte `artifact` on, the artifact
 * gives its content from byte `content` on, of which the first `skip` bytes were dealt with. */
struct foothold {
	uint64_t artifact, content, skip;
};

/* How far an earlier run came with a component; all zero: it begins. The file that was put last has
 * `size` bytes, of which `left` are to come, and is one of `entries`. */
struct slot_part {
	struct foothold at;
	uint64_t size, left;
	unsigned entries;
};

struct slot_driver {
	const char *kind; /* "dir", "raw", "null" */
	const char *help;

	/* What stands in the slot's status. Changes nothing. A missing or unreadable status is
	 * SLOT_INVALID. */
	int (*look)(struct slots *, unsigned slot, struct slot_view *out, struct err *) MUST_CHECK;

	/* What bringing `r` into `slot` takes, judged by listings alone: *out_need bytes to be
	 * written for components that neither the slot nor `from` (SLOT_NONE: none) has, and
	 * *out_room that may be written once `begin` has emptied the slot. Changes nothing. Of raw
	 * slots: the image and the device; ERR_CONFLICT for a release that is not one image,
	 * ERR_BUSY for a device that is in use, ERR_CONFIG when both slots are one device. */
	int (*cost)(struct slots *, unsigned slot, unsigned from, const struct release *r,
		uint64_t *out_need, uint64_t *out_room, struct err *) MUST_CHECK;

	/* The slot is INVALID, durably, on return; before any byte of it changes. Content may still
	 * lie there. */
	int (*invalidate)(struct slots *, unsigned slot, struct err *) MUST_CHECK;

	/* Empties the slot and makes it ready for a release: what is no component of `r`, or
	 * has a listing other than its tree, is removed. Only after `invalidate`. */
	int (*begin)(
		struct slots *, unsigned slot, const struct release *r, struct err *) MUST_CHECK;

	/* Is this component in the slot already, whole and durable, written since `begin` by an
	 * earlier run? Its files are read and digested before the answer is yes. */
	int (*has)(struct slots *, unsigned slot, const struct component *c, bool *out,
		struct err *) MUST_CHECK;

	/* Takes the component over from another, valid slot: shares what can be shared, copies the
	 * rest, after every file's digest was checked against the signed tree. *out_taken is false
	 * (and nothing is left behind) when that slot is not VALID or does not hold this very tree
	 * at this very path. Durable on return. */
	int (*take_over)(struct slots *, unsigned slot, unsigned from, const struct component *c,
		bool *out_taken, struct err *) MUST_CHECK;

	/* Lays a component down as its bytes come. What an earlier run has noted of this very
	 * artifact is read back and kept, and *out_part says from where to go on; otherwise, and
	 * with `anew`, what lay at its place is removed first. Names are relative to the
	 * component's path; the one file of a raw component is ".". ERR_DENIED for a name or a link
	 * target that leaves the component, or a name beneath a link; ERR_BAD_INPUT for a name that
	 * stands twice. put_file is followed by exactly `size` bytes of put_data. Missing parents
	 * are made, and count as entries of the tree. */
	int (*put_begin)(struct slots *, unsigned slot, const struct component *c, bool anew,
		struct slot_part *out_part, struct err *) MUST_CHECK;
	int (*put_dir)(struct slots *, const char *path, struct err *) MUST_CHECK;
	int (*put_file)(struct slots *, const char *path, bool executable, uint64_t size,
		struct err *) MUST_CHECK;
	int (*put_link)(
		struct slots *, const char *path, const char *target, struct err *) MUST_CHECK;
	int (*put_data)(struct slots *, const void *p, size_t n, struct err *) MUST_CHECK;
	/* What was put so far, up to the last byte of data, can be gone on from `at`. Noted durably
	 * when enough has come since the last time: with the bytes before it, perhaps with some
	 * that follow, or not at all. NULL: this driver always begins anew. */
	int (*put_foothold)(struct slots *, const struct foothold *at, struct err *) MUST_CHECK;
	/* Syncs everything of the component and writes its listing; ERR_ALTERED when the tree
	 * differs from the signed one. */
	int (*put_end)(struct slots *, struct err *) MUST_CHECK;
	/* Gives the component up. With `keep`, what was noted of it stays for another put_begin;
	 * what was not is removed, here or there. Harmless when nothing is open. */
	void (*put_abort)(struct slots *, bool keep);

	/* Reads back every byte of every component from the device (not from the cache) and
	 * compares with the signed trees; changes nothing. ERR_ALTERED (also for a file that
	 * belongs to nothing), ERR_IO, ERR_CANCELLED (slots_set_cancel). */
	int (*verify)(
		struct slots *, unsigned slot, const struct release *r, struct err *) MUST_CHECK;

	/* `verify`, and only then marks the slot VALID, durably. *out_content is the
	 * digest over all trees. ERR_ALTERED (also for a file that belongs to nothing), ERR_IO. */
	int (*seal)(struct slots *, unsigned slot, const struct release *r,
		const struct sha256 *document, struct sha256 *out_content, struct err *) MUST_CHECK;
};

/* The driver named `kind`, or NULL. */
const struct slot_driver *slot_driver_find(const char *kind);

/* `fs` (rooted at the agent's home) must outlive it. Makes slots/a and slots/b if they are missing.
 */
int slots_open(struct fs *fs, const char *kind, struct slots **out, struct err *e) MUST_CHECK;
void slots_close(struct slots **s);
/* Where raw slots lie: paths beneath `fs`, which must outlive it; a leading '/' stands for its
 * root. ERR_TOO_LARGE. */
int slots_set_devices(struct slots *s, struct fs *fs, const char *const path[SLOT_COUNT],
	struct err *e) MUST_CHECK;
/* How many threads may work at once inside one call: 1 (the beginning) keeps everything in the
 * caller's thread, in one order. */
void slots_set_threads(struct slots *s, unsigned n);
/* How many bytes of an artifact may come between two notes of how far it is, 2 MiB at the
 * beginning: what a power cut costs is this, a frame, and what is under way. */
void slots_set_note_every(struct slots *s, uint64_t bytes);
/* `verify` ends soon when it is set. NULL: nothing ends it. */
void slots_set_cancel(struct slots *s, const atomic_bool *cancel);
const struct slot_driver *slots_driver(const struct slots *s);

/* "slots/a": relative to home. */
const char *slot_path(unsigned slot);

/* What `seal` answers for `r`: SHA-256 over one line "PATH TREE-DIGEST\n" per component, in the
 * release's order. */
void slot_content(const struct release *r, struct sha256 *out);

#endif
