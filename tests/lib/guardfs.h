/* Another struct fs with an eye on it: every name that is about to be changed is shown to a judge
 * first. For laws about who may write where. */
#ifndef TESTS_LIB_GUARDFS_H
#define TESTS_LIB_GUARDFS_H

#include "lib/sys/fs.h"

struct guardfs {
	struct fs fs; /* to be used */
	struct fs *inner;
	/* `what` is the operation; the judge only takes note, the operation is carried out. */
	void (*judge)(void *ctx, const char *what, const char *path);
	void *ctx;
};

void guardfs_init(struct guardfs *g, struct fs *inner,
	void (*judge)(void *ctx, const char *what, const char *path), void *ctx);

#endif
