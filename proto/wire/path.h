/* Names of files as releases and archives may state them. */
#ifndef PROTO_WIRE_PATH_H
#define PROTO_WIRE_PATH_H

#include "lib/buf.h"
#include "proto/wire/limits.h"

/* Is this a name that may be resolved beneath a slot: relative, 1 to `max` bytes, no empty, "." or
 * ".." part, no backslash, no control character, at most LIMIT_TAR_DEPTH parts? */
int path_check(struct str path, size_t max, struct err *e) MUST_CHECK;

/* Are the two the same name, or is one inside the other? */
bool path_overlaps(const char *a, const char *b);

/* May a link at `path` point at `target`? Relative, and ".." only at its beginning and no further
 * up than the folder that all is relative to: then no chain of links leads out. ERR_DENIED. */
int path_link_check(const char *path, const char *target, struct err *e) MUST_CHECK;

/* Appends the text with a %XX for each byte that is neither a letter or digit nor one of "-._~":
 * fit for an address, and for the name of a file. `keep_slashes`: nor '/'. */
void path_quote(struct str text, bool keep_slashes, struct buf *out);

#endif
