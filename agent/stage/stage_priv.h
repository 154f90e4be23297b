/* The pull pipe: links that each read from the one above. */
#ifndef AGENT_STAGE_STAGE_PRIV_H
#define AGENT_STAGE_STAGE_PRIV_H

#include "agent/stage/stage.h"

struct filter;

struct filter_ops {
	const char *name;
	/* Up to n bytes into p. *out_n == 0 only at the end, which is reached only when everything
	 * that this link and those above it check was found right. */
	int (*read)(struct filter *, void *p, size_t n, size_t *out_n, struct err *) MUST_CHECK;
	void (*free)(struct filter *); /* frees this link alone */
};

/* The first member of every kind of link. */
struct filter {
	const struct filter_ops *ops;
	struct filter *up; /* NULL: a source */
};

static inline int filter_read(struct filter *f, void *p, size_t n, size_t *out_n, struct err *e)
{
	return f->ops->read(f, p, n, out_n, e);
}

/* Frees the whole pipe that ends in *f. */
void filter_free(struct filter **f);

/* source.c: the artifact's bytes; counts them into in->done and looks at in->cancel. */
int source_open(const struct stage_in *in, const struct artifact *a, struct filter **out,
	struct err *e) MUST_CHECK;
/* Makes a read that waits in another thread end soon. */
void source_stop(struct filter *source);

/* check.c: exactly `length` bytes with this digest (NULL: any) pass; ERR_ALTERED. `what`
 * ("artifact") is borrowed. */
struct filter *check_new(
	struct filter *up, const char *what, uint64_t length, const struct sha256 *digest);

/* unzstd.c: never holds more than a window of LIMIT_ZSTD_WINDOW_LOG; ERR_ALTERED for bytes that are
 * no zstd frames, ERR_TOO_LARGE for a larger window. */
struct filter *unzstd_new(struct filter *up);

/* pipe.c: source, and everything that makes content of it. The source is told apart for
 * source_stop. */
int pipe_open(const struct stage_in *in, const struct artifact *a, struct filter **out_source,
	struct filter **out_end, struct err *e) MUST_CHECK;

/* ahead.c: the lower end of the pipe. Hands out large aligned pieces, and with `overlap` reads the
 * next ones meanwhile, in a thread of its own, a bounded number of them. */
struct ahead;
struct ahead *ahead_new(struct filter *up, struct filter *source, bool overlap);
/* The next piece, borrowed until the next call; *out_n == 0 at the end, with filter_ops.read's
 * promise. */
int ahead_take(struct ahead *a, const uint8_t **out_p, size_t *out_n, struct err *e) MUST_CHECK;
/* Stops the thread first. */
void ahead_free(struct ahead **a);

/* unpack_tar.c, unpack_raw.c: content to slot, between put_begin and put_end. `length` bounds what
 * any one file may claim to hold. */
int unpack_tar(struct ahead *from, struct slots *to, uint64_t length, struct err *e) MUST_CHECK;
int unpack_raw(struct ahead *from, struct slots *to, bool executable, uint64_t length,
	struct err *e) MUST_CHECK;
/* Before the first byte: does the content that was signed make the tree that was signed? The file's
 * mode follows from it. ERR_ALTERED. */
int unpack_raw_mode(const struct artifact *a, bool *out_executable, struct err *e) MUST_CHECK;

#endif
