/* The log on the disk: lines are added behind, and durable before anything that they tell of leaves
 * the process. */
#ifndef SERVER_SIGND_BOOK_H
#define SERVER_SIGND_BOOK_H

#include "lib/sys/fs.h"
#include "server/signd/core/chain.h"

struct book {
	struct fs *fs;
	int fd;
	struct chain at; /* what is durable */
};

/* Opens or makes `path`. `known` is how far it had come for certain: ERR_ALTERED when it is shorter
 * or another one there. What follows is kept as far as it is a log, and the rest, of one write that
 * nobody was answered by, cut off; ERR_ALTERED when that is more than a write puts there. */
int book_open(struct book *b, struct fs *fs, const char *path, const struct chain *known,
	struct err *e) MUST_CHECK;
void book_close(struct book *b);

/* Durable on return: one write and one sync for all notes. On failure the log stands where it
 * stood. */
int book_add(struct book *b, const struct chain_note *notes, unsigned n, struct err *e) MUST_CHECK;

/* Reads a whole log from its first line: *out is where it stands; on failure, too, for the last
 * line that was right. ERR_ALTERED, ERR_BAD_INPUT with the number of the line. */
int book_verify(const char *path, struct chain *out, struct err *e) MUST_CHECK;

#endif
