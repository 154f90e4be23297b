/* What the files of this directory share. */
#ifndef AGENT_SLOT_SLOT_PRIV_H
#define AGENT_SLOT_SLOT_PRIV_H

#include "agent/slot/slot.h"
#include "proto/trust/digest.h"

/* ---- ledger.c: what was laid down of one component, and its digests ---- */

struct ledger {
	struct tree tree; /* in order of arrival; folders that were only implied stand in it, too */
	uint32_t *set;    /* open hash of entry numbers + 1, by path */
	size_t set_cap, seed;
	struct digest digest; /* of the file that is being written */
	size_t file;          /* its number in the tree */
	uint64_t left;        /* bytes of it still to come */
	bool in_file;
};

void ledger_init(struct ledger *l);
void ledger_fini(struct ledger *l);
/* Each adds one entry, and before it the folders above it that are missing. ERR_DENIED,
 * ERR_BAD_INPUT, ERR_TOO_LARGE as slot.h says; nothing was added then that matters, for the
 * component is given up. A folder may be named twice: nothing depends on it. */
int ledger_dir(struct ledger *l, const char *path, struct err *e) MUST_CHECK;
int ledger_link(struct ledger *l, const char *path, const char *target, struct err *e) MUST_CHECK;
int ledger_file(struct ledger *l, const char *path, bool executable, uint64_t size,
	struct err *e) MUST_CHECK;
/* Bytes of the file; when `size` of them have come, in_file is false. */
int ledger_data(struct ledger *l, const void *p, size_t n, struct err *e) MUST_CHECK;
/* What an earlier run had in its ledger: an entry as tree.h writes it. A file that stands there
 * already is replaced. */
int ledger_again(struct ledger *l, struct str line, struct err *e) MUST_CHECK;
/* The file that was added last has `size` bytes in all, and is gone on with; those that it has are
 * then given to ledger_prefix. */
void ledger_reopen(struct ledger *l, uint64_t size);
void ledger_prefix(struct ledger *l, const void *p, size_t n);
bool ledger_has(const struct ledger *l, const char *path);
/* Appends the entries from number `from` on as lines; of the file that is open the bytes so far. */
void ledger_lines(const struct ledger *l, size_t from, struct buf *out);
/* Sorts, and appends the listing; ERR_ALTERED when its digest is not `want`. */
int ledger_end(struct ledger *l, const struct sha256 *want, struct buf *out_listing,
	struct err *e) MUST_CHECK;

/* ---- writer.c: files, written in large aligned pieces ---- */

/* Pieces begin at multiples of this, and an edge is one. */
#define WRITER_ALIGN ((size_t)4096)

struct writer;
/* With `overlap` a thread of its own does the writing; then a failure shows at a later call, at
 * writer_drain at the latest. Without, everything happens in the caller's thread, in order. */
struct writer *writer_new(struct fs *fs, bool overlap);
/* Waits for the thread, closes what is open. */
void writer_free(struct writer **w);
/* One file after the other. It must not exist, and gets exactly `size` bytes. Nothing is durable
 * before it is synced by name (settle.c). */
int writer_open(struct writer *w, const char *path, uint64_t size, bool executable,
	struct err *e) MUST_CHECK;
/* The same for a device or file that is there, opened by the caller for writing and from now on the
 * writer's to close: `size` bytes from its beginning, of which `done`, an edge, are there. It is
 * never truncated, and of its `room` bytes nothing but the rest of the last block is written
 * besides. What the cache may hold unsynced is bounded; durable when writer_drain returns. */
void writer_adopt(struct writer *w, int fd, uint64_t size, uint64_t room, uint64_t done);
int writer_add(struct writer *w, const void *p, size_t n, struct err *e) MUST_CHECK;
int writer_close(struct writer *w, struct err *e) MUST_CHECK;
/* Everything has been written, and every file closed. */
int writer_drain(struct writer *w, struct err *e) MUST_CHECK;
/* The file is there, and its first `done` bytes are kept: an edge, or all of them. */
int writer_reopen(struct writer *w, const char *path, uint64_t size, uint64_t done, bool executable,
	struct err *e) MUST_CHECK;
/* How many bytes are missing to the next edge. At an edge, and between files, nothing that was
 * given is held back. */
size_t writer_gap(const struct writer *w);
bool writer_at_edge(const struct writer *w);
/* At an edge: what was given of the file that is open is durable; its name is the caller's. */
int writer_sync(struct writer *w, struct err *e) MUST_CHECK;

/* ---- place.c: names ---- */

#define PLACE_MAX FS_PATH_MAX

/* "slots/a/PATH", "slots/a.NAME.tree": the bounds of their parts keep them within PLACE_MAX. */
void place_component(char out[PLACE_MAX], unsigned slot, const struct component *c);
void place_listing(char out[PLACE_MAX], unsigned slot, const char *component);
void place_part(char out[PLACE_MAX], unsigned slot, const char *component);
/* "BASE/NAME"; NAME "." is BASE itself. ERR_TOO_LARGE: what others put there may be any length. */
int place_entry(char out[PLACE_MAX], const char *base, const char *name, struct err *e) MUST_CHECK;
/* Names in one folder, read whole so that the folder may change meanwhile: each is a kind byte, the
 * name and a NUL. A folder that is missing is empty. */
