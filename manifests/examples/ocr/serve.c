#include "manifests/examples/ocr/serve.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/sys/log.h"
#include "manifests/examples/ocr/image.h"
#include "proto/wire/json.h"

#define CONNECTIONS 64
#define IDLE_S      60
#define DRAIN_S     5
#define TYPE_JSON   "application/json"
#define TYPE_TEXT   "text/plain; version=0.0.4"

struct serve {
	struct desk *desk;
	struct tally *tally;
	struct mirror *mirror;
	struct MHD_Daemon *http;
	uint16_t port;
	atomic_bool closing;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned busy; /* requests begun and not over; guarded by `lock` */
};

struct request {
	struct buf body;
	bool too_large;
	/* A plate: what is given away of it once its answer is out. */
	bool is_read, has_answer;
	char text[READER_TEXT];
	uint64_t took_us;
};

struct reply {
	unsigned status;
	const char *type;
	struct buf body;
};

typedef void serve_handler_f(struct serve *, struct request *, struct reply *);

/* ---- replies -------------------------------------------------------------------- */

static void reply_json(struct reply *r, unsigned status, json_t *j)
{
	assert(j);
	buf_clear(&r->body);
	json_write(j, &r->body);
	buf_add_char(&r->body, '\n');
	json_decref(j);
	r->status = status;
	r->type = TYPE_JSON;
}

static void reply_err(struct reply *r, unsigned status, const struct err *e)
{
	reply_json(
		r, status, json_pack("{s:s, s:s}", "error", err_name(e->code), "reason", e->text));
}

static void reply_facts(struct reply *r, const char *status, const struct reader_facts *by)
{
	reply_json(r, 200,
		json_pack("{s:s, s:s, s:s, s:s}", "status", status, "model", by->model, "release",
			by->release, "slot", by->slot));
}

static int check_size(const struct request *q, struct err *e)
{
	return q->too_large ? err_set(e, ERR_TOO_LARGE, "more than %d bytes", IMAGE_BYTES_MAX) : 0;
}

/* ---- what can be asked ------------------------------------------------------------ */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int infer(struct serve *s, const struct request *q, struct reader_answer *answer,
	struct reader_facts *by, struct err *e)
{
	PIX *pix;
	int rc;

	TRY(check_size(q, e));
	TRY(image_decode(q->body.p, q->body.n, &pix, e));
	rc = desk_read(s->desk, pix, answer, by, e);
	pixDestroy(&pix);
	return rc;
}

static void do_infer(struct serve *s, struct request *q, struct reply *r)
{
	double begun = now_s(), took;
	struct reader_answer answer = {0};
	struct reader_facts by;
	struct err e;
	int rc = infer(s, q, &answer, &by, &e);

	took = now_s() - begun;
	if (rc < 0)
		reply_err(r, (unsigned)err_http(e.code), &e);
	else
		reply_json(r, 200,
			json_pack("{s:s, s:i, s:s, s:s, s:s, s:i}", "text", answer.text,
				"confidence", (int)answer.confidence, "model", by.model, "release",
				by.release, "slot", by.slot, "ms", (int)(took * 1000 + 0.5)));
	tally_request(s->tally, r->status, took, answer.confidence);
	q->is_read = true;
	q->has_answer = rc == 0;
	q->took_us = (uint64_t)(took * 1e6);
	memcpy(q->text, answer.text, sizeof(q->text));
}

/* An empty body names no slot, and *slot_dir stays empty. */
static int read_order(const struct request *q, char slot_dir[PATH_MAX], struct err *e)
{
	static const char *const known[] = {"slot_dir", NULL};
	JSON_AUTO *j = NULL;

	TRY(check_size(q, e));
	if (q->body.n == 0)
		return 0;
	TRY(json_read(buf_str(&q->body), PATH_MAX + 64, &j, e));
	TRY(json_only(j, "reload", known, e));
	TRY(json_text(j, "reload", "slot_dir", slot_dir, PATH_MAX, e));
	if (slot_dir[0] != '/')
		return err_set(e, ERR_BAD_INPUT, "reload.slot_dir: not an absolute path");
	return 0;
}

static void do_reload(struct serve *s, struct request *q, struct reply *r)
{
	char slot_dir[PATH_MAX] = "";
	struct reader_facts by;
	struct err e;

	if (read_order(q, slot_dir, &e) < 0) {
		reply_err(r, (unsigned)err_http(e.code), &e);
		return;
	}
	if (desk_reload(s->desk, slot_dir[0] ? slot_dir : NULL, &e) < 0) {
		tally_reload(s->tally, false);
		log_err(LOG_ID_ACTION_FAILED, &e, "action=reload slot=\"%s\"", slot_dir);
		reply_err(r, 500, &e);
		return;
	}
	tally_reload(s->tally, true);
	desk_look(s->desk, &by);
	log_ev(LOG_ID_SERVICE, "model=%s release=%s slot=%s", by.model, by.release, by.slot);
	reply_facts(r, "reloaded", &by);
}

