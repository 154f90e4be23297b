/* The digest of a tree of files: what `release create` signs and `seal` reads back. SHA-256 over
 * one line per entry, in order of path bytes: "d PATH\n", "f MODE SIZE SHA256 PATH\n" (MODE is 0755
 * when any execute bit is set, else 0644), "l TARGET-LENGTH TARGET PATH\n". A raw component is one
 * f line with the path ".". Owner and times are not part of it. */
#ifndef PROTO_WIRE_TREE_H
#define PROTO_WIRE_TREE_H

#include "lib/buf.h"
#include "lib/id.h"
#include "proto/wire/limits.h"

enum tree_kind { TREE_DIR, TREE_FILE, TREE_LINK };

struct tree_entry {
	enum tree_kind kind;
	bool executable;
	uint64_t size;
	struct sha256 digest;
	char *path;   /* owned by the tree */
	char *target; /* TREE_LINK: owned by the tree */
};

struct tree {
	struct tree_entry *v;
	size_t n, cap;
};

void tree_init(struct tree *t);
void tree_fini(struct tree *t);
/* Copies the entry. ERR_TOO_LARGE beyond LIMIT_TAR_ENTRIES, ERR_BAD_INPUT when the path or a link's
 * target cannot stand in a line. */
int tree_add(struct tree *t, const struct tree_entry *entry, struct err *e) MUST_CHECK;
/* Sorts; ERR_BAD_INPUT when a path stands twice. */
int tree_sort(struct tree *t, struct err *e) MUST_CHECK;
/* The lines of a sorted tree, and the way back (which checks order and paths). The digest of the
 * lines is the tree's. */
void tree_encode(const struct tree *t, struct buf *out);
int tree_decode(struct str text, struct tree *out, struct err *e) MUST_CHECK;
/* One line without its end, added wherever it stands: neither order nor parents are looked at. */
int tree_decode_line(struct str line, struct tree *t, struct err *e) MUST_CHECK;
const struct tree_entry *tree_find(const struct tree *t, const char *path);

#endif
