/* HTTP for the server: libmicrohttpd driven by the event loop, one thread, requests as values. It
 * knows the routes (proto/wire/routes.tbl.h), bounds and TLS, and nothing of what a request means.
 */
#ifndef SERVER_WEB_WEB_H
#define SERVER_WEB_WEB_H

#include <systemd/sd-event.h>

#include "lib/buf.h"
#include "proto/wire/routes.h"

struct web_conf {
	char bind[64];                    /* numeric address */
	uint16_t port;                    /* 0: the kernel chooses; web_port tells */
	char tls_cert[256], tls_key[256]; /* PEM; "" : plain HTTP */
	const char *client_ca;            /* PEM text: clients are asked for certificates of this
					     authority; NULL: they are not asked */
	char upload_dir[256];             /* where large bodies are gathered */
	unsigned max_connections;         /* that are served; some more are told to come back */
	ms_t busy_after; /* devices are told to come back, once answering those before them in the
			    same turn of the loop has taken so long; 0: never */
};

struct web_request {
	enum route route;
	struct str args[ROUTE_ARGS_MAX]; /* the {names} of the route, in order, decoded */
	const char *etag;                /* If-None-Match, or "" */
	const char *bearer;              /* token of the Authorization header, or "" */
	const char *peer;                /* numeric address */
	struct str client_cert; /* DER: whoever asks has proved to have its key; nothing else about
				   it was checked. Empty: none was shown */
	struct str body;        /* unless body_file is set */
	const char *body_file;  /* a large body: a file in upload_dir, which the handler may rename
				   away; else removed */
	const char *(*query)(
		const struct web_request *, const char *name); /* NULL when it is not there */
	void *priv;
};

/* Filled by the handler; zeroed before. */
struct web_reply {
	int status;
	const char *type;       /* static; default application/json */
	struct buf body;        /* taken over */
	char etag[80];          /* without quotes */
	unsigned retry_after_s; /* with 429 and 503 at least so long, and at most twice */
	char file[512];         /* serve this file instead of body; ranges work */
	char error[32];         /* name of the error for the server's metrics, or "" */
};

typedef void web_handler_f(void *ctx, const struct web_request *rq, struct web_reply *out);

/* For handlers whose changes become durable together: `begin` is called before the requests of one
 * turn of the loop, `end` after them. An answer that was given while `is_open` says so is sent
 * after `end`, as it is, or as the error that `end` returns. */
struct web_turn {
	void (*begin)(void *ctx);
	bool (*is_open)(void *ctx);
	int (*end)(void *ctx, struct err *e);
};

struct web;
/* `turn` may be NULL: what a handler has changed is durable when it returns. */
int web_open(sd_event *loop, const struct web_conf *c, web_handler_f *handler,
	const struct web_turn *turn, void *ctx, struct web **out, struct err *e) MUST_CHECK;
void web_close(struct web **w);
uint16_t web_port(const struct web *w);

/* Fills a reply from an error: its HTTP status and {"error": NAME, "reason": TEXT}. */
void web_reply_err(struct web_reply *out, const struct err *e);

/* How long the handler took for a request, in microseconds: edges of the buckets. */
#define WEB_TOOK_EDGES                                                                             \
	{                                                                                          \
		100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000      \
	}
#define WEB_TOOK_BUCKETS 13 /* one more than edges: what took longer than all */

struct web_stats {
	uint64_t requests[ROUTE_MAX + 1]; /* the last: no such route */
	uint64_t errors;                  /* answers of 400 and more */
	uint64_t busy;                    /* of them, told to come back: 429 and 503 */
	unsigned connections;
	uint64_t took[WEB_TOOK_BUCKETS], took_us; /* requests by bucket; all together */
	uint64_t bodies; /* bytes that are being gathered in memory just now */
};
const struct web_stats *web_stats(const struct web *w);

#endif