static void do_healthz(struct serve *s, struct request *q UNUSED, struct reply *r)
{
	struct reader_facts by;
	struct err e;

	if (desk_check(s->desk, &e) < 0) {
		reply_err(r, 503, &e);
		return;
	}
	desk_look(s->desk, &by);
	reply_facts(r, "ok", &by);
}

static void do_metrics(struct serve *s, struct request *q UNUSED, struct reply *r)
{
	struct reader_facts by;

	desk_look(s->desk, &by);
	tally_format(s->tally, &by, &r->body);
	r->status = 200;
	r->type = TYPE_TEXT;
}

static const struct route {
	const char *method, *path;
	serve_handler_f *handle;
} routes[] = {
	{"POST", "/infer", do_infer},
	{"POST", "/reload-model", do_reload},
	{"GET", "/healthz", do_healthz},
	{"GET", "/metrics", do_metrics},
};

static void answer(
	struct serve *s, const char *method, const char *path, struct request *q, struct reply *r)
{
	const struct route *hit = NULL;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (strcmp(path, routes[i].path) == 0)
			hit = &routes[i];
	if (!hit) {
		err_set(&e, ERR_NOT_FOUND, "no such path");
		reply_err(r, 404, &e);
	} else if (strcmp(method, hit->method) != 0) {
		err_set(&e, ERR_USAGE, "this path wants %s", hit->method);
		reply_err(r, 405, &e);
	} else {
		hit->handle(s, q, r);
	}
}

/* ---- libmicrohttpd ---------------------------------------------------------------- */

static enum MHD_Result send_reply(struct serve *s, struct MHD_Connection *c, const struct reply *r)
{
	struct MHD_Response *m =
		MHD_create_response_from_buffer(r->body.n, r->body.p, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	if (!m)
		return MHD_NO;
	MHD_add_response_header(m, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
	if (s->closing)
		MHD_add_response_header(m, MHD_HTTP_HEADER_CONNECTION, "close");
	rc = MHD_queue_response(c, r->status, m);
	MHD_destroy_response(m);
	return rc;
}

static struct request *begin(struct serve *s)
{
	pthread_mutex_lock(&s->lock);
	s->busy++;
	pthread_mutex_unlock(&s->lock);
	return mem_new(sizeof(struct request));
}

/* What goes beyond the bound is read and dropped, so that the peer gets to hear why. */
static void collect(struct request *q, const char *bytes, size_t *n)
{
	if (q->body.n + *n > IMAGE_BYTES_MAX)
		q->too_large = true;
	else
		buf_add(&q->body, bytes, *n);
	*n = 0;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *c, const char *url,
	const char *method, const char *version UNUSED, const char *bytes, size_t *n, void **slot)
{
	struct serve *s = self;
	struct request *q = *slot;
	struct reply r = {0};
	enum MHD_Result rc;

	if (!q) {
		*slot = begin(s);
		return MHD_YES;
	}
	if (*n > 0) {
		collect(q, bytes, n);
		return MHD_YES;
	}
	answer(s, method, url, q, &r);
	rc = send_reply(s, c, &r);
	buf_fini(&r.body);
	return rc;
}

static void on_over(void *self, struct MHD_Connection *c UNUSED, void **slot,
	enum MHD_RequestTerminationCode why UNUSED)
{
	struct serve *s = self;
	struct request *q = *slot;

	if (!q)
		return;
	if (q->is_read)
		mirror_offer(
			s->mirror, buf_str(&q->body), q->has_answer ? q->text : NULL, q->took_us);
	buf_fini(&q->body);
	mem_free(slot);
	pthread_mutex_lock(&s->lock);
	s->busy--;
	if (s->busy == 0)
		pthread_cond_signal(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

int serve_open(struct desk *desk, struct tally *tally, struct mirror *mirror, uint16_t port,
	struct serve **out, struct err *e)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct serve *s = mem_new(sizeof(*s));

	s->desk = desk;
	s->tally = tally;
	s->mirror = mirror;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->idle, NULL);
	s->http = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC, port,
		NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, on_over, s, MHD_OPTION_END);
	if (!s->http) {
		int sys = errno;

		serve_close(&s);
		return err_set(
			e, ERR_NET, "cannot listen on 127.0.0.1:%u: %s", port, strerror(sys));
	}
	s->port = MHD_get_daemon_info(s->http, MHD_DAEMON_INFO_BIND_PORT)->port;
	*out = s;
	return 0;
}

uint16_t serve_port(const struct serve *s)
{
	return s->port;
}

static void drain(struct serve *s)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += DRAIN_S;
	pthread_mutex_lock(&s->lock);
	while (s->busy > 0 &&
		pthread_cond_clockwait(&s->idle, &s->lock, CLOCK_MONOTONIC, &until) == 0)
		;
	pthread_mutex_unlock(&s->lock);
}

void serve_close(struct serve **serve)
{
	struct serve *s = *serve;

	if (!s)
		return;
	s->closing = true;
	if (s->http) {
		MHD_socket listening = MHD_quiesce_daemon(s->http);

		drain(s);
		MHD_stop_daemon(s->http);
		if (listening != MHD_INVALID_SOCKET)
			close(listening);
	}
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	mem_free(serve);
}
