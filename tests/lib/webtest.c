#include "tests/lib/webtest.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/expect.h"

struct webtest {
	struct MHD_Daemon *daemon;
	unsigned port;
	webtest_f *answer;
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t closing;
	bool is_closing;
};

/* Blocks the server's only thread: nobody is answered any more. */
static void wait_for_close(struct webtest *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->is_closing)
		pthread_cond_wait(&w->closing, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static void fill_response(struct webtest_reply *reply, struct MHD_Response *r)
{
	MHD_add_response_header(r, "Content-Type", "text/plain");
	if (reply->name[0])
		MHD_add_response_header(r, reply->name, reply->value);
}

static enum MHD_Result reply_to(struct webtest *w, struct MHD_Connection *c, const char *method,
	const char *path, const struct buf *body)
{
	const char *agent = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "User-Agent");
	struct webtest_request rq = {method, path, agent ? agent : "", buf_str(body)};
	struct webtest_reply reply = {.status = 200};
	struct MHD_Response *r;
	enum MHD_Result rc;

	w->answer(w->ctx, &rq, &reply);
	if (reply.hang) {
		wait_for_close(w);
		buf_fini(&reply.body);
		return MHD_NO;
	}
	r = MHD_create_response_from_buffer(reply.body.n, reply.body.p, MHD_RESPMEM_MUST_COPY);
	fill_response(&reply, r);
	rc = MHD_queue_response(c, (unsigned)reply.status, r);
	MHD_destroy_response(r);
	buf_fini(&reply.body);
	return rc;
}

/* Called first with the headers, then with pieces of the body, then once without any. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path,
	const char *method, const char *version, const char *data, size_t *io_n, void **io_body)
{
	struct buf *body = *io_body;

	(void)version;
	if (!body) {
		*io_body = mem_new(sizeof *body);
		return MHD_YES;
	}
	if (*io_n) {
		buf_add(body, data, *io_n);
		*io_n = 0;
		return MHD_YES;
	}
	return reply_to(ctx, c, method, path, body);
}

static void on_done(
	void *ctx, struct MHD_Connection *c, void **io_body, enum MHD_RequestTerminationCode why)
{
	struct buf *body = *io_body;

	(void)ctx;
	(void)c;
	(void)why;
	if (body)
		buf_fini(body);
	mem_free(io_body);
}

struct webtest *webtest_open(unsigned port, webtest_f *answer, void *ctx)
{
	struct webtest *w = mem_new(sizeof *w);
	struct sockaddr_in here = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	w->answer = answer;
	w->ctx = ctx;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->closing, NULL);
	w->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, w,
		MHD_OPTION_SOCK_ADDR, &here, MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
		MHD_OPTION_END);
	if (!w->daemon)
		fail_msg("no HTTP server on port %u", port);
	w->port = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	return w;
}

void webtest_close(struct webtest **w)
{
	if (!*w)
		return;
	pthread_mutex_lock(&(*w)->lock);
	(*w)->is_closing = true;
	pthread_cond_broadcast(&(*w)->closing);
	pthread_mutex_unlock(&(*w)->lock);
	MHD_stop_daemon((*w)->daemon);
	pthread_cond_destroy(&(*w)->closing);
	pthread_mutex_destroy(&(*w)->lock);
	mem_free(w);
}

void webtest_url(const struct webtest *w, const char *path, char *out, size_t cap)
{
	snprintf(out, cap, "http://127.0.0.1:%u%s", w->port, path);
}

unsigned webtest_port(const struct webtest *w)
{
	return w->port;
}
