/* The pull pipe: links that each read from the one above. */
#ifndef AGENT_STAGE_STAGE_PRIV_H
#define AGENT_STAGE_STAGE_PRIV_H

#include "agent/stage/stage.h"
#include "lib/sys/ahead.h"
#include "proto/trust/digest.h"

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

/* source.c: the artifact's bytes; counts them into p->done and looks at p->cancel. */
int source_open(const struct stage_pull *p, struct filter **out, struct err *e) MUST_CHECK;
/* Makes a read that waits in another thread end soon. */
void source_stop(struct filter *source);

/* check.c: exactly `length` bytes with this digest (NULL: any) pass; ERR_ALTERED. `what`
 * ("artifact") is borrowed. */
struct filter *check_new(
	struct filter *up, const char *what, uint64_t length, const struct sha256 *digest);

/* unzstd.c: never holds more than a window of LIMIT_ZSTD_WINDOW_LOG; ERR_ALTERED for bytes that are
 * no zstd frames, ERR_TOO_LARGE for a larger window. */
struct filter *unzstd_new(struct filter *up);

/* pipe.c: everything between the source and whoever unpacks. */
struct pipe {
	struct filter *source, *end; /* end: the link that is read from */
	bool has_sum;                /* content whose digest is taken beside, not in the chain */
	struct digest sum;
	struct sha256 want;
	struct ahead *ahead;
};
int pipe_open(const struct stage_pull *p, struct pipe *out, struct err *e) MUST_CHECK;
void pipe_close(struct pipe *p);
/* The next piece of content, borrowed until the next call; *out_n == 0 at the end, which is reached
 * only when everything was as it was signed. */
int pipe_take(struct pipe *p, const void **out_p, size_t *out_n, struct err *e) MUST_CHECK;

/* unpack_tar.c: content to sink. `length` bounds what any one file may claim to hold. */
int unpack_tar(
	struct pipe *from, const struct stage_sink *to, uint64_t length, struct err *e) MUST_CHECK;

/* laydown.c: a slot as the sink of one component, between put_begin and put_end. It believes
 * nobody: what comes out of order, or is more than was signed, is refused before the slot sees it.
 */
struct laydown {
	struct slots *slots;
	bool is_tar;
	uint64_t room;    /* content bytes that may still come */
	uint64_t left;    /* bytes of the file that is open */
	unsigned entries; /* so far */
};
/* Of a raw component the one file is opened here, as it was signed; ERR_ALTERED when the signed
 * content does not make the signed tree. */
int laydown_begin(struct laydown *l, struct slots *slots, const struct artifact *a,
	struct stage_sink *out, struct err *e) MUST_CHECK;
/* Before the first byte: does the content that was signed make the tree that was signed? The file's
 * mode follows from it. ERR_ALTERED. */
int laydown_raw_mode(const struct artifact *a, bool *out_executable, struct err *e) MUST_CHECK;

#endif
