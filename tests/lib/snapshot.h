/* A folder as text, one line per thing in it, in order of names: two of them are compared to see
 * that nothing has changed. */
#ifndef TESTS_LIB_SNAPSHOT_H
#define TESTS_LIB_SNAPSHOT_H

#include "lib/buf.h"

/* "PATH KIND MODE SIZE DIGEST-OR-TARGET\n", inode numbers left out. The folder need not exist. */
void snapshot_take(const char *dir, struct buf *out);

#endif
