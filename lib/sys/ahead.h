/* Reading ahead: a bounded number of pieces is read in a thread of its own while the caller works
 * on the one before, and if wanted a second thread looks at every piece, too. Without overlap the
 * same happens in the caller's thread, one thing after the other.
 *
 * Pieces are aligned to 4096 and full, but for the last. */
#ifndef LIB_SYS_AHEAD_H
#define LIB_SYS_AHEAD_H

#include "lib/err.h"

#define AHEAD_PIECES_MAX 8U

struct ahead_in {
	/* Up to n bytes into p; *out_n == 0 only at the end. */
	int (*read)(void *ctx, void *p, size_t n, size_t *out_n, struct err *e);
	/* Makes a read that waits end soon; called from another thread. NULL where none waits. */
	void (*stop)(void *ctx);
	void *ctx;
	/* Sees every piece in order, and n == 0 at the end; what it refuses, ahead_take refuses,
	 * at the end at the latest. NULL: nobody. */
	int (*also)(void *ctx, const void *p, size_t n, struct err *e);
	void *also_ctx;
	size_t piece;    /* bytes; a multiple of 4096 */
	unsigned pieces; /* at most, that are held at once: 2 to AHEAD_PIECES_MAX */
	bool overlap;
};

struct ahead;
struct ahead *ahead_new(const struct ahead_in *in);
/* The next piece, borrowed until the next call; *out_n == 0 at the end, and from then on. */
int ahead_take(struct ahead *a, const void **out_p, size_t *out_n, struct err *e) MUST_CHECK;
/* Stops the threads first. */
void ahead_free(struct ahead **a);

#endif