int place_names(struct fs *fs, const char *dir, struct buf *out, struct err *e) MUST_CHECK;
bool place_next(const struct buf *names, size_t *at, const char **out_name, enum fs_kind *out_kind);

/* ---- listing.c: slots/a.NAME.tree ---- */

/* *out_is is true when the listing is there and is the signed tree; then, and if out is not NULL,
 * it is decoded into *out (the caller's to tree_fini). */
int listing_load(struct fs *fs, unsigned slot, const struct component *c, struct tree *out,
	bool *out_is, struct err *e) MUST_CHECK;
int listing_save(struct fs *fs, unsigned slot, const struct component *c, const struct buf *lines,
	struct err *e) MUST_CHECK;
/* Durable on return. */
int listing_remove(struct fs *fs, unsigned slot, const char *component, struct err *e) MUST_CHECK;
/* Removes the listings and parts of all components of the slot that are none of `r`. */
int listing_prune(struct fs *fs, unsigned slot, const struct release *r, struct err *e) MUST_CHECK;

/* ---- part.c: slots/a.NAME.part, what is durable of a component that is not whole yet ---- */

/* The file grows by notes: the lines of the entries that came since, and a line that says how far
 * that is, with a digest over all before it. What a cut leaves behind the last note that is whole
 * is no part. A file that was noted in the middle stands there with its bytes so far. */
struct part {
	struct digest sum; /* over the file */
	size_t entries;    /* of the ledger that stand in it for good */
	size_t named;      /* whose names it speaks of: the file that is open, too */
	uint64_t artifact; /* of the last note; 0: there is none */
};

void part_init(struct part *p);
void part_fini(struct part *p);
/* Adds what was noted of this very artifact to the empty ledger. With out_part->at.artifact == 0
 * there is nothing, or nothing that can be used. */
int part_load(struct fs *fs, unsigned slot, const struct component *c, struct ledger *l,
	struct part *p, struct slot_part *out_part, struct err *e) MUST_CHECK;
/* Durable on return; everything that it speaks of must be durable before. */
int part_note(struct fs *fs, unsigned slot, const struct component *c, const struct ledger *l,
	const struct foothold *at, struct part *p, struct err *e) MUST_CHECK;
/* Bytes of content that were noted; 0 when there is no part of this artifact, or none that can be
 * used. */
uint64_t part_bytes(struct fs *fs, unsigned slot, const struct component *c);
/* Durable on return. */
int part_remove(struct fs *fs, unsigned slot, const char *component, struct err *e) MUST_CHECK;

/* ---- status.c: slots/a.status ---- */

/* An unreadable status is SLOT_INVALID, not an error. */
int status_load(struct fs *fs, unsigned slot, struct slot_view *out, struct err *e) MUST_CHECK;
int status_save(struct fs *fs, unsigned slot, const struct slot_view *v, struct err *e) MUST_CHECK;
/* What `verify` has found is VALID from now on. */
int status_seal(struct fs *fs, unsigned slot, const struct release *r,
	const struct sha256 *document, struct sha256 *out_content, struct err *e) MUST_CHECK;
int status_remove(struct fs *fs, unsigned slot, struct err *e) MUST_CHECK;

/* ---- readback.c: is what is stored what was signed? ---- */

enum readback_from { READBACK_CACHE, READBACK_DEVICE };

/* The folder or file `base` is exactly `t`: every byte is read. ERR_ALTERED names the entry. */
int readback_tree(struct fs *fs, const char *base, const struct tree *t, enum readback_from from,
	unsigned threads, const atomic_bool *cancel, struct err *e) MUST_CHECK;
/* ERR_CANCELLED when the flag is there and set. */
int readback_check(const atomic_bool *cancel, struct err *e) MUST_CHECK;
/* The same, and there may be other things beside. */
int readback_entries(struct fs *fs, const char *base, const struct tree *t, enum readback_from from,
	unsigned threads, struct err *e) MUST_CHECK;

/* ---- settle.c: making a component durable ---- */

/* Every file and folder of the tree, and the folders above it up to the slot. */
int settle_tree(struct fs *fs, unsigned slot, const char *base, const struct tree *t,
	struct err *e) MUST_CHECK;
/* The files among entries `from` to `to` (not included). */
int settle_files(struct fs *fs, const char *base, const struct tree *t, size_t from, size_t to,
	struct err *e) MUST_CHECK;
/* The names of all entries from `from` on. */
int settle_names(struct fs *fs, const char *base, const struct tree *t, size_t from,
	struct err *e) MUST_CHECK;
/* The folders of the tree, and those above it up to the slot. */
int settle_dirs(struct fs *fs, unsigned slot, const char *base, const struct tree *t,
	struct err *e) MUST_CHECK;

/* ---- sweep.c: what lies in a slot and belongs to nothing ---- */

