/* HTTP(S) client by libcurl. Blocking calls with bounds on time, size, redirects and headers;
 * called from job threads. TLS is 1.2 at least; certificates and names are always checked, against
 * ca_file alone when it is given; a redirect is followed only to the same scheme, host and port,
 * and only when something is asked for, not sent. Proxies come from the configuration alone, never
 * from the environment. */
#ifndef AGENT_NET_HTTP_H
#define AGENT_NET_HTTP_H

#include <stdatomic.h>

#include "lib/buf.h"

struct http_via;

struct http_conf {
	const struct http_via *via; /* another process that asks instead; NULL: this one does */
	struct str ca_pem, cert_pem, key_pem; /* in place of the files; empty: the files */
	char ca_file[256];                    /* "" : the system's */
	char cert_file[256], key_file[256];
	char proxy[256];
	char no_proxy[256];    /* hosts that are asked without it, by commas; "*" : all */
	uint64_t max_rate;     /* bytes a second at most, each way; 0: no limit */
	char content_type[32]; /* of what is sent; "" : JSON */
	char bearer[128];      /* Authorization: Bearer ...; "" : none */
	char user_agent[64];
	ms_t connect_timeout,
		total_timeout; /* total: for calls that gather a body; 0: 10 s and 60 s */
	uint64_t low_speed;    /* bytes/s below which a transfer is given up, 0: 1000 */
	unsigned low_speed_s;  /* after so many seconds of that, 0: 30 */
	ms_t grace;            /* a stream's waiting before its average counts, 0: 60 s */
	int64_t built_s;  /* when the clock is before this (seconds since 1970), it was never set:
			     the dates of certificates are not judged then, chain and name are */
	unsigned retries; /* of a stream, in a row, without getting further; 0: 5 */
	ms_t retry_wait;  /* before the first of them, doubled each time; 0: 200 ms */
};

struct http_answer {
	int status;
	char etag[128];   /* "" when none */
	ms_t retry_after; /* 0 when none */
	struct buf body;  /* the caller's to buf_fini */
};

/* What http_get and http_send hand on to: the same calls, with the same meaning. `self` is the
 * first argument. */
struct http_via {
	int (*get)(void *self, const struct http_conf *c, const char *url, const char *etag,
		size_t max, const atomic_bool *cancel, struct http_answer *out,
		struct err *e) MUST_CHECK;
	int (*send)(void *self, const struct http_conf *c, const char *method, const char *url,
		struct str body, size_t max, const atomic_bool *cancel, struct http_answer *out,
		struct err *e) MUST_CHECK;
	void *self;
};

/* Of a body that explains a failure no more is kept. */
#define HTTP_ERROR_BODY_MAX ((size_t)8 * 1024)

/* ERR_NET, ERR_TIMEOUT when no answer was had; ERR_IMPOSTOR when the other side has no certificate
 * of this name that leads to the authority; ERR_TOO_LARGE when the body is over `max`, as soon
 * as that is known; ERR_DENIED for a redirect elsewhere; ERR_CONFIG for an address or a certificate
 * file that cannot be used. Any status is an answer: 0 is returned and the caller looks at
 * out->status; of a body that explains a failure only the first 8 KiB are kept. `etag` ("" or NULL:
 * none) goes into If-None-Match. `cancel` may be NULL; when it becomes true the call ends with
 * ERR_CANCELLED. */
int http_get(const struct http_conf *c, const char *url, const char *etag, size_t max,
	const atomic_bool *cancel, struct http_answer *out, struct err *e) MUST_CHECK;
/* method "POST", "PUT", ...; body as JSON. */
int http_send(const struct http_conf *c, const char *method, const char *url, struct str body,
	size_t max, const atomic_bool *cancel, struct http_answer *out, struct err *e) MUST_CHECK;
/* PUT of a file, streamed; `progress` (may be NULL) is told the bytes sent. */
int http_put_file(const struct http_conf *c, const char *url, const char *path, size_t max,
	void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
	struct http_answer *out, struct err *e) MUST_CHECK;
void http_answer_fini(struct http_answer *a);

/* Turns a status that is no success (2xx, 304) into an error: err_by_http, or the server's own
 * {"error","reason"} if it sent one. `what` says what was asked for. */
int http_check(const struct http_answer *a, const char *what, struct err *e) MUST_CHECK;

/* A body that is pulled piece by piece; for artifacts. The whole has `length` bytes (known from
 * signed metadata) and is read from `offset` on. A server that has another length is ERR_ALTERED;
 * what breaks off is fetched again from where it broke, with Range and If-Range, a bounded number
 * of times in a row without getting further, and not before the server's Retry-After. After the
 * grace the average since the beginning must not be below low_speed, either. Nothing is asked for
 * before the first read. */
struct http_stream;
int http_stream_open(const struct http_conf *c, const char *url, uint64_t offset, uint64_t length,
	const atomic_bool *cancel, struct http_stream **out, struct err *e) MUST_CHECK;
/* Up to n bytes; *out_n == 0 only at the end. ERR_NET, ERR_TIMEOUT, ERR_NOT_FOUND, ERR_ALTERED,
 * ERR_DENIED, ERR_CANCELLED. */
int http_stream_read(
	struct http_stream *s, void *p, size_t n, size_t *out_n, struct err *e) MUST_CHECK;
/* From another thread: a read that waits ends soon, with ERR_CANCELLED. */
void http_stream_stop(struct http_stream *s);
void http_stream_close(struct http_stream **s);

#endif
