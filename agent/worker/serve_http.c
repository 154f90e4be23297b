#include "agent/worker/worker_priv.h"

#include "proto/trust/digest.h"

/* ---- GET, SEND ---- */

static struct http_conf conf_of(const struct serve_call *c, const struct priv_msg *ask)
{
	struct http_conf http = *c->http;

	http.connect_timeout = (ms_t)ask->num[1];
	http.total_timeout = (ms_t)ask->num[2];
	http.low_speed = ask->num[3];
	http.low_speed_s = (unsigned)ask->num[4];
	return http;
}

static int say_answer(struct serve_call *c, const struct http_answer *a, struct err *e)
{
	struct priv_msg m = {.verb = PRIV_HEAD,
		.num = {(uint64_t)a->status, (uint64_t)a->retry_after, a->body.n},
		.text = {str_of(a->etag)}};
	struct str rest = buf_str(&a->body);

	TRY(chan_say(c->chan, &m, e));
	while (rest.n > 0) {
		size_t n = MIN(rest.n, PRIV_PIECE);

		m = (struct priv_msg){.verb = PRIV_BYTES, .bytes = {rest.p, n}};
		TRY(chan_say(c->chan, &m, e));
		rest = (struct str){rest.p + n, rest.n - n};
	}
	return 0;
}

static void add(struct buf *to, struct str s)
{
	buf_clear(to);
	buf_add(to, s.p, s.n);
}

int serve_get(struct serve_call *c, const struct priv_msg *ask, struct err *e)
{
	struct http_conf http = conf_of(c, ask);
	struct http_answer a = {0};
	BUF_AUTO url = {0}, etag = {0};

	add(&url, ask->text[0]);
	add(&etag, ask->text[1]);
	TRY(http_get(
		&http, buf_cstr(&url), buf_cstr(&etag), (size_t)ask->num[0], &c->cancel, &a, e));
	int rc = say_answer(c, &a, e);
	http_answer_fini(&a);
	return rc;
}

static int hear_body(struct serve_call *c, uint64_t n, struct buf *out, struct err *e)
{
	struct priv_msg m;

	while (out->n < n) {
		TRY(chan_hear(c->chan, &m, e));
		if (m.verb != PRIV_BYTES || m.bytes.n > n - out->n)
			return err_set(e, ERR_BAD_INPUT, "no part of a body");
		buf_add(out, m.bytes.p, m.bytes.n);
	}
	return 0;
}

int serve_send(struct serve_call *c, const struct priv_msg *ask, struct err *e)
{
	struct http_conf http = conf_of(c, ask);
	struct http_answer a = {0};
	BUF_AUTO url = {0}, method = {0}, body = {0};
	uint64_t n = ask->num[5];
	size_t max = (size_t)ask->num[0];

	add(&url, ask->text[0]);
	add(&method, ask->text[1]);
	TRY(str_copy(ask->text[2], http.content_type, sizeof http.content_type, e));
	TRY(hear_body(c, n, &body, e));
	TRY(http_send(
		&http, buf_cstr(&method), buf_cstr(&url), buf_str(&body), max, &c->cancel, &a, e));
	int rc = say_answer(c, &a, e);
	http_answer_fini(&a);
	return rc;
}

/* ---- UNPACK: the artifact comes from the network, its entries go to the installer ---- */

struct unpacking {
	struct serve_call *call;
	struct artifact artifact;
	struct slot_part part;
	_Atomic uint64_t done;
	/* the source */
	struct http_conf http;
	struct buf url;
};

static int open_artifact(
	void *self, const struct artifact *a, uint64_t from, void **out_stream, struct err *e)
{
	struct unpacking *u = self;
	struct http_stream *s;

	TRY(http_stream_open(
		&u->http, buf_cstr(&u->url), from, a->length, &u->call->cancel, &s, e));
	*out_stream = s;
	return 0;
}

