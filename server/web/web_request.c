/* From the wire to a struct web_request. */
#include "server/web/web_priv.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

size_t web_unescape(void *ctx UNUSED, struct MHD_Connection *c UNUSED, char *s)
{
	char *from = s, *to = s;

	while (*from) {
		int hi = from[0] == '%' ? hex(from[1]) : -1;
		int lo = hi >= 0 ? hex(from[2]) : -1;

		if (lo < 0 || hi + lo == 0) {
			*to++ = *from++;
			continue;
		}
		*to++ = (char)(hi << 4 | lo);
		from += 3;
	}
	*to = 0;
	return (size_t)(to - s);
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	const char *v = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);

	return v ? v : "";
}

static const char *query(const struct web_request *rq, const char *name)
{
	const struct web_exchange *x = rq->priv;

	return MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name);
}

static void note_peer(struct web_exchange *x)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info ? info->client_addr : NULL;

	x->rq.peer = x->peer;
	if (a && a->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr,
			x->peer, sizeof x->peer);
	else if (a && a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
			x->peer, sizeof x->peer);
}

/* TLS has made sure that the other side has the certificate's key. What it is worth is looked up
 * with each request, not with each connection, so that revoking it counts at once. */
static void note_cert(struct web_exchange *x)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const gnutls_datum_t *certs = NULL;
	unsigned n = 0;

	if (info && info->tls_session)
		certs = gnutls_certificate_get_peers(info->tls_session, &n);
	if (certs && n)
		x->rq.client_cert = (struct str){(const char *)certs[0].data, certs[0].size};
}

static int open_upload(struct web *w, struct web_exchange *x, struct err *e)
{
	snprintf(x->upload_path, sizeof x->upload_path, "%s/upload.XXXXXX", w->conf.upload_dir);
	x->upload_fd = mkostemp(x->upload_path, O_CLOEXEC);
	if (x->upload_fd < 0) {
		int sys = errno;

		x->upload_path[0] = 0;
		return err_sys(e, sys, "upload");
	}
	return 0;
}

