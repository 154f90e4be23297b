/* A small HTTP server that misbehaves on order, on a loopback port of the kernel's choice, one
 * connection at a time in a thread of its own. For tests of clients. */
#ifndef TESTS_LIB_HTTPD_H
#define TESTS_LIB_HTTPD_H

#include "lib/buf.h"

enum httpd_manner {
	HTTPD_SERVE,        /* as one should: ranges, If-Range, ETag, If-None-Match */
	HTTPD_NO_RANGE,     /* the whole body, whatever is asked for */
	HTTPD_CUT,          /* hangs up after n bytes of each answer's body */
	HTTPD_LENGTH,       /* states n as Content-Length, sends the body, hangs up */
	HTTPD_CHUNKED,      /* no length: the body in chunks, then n bytes more */
	HTTPD_ENDLESS,      /* a body that never ends */
	HTTPD_HEADERS,      /* headers that never end */
	HTTPD_STATUS,       /* status n, with the body */
	HTTPD_REDIRECT,     /* status n, Location: the body */
	HTTPD_SILENT,       /* reads the request, and nothing more */
	HTTPD_STALL,        /* n bytes of the body, and nothing more */
	HTTPD_SHIFTED,      /* answers a range with another one */
	HTTPD_DRIP,         /* the body, or if empty one without end: a byte every n ms */
	HTTPD_DRIP_HEADERS, /* the same with headers */
};

struct httpd_file {
	const char *path;
	struct str body;  /* borrowed */
	const char *etag; /* with its quotes; NULL: none */
	enum httpd_manner manner;
	const char *range; /* Content-Range of a part; NULL: the true one */
	unsigned times; /* the manner lasts for so many requests, then HTTPD_SERVE; 0: for ever */
	uint64_t n;
};

struct httpd;

/* Ends the test when no port is to be had. */
struct httpd *httpd_new(void);
void httpd_free(struct httpd **h);
/* "http://127.0.0.1:PORT" */
const char *httpd_url(const struct httpd *h);
/* Adds the file, or replaces the one of that path. */
void httpd_put(struct httpd *h, const struct httpd_file *f);
/* Paths that no file has are looked up beneath this folder; an ETag is made of their bytes. */
void httpd_set_dir(struct httpd *h, const char *dir);
/* What HTTPD_STATUS says of when to come back; 1 at the beginning. */
void httpd_set_retry_after(struct httpd *h, unsigned seconds);
/* Hangs up on the nth GET from now on, counted from 1, and answers all others. 0: on none. */
void httpd_drop(struct httpd *h, unsigned nth);
/* Makes what neither a file nor the folder has; false: there is none. Called in the server's
 * thread. */
typedef bool httpd_maker_f(void *ctx, const char *path, struct buf *out);
void httpd_set_maker(struct httpd *h, httpd_maker_f *make, void *ctx);
/* From now on every POST is taken and answered with 200. */
void httpd_take_posts(struct httpd *h);

/* What was asked for so far: requests of one path (NULL: of all), and the last request's head. */
unsigned httpd_count(struct httpd *h, const char *path);
void httpd_asked(struct httpd *h, struct buf *out); /* the paths, one a line */
void httpd_last(struct httpd *h, struct buf *out);
/* The bodies of all POSTs, one a line. */
void httpd_posts(struct httpd *h, struct buf *out);
/* Forgets all that, once the server has no connection: from then on the bodies it was given may be
 * changed. */
void httpd_forget(struct httpd *h);

#endif