static int read_artifact(void *stream, void *p, size_t n, size_t *out_n, struct err *e)
{
	return http_stream_read(stream, p, n, out_n, e);
}

static void stop_artifact(void *stream)
{
	http_stream_stop(stream);
}

static void close_artifact(void *stream)
{
	struct http_stream *s = stream;

	http_stream_close(&s);
}

static int say_dir(void *self, const char *path, struct err *e)
{
	struct unpacking *u = self;
	struct priv_msg m = {.verb = PRIV_DIR, .text = {str_of(path)}};

	return chan_say(u->call->chan, &m, e);
}

static int say_file(void *self, const char *path, bool executable, uint64_t size, struct err *e)
{
	struct unpacking *u = self;
	struct priv_msg m = {.verb = PRIV_FILE, .num = {executable, size}, .text = {str_of(path)}};

	return chan_say(u->call->chan, &m, e);
}

static int say_link(void *self, const char *path, const char *target, struct err *e)
{
	struct unpacking *u = self;
	struct priv_msg m = {.verb = PRIV_LINK, .text = {str_of(path), str_of(target)}};

	return chan_say(u->call->chan, &m, e);
}

static int say_data(void *self, const void *p, size_t n, struct err *e)
{
	struct unpacking *u = self;

	for (size_t at = 0, part; at < n; at += part) {
		struct priv_msg m = {.verb = PRIV_DATA, .num = {atomic_load(&u->done)}};

		part = MIN(n - at, PRIV_PIECE);
		m.bytes = (struct str){(const char *)p + at, part};
		TRY(chan_say(u->call->chan, &m, e));
	}
	return 0;
}

static int say_foothold(void *self, const struct foothold *at, struct err *e)
{
	struct unpacking *u = self;
	struct priv_msg m = {.verb = PRIV_FOOTHOLD, .num = {at->artifact, at->content, at->skip}};

	return chan_say(u->call->chan, &m, e);
}

static int read_ask(struct unpacking *u, const struct priv_msg *ask, struct err *e)
{
	struct artifact *a = &u->artifact;

	a->length = ask->num[0];
	a->content_length = ask->num[1];
	a->archive = (enum archive_form)ask->num[2];
	a->compression = (enum compression)ask->num[3];
	u->http.connect_timeout = (ms_t)ask->num[5];
	u->http.low_speed = ask->num[6];
	u->http.low_speed_s = (unsigned)ask->num[7];
	u->part = (struct slot_part){.at = {ask->num[8], ask->num[9], ask->num[10]},
		.size = ask->num[11],
		.left = ask->num[12],
		.entries = (unsigned)ask->num[13]};
	atomic_store(&u->done, u->part.at.artifact);
	add(&u->url, ask->text[0]);
	TRY(sha256_parse(ask->text[1], &a->digest, e));
	return sha256_parse(ask->text[2], &a->content_digest, e);
}

static int unpack(struct unpacking *u, bool overlap, struct err *e)
{
	struct stage_pull p = {.artifact = &u->artifact,
		.source = {.kind = "http",
			.open = open_artifact,
			.read = read_artifact,
			.stop = stop_artifact,
			.close = close_artifact,
			.self = u},
		.sink = {.dir = say_dir,
			.file = say_file,
			.link = say_link,
			.data = say_data,
			.foothold = say_foothold,
			.self = u},
		.part = u->part,
		.cancel = &u->call->cancel,
		.done = &u->done,
		.overlap = overlap};

	TRY(stage_unpack(&p, e));
	return chan_say(u->call->chan,
		&(struct priv_msg){.verb = PRIV_END, .num = {atomic_load(&u->done)}}, e);
}

int serve_unpack(struct serve_call *c, const struct priv_msg *ask, struct err *e)
{
	struct unpacking u = {.call = c, .http = *c->http};
	int rc = read_ask(&u, ask, e);

	if (rc == 0)
		rc = unpack(&u, ask->num[4] == 1, e);
	buf_fini(&u.url);
	return rc;
}