static int check_announced_length(struct web_exchange *x, struct err *e)
{
	const char *text = header(x->connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t n;

	if (!*text)
		return 0;
	TRY(str_to_u64(str_of(text), 0, UINT64_MAX, &n, e));
	if (n > x->body_limit)
		return err_set(e, ERR_TOO_LARGE,
			"a body of %llu bytes, at most %llu are taken here", (unsigned long long)n,
			(unsigned long long)x->body_limit);
	return 0;
}

/* What the head alone can refuse: route, method, announced length. */
static int read_head(
	struct web *w, struct web_exchange *x, const char *url, const char *method, struct err *e)
{
	const char *auth = header(x->connection, MHD_HTTP_HEADER_AUTHORIZATION);
	bool other_method;

	x->path = mem_strdup(url);
	x->rq.route = route_match(strcmp(method, "HEAD") == 0 ? "GET" : method, str_of(x->path),
		x->rq.args, &other_method);
	w->stats.requests[x->rq.route]++;
	x->rq.etag = header(x->connection, MHD_HTTP_HEADER_IF_NONE_MATCH);
	x->rq.bearer = strncmp(auth, "Bearer ", 7) == 0 ? auth + 7 : "";
	x->rq.query = query;
	x->rq.priv = x;
	note_peer(x);
	note_cert(x);
	if (x->rq.route == ROUTE_MAX)
		return err_set(
			e, ERR_NOT_FOUND, "no such path%s", other_method ? " for this method" : "");
	TRY(web_load_check(w, x, e));
	x->body_limit = route_body_limit(x->rq.route);
	TRY(check_announced_length(x, e));
	if (x->body_limit > 16ULL * LIMIT_BODY_BYTES)
		TRY(open_upload(w, x, e));
	return 0;
}

static struct web_exchange *begin(
	struct web *w, struct MHD_Connection *c, const char *url, const char *method)
{
	struct web_exchange *x = mem_new(sizeof *x);

	x->connection = c;
	x->upload_fd = -1;
	if (read_head(w, x, url, method, &x->refused) < 0 && x->refused.code == ERR_OK)
		err_set(&x->refused, ERR_BUG, "refused without a reason");
	return x;
}

static void forget_body(struct web *w, struct web_exchange *x)
{
	web_load_done(w, x->body.n);
	buf_fini(&x->body);
}

/* False ends the connection: a body that goes on beyond its limit has no right to an answer. */
static bool take(struct web *w, struct web_exchange *x, const char *data, size_t n)
{
	if (n > x->body_limit - x->body_n)
		return false;
	x->body_n += n;
	if (x->upload_fd < 0) {
		if (web_load_body(w, n, &x->refused) == 0)
			buf_add(&x->body, data, n);
		else
			forget_body(w, x);
		return true;
	}
	while (n) {
		ssize_t k = write(x->upload_fd, data, n);

		if (k < 0) {
			err_sys(&x->refused, errno, "upload");
			return true;
		}
		data += k;
		n -= (size_t)k;
	}
	return true;
}

static int end_upload(struct web_exchange *x, struct err *e)
{
	int rc = 0;

	if (x->upload_fd < 0)
		return 0;
	if (fsync(x->upload_fd) < 0)
		rc = err_sys(e, errno, "upload");
	close(x->upload_fd);
	x->upload_fd = -1;
	x->rq.body_file = x->upload_path;
	return rc;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void note_took(struct web *w, uint64_t us)
{
	static const uint64_t edges[WEB_TOOK_BUCKETS - 1] = WEB_TOOK_EDGES;
	unsigned b = 0;

	while (b < WEB_TOOK_BUCKETS - 1 && us > edges[b])
		b++;
	w->stats.took[b]++;
	w->stats.took_us += us;
}

static void ask_handler(struct web *w, struct web_exchange *x, struct web_reply *r)
{
	uint64_t begun = now_us();

	x->rq.body = buf_str(&x->body);
	w->handler(w->ctx, &x->rq, r);
	note_took(w, now_us() - begun);
}

/* ---- answers that wait until what they say is durable ---- */

static void hold(struct web *w, struct web_exchange *x, const struct web_reply *r)
{
	x->reply = *r;
	x->is_held = true;
	x->next_held = w->held;
	w->held = x;
	MHD_suspend_connection(x->connection);
}

bool web_release_held(struct web *w, int rc, const struct err *e)
{
	bool any = w->held != NULL;
	struct web_exchange *x;

	while ((x = w->held) != NULL) {
		w->held = x->next_held;
		x->is_released = true;
		if (rc < 0) {
			buf_fini(&x->reply.body);
			x->reply = (struct web_reply){.retry_after_s = WEB_BUSY_AGAIN_S};
			web_reply_err(&x->reply, e);
		}
		MHD_resume_connection(x->connection);
	}
	return any;
}

static enum MHD_Result send_held(struct web *w, struct web_exchange *x)
{
	x->is_held = x->is_released = false;
	return web_send(w, x, &x->reply);
}

static enum MHD_Result answer(struct web *w, struct web_exchange *x)
{
	struct web_reply r = {0};

	if (x->is_released)
		return send_held(w, x);
	if (x->refused.code == ERR_OK && end_upload(x, &x->refused) == 0) {
		ask_handler(w, x, &r);
	} else {
		web_reply_err(&r, &x->refused);
		r.retry_after_s = x->refused.code == ERR_BUSY ? WEB_BUSY_AGAIN_S : 0;
	}
	if (x->refused.code == ERR_OK && w->turn.is_open && w->turn.is_open(w->ctx)) {
		hold(w, x, &r);
		return MHD_YES;
	}
	return web_send(w, x, &r);
}

enum MHD_Result web_on_request(void *ctx, struct MHD_Connection *c, const char *url,
	const char *method, const char *version UNUSED, const char *data, size_t *io_n,
	void **state)
{
	struct web *w = ctx;
	struct web_exchange *x = *state;

	if (!x) {
		*state = x = begin(w, c, url, method);
		/* A refusal that is known now is answered before the body is sent. */
		return x->refused.code == ERR_OK ? MHD_YES : answer(w, x);
	}
	if (*io_n) {
		bool taken = x->refused.code != ERR_OK || take(w, x, data, *io_n);

		*io_n = 0;
		return taken ? MHD_YES : MHD_NO;
	}
	return answer(w, x);
}

void web_on_completed(void *ctx, struct MHD_Connection *c UNUSED, void **state,
	enum MHD_RequestTerminationCode why UNUSED)
{
	struct web_exchange *x = *state;

	if (!x)
		return;
	if (x->is_held)
		buf_fini(&x->reply.body);
	if (x->upload_fd >= 0)
		close(x->upload_fd);
	if (x->upload_path[0])
		unlink(x->upload_path);
	forget_body(ctx, x);
	free(x->path);
	free(x);
	*state = NULL;
}
