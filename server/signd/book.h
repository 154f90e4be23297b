/* The log on the disk: lines are added behind, and durable before anything that they tell of leaves
 * the process. */
#ifndef SERVER_SIGND_BOOK_H
#define SERVER_SIGND_BOOK_H

#include "lib/sys/fs.h"
#include "server/signd/core/chain.h"

struct book {
	struct fs *fs;
	int fd;
	uint64_t size; /* bytes that are durable */
	struct chain at;
};

/* Opens or makes `path`. Half a line at the end, which nobody was told of, is cut off. `known` is
 * how far it had come for certain: ERR_ALTERED when it is shorter or another one. */
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
