/* What the installer asks of the worker, and how it takes the answers. */
#include "agent/worker/worker_priv.h"

#include <string.h>

#define MOST_HOPS  6U /* a request and its redirects, each of which may take its time */
#define SLACK      SEC(10)
#define TOTAL      SEC(60)   /* of a call whose configuration states none */
#define SILENCE    MINUTE(5) /* of a worker that stages: longer than any of its own waits */
#define SECOND_MAX ((uint64_t)UINT32_MAX)

static uint64_t speed_of(const struct http_conf *c)
{
	return MIN(c->low_speed, SECOND_MAX);
}

static ms_t time_of(const struct http_conf *c)
{
	return (c->total_timeout ? c->total_timeout : TOTAL) * MOST_HOPS + SLACK;
}

/* ---- bodies ---- */

static int hear_body(struct call *c, uint64_t n, struct buf *out, struct err *e)
{
	struct priv_msg m;

	while (n > 0) {
		TRY(call_hear(c, &m, e));
		if (m.verb != PRIV_BYTES || m.bytes.n == 0 || m.bytes.n > n)
			return call_refuse(c, "other bytes than it said", e);
		buf_add(out, m.bytes.p, m.bytes.n);
		n -= m.bytes.n;
	}
	return 0;
}

static int hear_answer(struct call *c, size_t max, struct http_answer *out, struct err *e)
{
	struct priv_msg m;

	TRY(call_hear(c, &m, e));
	if (m.verb != PRIV_HEAD)
		return call_refuse(c, "a body before its head", e);
	if (m.num[2] > (m.num[0] >= 400 ? HTTP_ERROR_BODY_MAX : max))
		return call_refuse(c, "a longer body than was asked for", e);
	out->status = (int)m.num[0];
	out->retry_after = (ms_t)m.num[1];
	TRY(str_copy(m.text[0], out->etag, sizeof out->etag, e));
	return hear_body(c, m.num[2], &out->body, e);
}

static int take_answer(struct call *c, size_t max, struct http_answer *out, struct err *e)
{
	struct http_answer a = {0};
	int rc = hear_answer(c, max, &a, e);

	if (rc < 0)
		http_answer_fini(&a);
	else
		*out = a;
	return rc;
}

/* ---- GET ---- */

int ask_get(void *self, const struct http_conf *c, const char *url, const char *etag, size_t max,
	const atomic_bool *cancel, struct http_answer *out, struct err *e)
{
	struct priv_msg ask = {.verb = PRIV_GET,
		.num = {max, (uint64_t)c->connect_timeout, (uint64_t)c->total_timeout, speed_of(c),
			c->low_speed_s},
		.text = {str_of(url), str_of(etag ? etag : "")}};
	struct call call;

	TRY(call_begin(self, &ask, 0, time_of(c), cancel, &call, e));
	int rc = take_answer(&call, max, out, e);
	call_end(&call);
	return rc;
}

/* ---- SEND ---- */

static int say_body(struct call *c, struct str body, struct err *e)
{
	while (body.n > 0) {
		size_t n = MIN(body.n, PRIV_PIECE);
		struct priv_msg m = {.verb = PRIV_BYTES, .bytes = {body.p, n}};

		TRY(call_say(c, &m, e));
		body = (struct str){body.p + n, body.n - n};
	}
	return 0;
}

int ask_send(void *self, const struct http_conf *c, const char *method, const char *url,
	struct str body, size_t max, const atomic_bool *cancel, struct http_answer *out,
	struct err *e)
{
	struct priv_msg ask = {.verb = PRIV_SEND,
		.num = {max, (uint64_t)c->connect_timeout, (uint64_t)c->total_timeout, speed_of(c),
			c->low_speed_s, body.n},
		.text = {str_of(url), str_of(method), str_of(c->content_type)}};
	struct call call;

	TRY(call_begin(self, &ask, 0, time_of(c), cancel, &call, e));
	int rc = say_body(&call, body, e);
	if (rc == 0)
		rc = take_answer(&call, max, out, e);
	call_end(&call);
	return rc;
}

/* ---- UNPACK ---- */

struct unpacking {
	struct call call;
	const struct stage_pull *pull;
	uint64_t seen;     /* artifact bytes that were counted */
	uint64_t foothold; /* the last one */
};

