/* The pull pipe: links that each read from the one above. */
#ifndef AGENT_STAGE_STAGE_PRIV_H
#define AGENT_STAGE_STAGE_PRIV_H

#include <pthread.h>

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

/* source.c: the artifact's bytes from p->part on; counts them into p->done and looks at p->cancel.
 */
int source_open(const struct stage_pull *p, struct filter **out, struct err *e) MUST_CHECK;
/* Makes a read that waits in another thread end soon. */
void source_stop(struct filter *source);

/* check.c: exactly `length` bytes with this digest (NULL: any) pass; ERR_ALTERED. `what`
 * ("artifact") is borrowed. */
struct filter *check_new(
	struct filter *up, const char *what, uint64_t length, const struct sha256 *digest);

/* borders.c: where a frame ends and the next begins, the artifact can be gone on with. Noted by the
 * thread that decompresses, asked for by the one that unpacks. */
#define BORDERS 16U
struct borders {
	pthread_mutex_t lock;
	unsigned n; /* ever noted; the last BORDERS are kept */
	struct foothold v[BORDERS];
};
void borders_init(struct borders *b);
void borders_fini(struct borders *b);
/* Of borders that lie close together one is as good as all. */
void borders_add(struct borders *b, uint64_t artifact, uint64_t content);
/* The last border at or before this byte of the content. */
bool borders_find(struct borders *b, uint64_t content, struct foothold *out);

/* unzstd.c: never holds more than a window of LIMIT_ZSTD_WINDOW_LOG; ERR_ALTERED for bytes that are
 * no zstd frames, ERR_TOO_LARGE for a larger window. What comes from `up` begins at *begin, and the
 * borders of its frames are noted. */
struct filter *unzstd_new(struct filter *up, const struct foothold *begin, struct borders *borders);

/* pipe.c: everything between the source and whoever unpacks. */
struct pipe {
	struct filter *source, *end; /* end: the link that is read from */
	struct borders borders;
	bool framed;          /* only borders are footholds; else every byte is one */
	uint64_t at;          /* byte of the content that comes next */
	uint64_t told, every; /* artifact byte of the last foothold given; bytes to the next */
	const void *rest;     /* of a piece that was not used up */
	size_t rest_n;
	bool has_sum; /* content whose digest is taken beside, not in the chain */
	struct digest sum;
	struct sha256 want;
	struct ahead *ahead;
};
int pipe_open(const struct stage_pull *p, struct pipe *out, struct err *e) MUST_CHECK;
void pipe_close(struct pipe *p);
/* The next piece of content, borrowed until the next call; *out_n == 0 at the end, which is reached
 * only when everything was as it was signed. */
int pipe_take(struct pipe *p, const void **out_p, size_t *out_n, struct err *e) MUST_CHECK;
/* The end of the piece that was taken last is taken again. */
void pipe_give_back(struct pipe *p, const void *rest, size_t n);
/* The next n bytes go to the sink as data, or with NULL to nobody. ERR_ALTERED when they end. */
int pipe_pass(struct pipe *p, uint64_t n, const struct stage_sink *to, struct err *e) MUST_CHECK;
/* The sink has all content up to byte `at`: if the artifact can be gone on with from near there,
 * and the last foothold is some way back, it is told. */
int pipe_foothold(
	struct pipe *p, uint64_t at, const struct stage_sink *to, struct err *e) MUST_CHECK;

/* unpack_tar.c: content to sink. `length` bounds what any one file may claim to hold; what `part`
 * says the sink has already is left out. */
int unpack_tar(struct pipe *from, const struct stage_sink *to, uint64_t length,
	const struct slot_part *part, struct err *e) MUST_CHECK;

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
 * content does not make the signed tree. What put_begin said in `part` is there already. */
int laydown_begin(struct laydown *l, struct slots *slots, const struct artifact *a,
	const struct slot_part *part, struct stage_sink *out, struct err *e) MUST_CHECK;
/* Before the first byte: does the content that was signed make the tree that was signed? The file's
 * mode follows from it. ERR_ALTERED. */
int laydown_raw_mode(const struct artifact *a, bool *out_executable, struct err *e) MUST_CHECK;

#endif
