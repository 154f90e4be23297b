/* A small HTTP server on loopback that answers what a test says: the other end of a client under
 * test. */
#ifndef TESTS_LIB_WEBTEST_H
#define TESTS_LIB_WEBTEST_H

#include "lib/buf.h"

struct webtest_request {
	const char *method, *path;
	const char *agent; /* User-Agent, or "" */
	struct str body;
};

struct webtest_reply {
	int status;      /* 200 when the answerer sets none */
	bool hang;       /* nobody is answered from now on, until the server is closed */
	struct buf body; /* freed by the server */
	char name[32];   /* of one extra header, or "" */
	char value[128];
};

/* Called in the server's own thread, one request at a time. */
typedef void webtest_f(void *ctx, const struct webtest_request *rq, struct webtest_reply *out);

struct webtest;
/* Listens on 127.0.0.1; a port of 0 lets the kernel choose one. Ends the test when it cannot. */
struct webtest *webtest_open(unsigned port, webtest_f *answer, void *ctx);
void webtest_close(struct webtest **w);
/* "http://127.0.0.1:PORT" and `path`. */
void webtest_url(const struct webtest *w, const char *path, char *out, size_t cap);
unsigned webtest_port(const struct webtest *w);

#endif