/* Progress is for people. It never goes back, and ends where the artifact does. */
static void count(struct unpacking *u, uint64_t done)
{
	done = MIN(done, u->pull->artifact->length);
	if (done <= u->seen)
		return;
	if (u->pull->done)
		atomic_fetch_add(u->pull->done, done - u->seen);
	u->seen = done;
}

static int take_path(struct str s, char out[LIMIT_TAR_NAME + 1], struct err *e)
{
	return str_copy(s, out, LIMIT_TAR_NAME + 1, e);
}

static int take_dir(struct unpacking *u, const struct priv_msg *m, struct err *e)
{
	char path[LIMIT_TAR_NAME + 1];

	TRY(take_path(m->text[0], path, e));
	return u->pull->sink.dir(u->pull->sink.self, path, e);
}

static int take_file(struct unpacking *u, const struct priv_msg *m, struct err *e)
{
	char path[LIMIT_TAR_NAME + 1];

	TRY(take_path(m->text[0], path, e));
	return u->pull->sink.file(u->pull->sink.self, path, m->num[0] == 1, m->num[1], e);
}

static int take_link(struct unpacking *u, const struct priv_msg *m, struct err *e)
{
	char path[LIMIT_TAR_NAME + 1], target[LIMIT_TAR_NAME + 1];

	TRY(take_path(m->text[0], path, e));
	TRY(take_path(m->text[1], target, e));
	return u->pull->sink.link(u->pull->sink.self, path, target, e);
}

static int take_data(struct unpacking *u, const struct priv_msg *m, struct err *e)
{
	if (m->bytes.n == 0)
		return call_refuse(&u->call, "no bytes", e);
	count(u, m->num[0]);
	return u->pull->sink.data(u->pull->sink.self, m->bytes.p, m->bytes.n, e);
}

/* Not believed, either: what goes on from a wrong place does not make the signed tree. It is
 * bounded here, so that nothing has to be said of it again. */
static int take_foothold(struct unpacking *u, const struct priv_msg *m, struct err *e)
{
	const struct stage_sink *to = &u->pull->sink;
	const struct artifact *a = u->pull->artifact;
	struct foothold at = {m->num[0], m->num[1], m->num[2]};

	if (at.artifact <= u->foothold || at.artifact > a->length ||
		at.content + at.skip > a->content_length)
		return call_refuse(&u->call, "a place that is none", e);
	u->foothold = at.artifact;
	return to->foothold ? to->foothold(to->self, &at, e) : 0;
}

static int (*const take[PRIV_VERB_MAX])(
	struct unpacking *, const struct priv_msg *, struct err *) = {
	[PRIV_DIR] = take_dir,
	[PRIV_FILE] = take_file,
	[PRIV_LINK] = take_link,
	[PRIV_DATA] = take_data,
	[PRIV_FOOTHOLD] = take_foothold,
};

static int take_entries(struct unpacking *u, struct err *e)
{
	struct priv_msg m;

	for (;;) {
		TRY(call_hear(&u->call, &m, e));
		if (m.verb == PRIV_END)
			break;
		if (!take[m.verb])
			return call_refuse(&u->call, priv_name(m.verb), e);
		TRY(take[m.verb](u, &m, e));
	}
	count(u, m.num[0]);
	return 0;
}

int ask_unpack(void *self, const struct stage_pull *p, struct err *e)
{
	const struct worker_conf *conf = worker_conf_of(self);
	const struct artifact *a = p->artifact;
	const struct slot_part *part = &p->part;
	struct unpacking u = {.pull = p, .seen = part->at.artifact, .foothold = part->at.artifact};
	char digest[SHA256_TEXT], content[SHA256_TEXT];
	BUF_AUTO url = {0};
	struct priv_msg ask = {.verb = PRIV_UNPACK,
		.num = {a->length, a->content_length, a->archive, a->compression, p->overlap,
			(uint64_t)conf->http.connect_timeout, speed_of(&conf->http),
			conf->http.low_speed_s, part->at.artifact, part->at.content, part->at.skip,
			part->size, part->left, part->entries}};

	sha256_format(&a->digest, digest);
	sha256_format(&a->content_digest, content);
	buf_addf(&url, "%s/artifacts/%s", conf->server, digest);
	ask.text[0] = buf_str(&url);
	ask.text[1] = str_of(digest);
	ask.text[2] = str_of(content);
	TRY(call_begin(self, &ask, SILENCE, 0, p->cancel, &u.call, e));
	int rc = take_entries(&u, e);
	call_end(&u.call);
	return rc;
}