/* The paths that may stay, relative to the slot. */
struct sweep_keep {
	unsigned n;
	const char *path[LIMIT_COMPONENTS];
};
int sweep_remove(
	struct fs *fs, unsigned slot, const struct sweep_keep *keep, struct err *e) MUST_CHECK;
/* ERR_ALTERED when there is anything else. */
int sweep_check(
	struct fs *fs, unsigned slot, const struct sweep_keep *keep, struct err *e) MUST_CHECK;
/* Bytes that sweep_remove would give back. */
int sweep_bytes(struct fs *fs, unsigned slot, const struct sweep_keep *keep, uint64_t *out,
	struct err *e) MUST_CHECK;

/* ---- raw_dev.c: the devices of raw slots ---- */

/* To write: ours alone while it is open. ERR_BUSY when it is mounted or otherwise in use,
 * ERR_CONFIG when it is the other slot's, too, ERR_IO when it is not there. */
int raw_open_to_write(
	struct slots *s, unsigned slot, int *out_fd, uint64_t *out_room, struct err *e) MUST_CHECK;
/* Bytes that it takes. ERR_NOT_FOUND. */
int raw_room(struct slots *s, unsigned slot, uint64_t *out, struct err *e) MUST_CHECK;
/* Gives the first `size` bytes, piece by piece. ERR_ALTERED when there are fewer, ERR_IO when the
 * device is not there. */
typedef int raw_piece_f(void *ctx, const void *p, size_t n, struct err *e);
int raw_read(struct slots *s, unsigned slot, uint64_t size, enum readback_from from,
	raw_piece_f *piece, void *ctx, struct err *e) MUST_CHECK;
/* Are the first bytes exactly what was signed? ERR_ALTERED. */
int raw_verify(struct slots *s, unsigned slot, const struct artifact *a, enum readback_from from,
	struct err *e) MUST_CHECK;

/* raw_put.c: the raw driver's put_* */
int raw_put_begin(struct slots *s, unsigned slot, const struct component *c, bool anew,
	struct slot_part *out_part, struct err *e) MUST_CHECK;
int raw_put_dir(struct slots *s, const char *path, struct err *e) MUST_CHECK;
int raw_put_file(struct slots *s, const char *path, bool executable, uint64_t size,
	struct err *e) MUST_CHECK;
int raw_put_link(struct slots *s, const char *path, const char *target, struct err *e) MUST_CHECK;
int raw_put_end(struct slots *s, struct err *e) MUST_CHECK;
void raw_put_abort(struct slots *s, bool keep);

/* ---- the drivers ---- */

struct slots {
	const struct slot_driver *driver;
	struct fs *fs;
	unsigned threads;
	const atomic_bool *cancel; /* of verify; may be NULL */
	/* between put_begin and put_end or put_abort */
	bool putting;
	unsigned put_slot;
	struct component put_component;
	struct ledger ledger;
	struct writer *writer; /* from the first file on */
	struct part part;
	int (*settle)(struct slots *, struct err *);
	bool has_foothold; /* that waits for the writer's next edge */
	struct foothold foothold;
	uint64_t note_every; /* bytes of the artifact from one note to the next */
	char put_base[PLACE_MAX];
	/* of raw slots */
	struct fs *devices; /* NULL: nobody has said where they are */
	char device[SLOT_COUNT][PLACE_MAX];
	/* of the driver that stores nothing */
	struct slot_view null_view[SLOT_COUNT];
	struct sha256 null_tree[SLOT_COUNT][LIMIT_COMPONENTS];
	unsigned null_n[SLOT_COUNT];
};

extern const struct slot_driver slot_dir, slot_raw, slot_null;

/* take.c */
int take_component(struct slots *s, unsigned slot, unsigned from, const struct component *c,
	bool *out_taken, struct err *e) MUST_CHECK;

/* books.c: what is open between put_begin and put_end; the writer is the driver's to add. `settle`
 * makes durable what was put so far; the writer is at an edge. */
void books_open(struct slots *s, int (*settle)(struct slots *, struct err *));
void books_close(struct slots *s);
int put_foothold(struct slots *s, const struct foothold *at, struct err *e) MUST_CHECK;
int put_data(struct slots *s, const void *p, size_t n, struct err *e) MUST_CHECK;

/* put.c: the dir driver's put_* */
int put_begin(struct slots *s, unsigned slot, const struct component *c, bool anew,
	struct slot_part *out_part, struct err *e) MUST_CHECK;
int put_dir(struct slots *s, const char *path, struct err *e) MUST_CHECK;
int put_file(struct slots *s, const char *path, bool executable, uint64_t size,
	struct err *e) MUST_CHECK;
int put_link(struct slots *s, const char *path, const char *target, struct err *e) MUST_CHECK;
int put_end(struct slots *s, struct err *e) MUST_CHECK;
void put_abort(struct slots *s, bool keep);

/* resume.c: brings what the part says back into the ledger and the writer, after reading it from
 * the disk, and removes all else. False when nothing can be gone on with, for whatever reason:
 * then ledger and writer are good for nothing. */
bool resume_part(struct slots *s, const struct component *c, struct slot_part *out_part);

#endif
