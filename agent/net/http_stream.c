#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/net/http_priv.h"
#include "lib/sys/clock.h"

#define BUFFER         ((size_t)256 * 1024)
#define CURL_BUFFER    ((long)128 * 1024)
#define GOT_FURTHER    ((uint64_t)16 * 1024) /* a broken attempt that brought less does not count */
#define RETRIES        5U
#define RETRY_WAIT     ((ms_t)200)
#define RETRY_WAIT_MAX SEC(5)
#define RETRY_AFTER_MAX                                                                            \
	SEC(60) /* what a server may ask for in between; more is the caller's to wait */
#define POLL_MS 200
#define GRACE   SEC(60) /* of waiting, before the average counts */

struct http_stream {
	struct http_conf conf;
	char *url;
	uint64_t at, length; /* of the whole body; at: the next byte from the network */
	const atomic_bool *cancel;
	atomic_bool stop;
	CURLM *multi;
	/* the attempt that is under way */
	struct http_call call;
	bool running, judged, paused;
	uint64_t began_at,
		skip;       /* skip: bytes to throw away, of an answer that ignored the range */
	struct err refusal; /* code ERR_OK: none */
	/* between attempts */
	unsigned barren, hops;
	ms_t waited;    /* inside of reads: the reader's own slowness is not the server's */
	uint64_t first; /* where this reading began */
	char validator[sizeof((struct http_answer *)0)->etag];
	/* bytes [from, to) wait to be read */
	size_t from, to;
	uint8_t buffer[BUFFER];
};

/* ---- judging an answer by its head ---- */

static int judge_whole(struct http_stream *s, struct err *e)
{
	int64_t n = http_call_length(&s->call);

	if (n >= 0 && (uint64_t)n != s->length)
		return err_set(e, ERR_ALTERED, "it has %lld bytes, %llu were signed", (long long)n,
			(unsigned long long)s->length);
	s->skip = s->at;
	return 0;
}

/* Content-Range: bytes FIRST-LAST/TOTAL, where TOTAL may be "*". */
static bool parse_part(struct str text, uint64_t length, uint64_t *first, uint64_t *total)
{
	const struct str unit = STR("bytes ");
	struct str span, field;
	uint64_t last;

	if (!str_has_prefix(text, unit.p))
		return false;
	text = (struct str){text.p + unit.n, text.n - unit.n};
	*total = length;
	return str_split(&text, '/', &span) && str_split(&span, '-', &field) &&
	       str_to_u64(field, 0, UINT64_MAX, first, NULL) == 0 &&
	       str_to_u64(span, *first, UINT64_MAX - 1, &last, NULL) == 0 &&
	       (str_is(text, "*") || str_to_u64(text, last + 1, UINT64_MAX, total, NULL) == 0);
}

static int judge_part(struct http_stream *s, struct err *e)
{
	struct str text = str_of(http_call_answer(&s->call, "Content-Range"));
	uint64_t first, total;

	if (!parse_part(text, s->length, &first, &total) || first != s->at)
		return err_set(e, ERR_NET, "another range than was asked for");
	if (total != s->length)
		return err_set(e, ERR_ALTERED, "it has %llu bytes, %llu were signed",
			(unsigned long long)total, (unsigned long long)s->length);
	return 0;
}

static int judge(struct http_stream *s, struct err *e)
{
	int status = http_call_status(&s->call);
	const char *etag = http_call_answer(&s->call, "ETag");

	s->judged = true;
	if (status == 200)
		TRY(judge_whole(s, e));
	else if (status == 206)
		TRY(judge_part(s, e));
	else
		return 0;
	/* A weak validator says nothing about bytes. */
	if (etag[0] != '"' || str_copy(str_of(etag), s->validator, sizeof s->validator, NULL) < 0)
		s->validator[0] = '\0';
	return 0;
}

static bool is_body(int status)
{
	return status == 200 || status == 206;
}

static int accept_bytes(struct http_stream *s, const uint8_t *p, size_t n, struct err *e)
{
	size_t skipped = (size_t)MIN(s->skip, n);

	s->skip -= skipped;
	p += skipped;
	n -= skipped;
	if (n > s->length - s->at)
		return err_set(e, ERR_ALTERED, "it is longer than the %llu bytes that were signed",
			(unsigned long long)s->length);
	memcpy(s->buffer + s->to, p, n);
	s->to += n;
	s->at += n;
	return 0;
}

static size_t on_body(char *p, size_t one, size_t n, void *ctx)
{
	struct http_stream *s = ctx;
	int rc = 0;

	(void)one;
	if (!is_body(http_call_status(&s->call)))
		return n; /* the status is what is looked at in the end */
	if (sizeof s->buffer - s->to < n) {
		s->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (!s->judged)
		rc = judge(s, &s->refusal);
	if (rc == 0)
		rc = accept_bytes(s, (const uint8_t *)p, n, &s->refusal);
	return rc == 0 ? n : 0;
}

/* ---- attempts ---- */

static void ask_for_rest(struct http_stream *s)
{
	char line[sizeof s->validator + 32];

	if (s->at == 0)
		return;
	snprintf(line, sizeof line, "%llu-", (unsigned long long)s->at);
	curl_easy_setopt(s->call.easy, CURLOPT_RANGE, line);
	if (!s->validator[0])
		return;
	snprintf(line, sizeof line, "If-Range: %s", s->validator);
	http_call_header(&s->call, line);
}

static int begin(struct http_stream *s, struct err *e)
{
	TRY(http_call_init(&s->call, &s->conf, s->url, s->cancel, e));
	curl_easy_setopt(s->call.easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(s->call.easy, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->call.easy, CURLOPT_BUFFERSIZE, CURL_BUFFER);
	/* The server may have moved since the last attempt. */
	curl_easy_setopt(s->call.easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	ask_for_rest(s);
	if (curl_multi_add_handle(s->multi, s->call.easy) != CURLM_OK)
		abort();
	s->running = true;
	s->judged = s->paused = false;
	s->began_at = s->at;
	s->skip = 0;
	s->refusal.code = ERR_OK;
	return 0;
}

static void end(struct http_stream *s)
{
	if (!s->running)
		return;
	curl_multi_remove_handle(s->multi, s->call.easy);
	http_call_fini(&s->call);
	s->running = false;
}

static int check_stop(const struct http_stream *s, struct err *e)
{
	if (atomic_load(&s->stop) || (s->cancel && atomic_load(s->cancel)))
		return err_set(e, ERR_CANCELLED, "cancelled");
	return 0;
}

/* What the server asked for when it sent the last answer. */
static ms_t retry_after(const struct http_stream *s)
{
	curl_off_t after = 0;

	curl_easy_getinfo(s->call.easy, CURLINFO_RETRY_AFTER, &after);
	return SEC(MIN(MAX(after, 0), RETRY_AFTER_MAX / 1000));
}

static int wait_before_retry(struct http_stream *s, struct err *e)
{
	ms_t wait = s->conf.retry_wait ? s->conf.retry_wait : RETRY_WAIT;

	wait = MIN(wait << MIN(s->barren - 1, 10U), RETRY_WAIT_MAX);
	wait = MAX(wait, retry_after(s));
	for (; wait > 0; wait -= POLL_MS) {
		TRY(check_stop(s, e));
		if (curl_multi_poll(s->multi, NULL, 0, (int)MIN(wait, POLL_MS), NULL) != CURLM_OK)
			abort();
	}
	return 0;
}

/* Something that may pass: `why` is the answer when it has happened too often. */
static int again(struct http_stream *s, const struct err *why, struct err *e)
{
	unsigned most = s->conf.retries ? s->conf.retries : RETRIES;

	if (s->at - s->began_at >= GOT_FURTHER)
		s->barren = 0;
	if (s->barren++ >= most)
		return err_copy(e, why);
	return wait_before_retry(s, e);
}

static int follow(struct http_stream *s, struct err *e)
{
	char *to;

	if (s->hops++ >= HTTP_REDIRECTS)
		return err_set(e, ERR_NET, "more than %u redirects", HTTP_REDIRECTS);
	TRY(http_call_redirect(&s->call, s->url, &to, e));
	free(s->url);
	s->url = to;
	return 0;
}

static int refuse_status(int status, struct err *e)
{
	enum err_code code = status == 416 ? ERR_ALTERED : err_by_http(status);

	return err_set(e, code == ERR_OK ? ERR_NET : code, "HTTP %d", status);
}

static bool may_pass(int status)
{
	return status >= 500 || status == 429 || status == 408;
}

/* An attempt is over. 0: there is more to do, or all bytes are here. */
static int judge_end(struct http_stream *s, CURLcode code, struct err *e)
{
	int status = http_call_status(&s->call);
	struct err why = {0};

	if (s->refusal.code != ERR_OK)
		return err_copy(e, &s->refusal);
	if (code == CURLE_OK && http_call_is_redirect(status))
		return follow(s, e);
	if (code == CURLE_OK && !is_body(status) && !may_pass(status))
		return refuse_status(status, e);
	if (is_body(status) && !s->judged)
		TRY(judge(s, e));
	if (is_body(status) && s->at == s->length)
		return 0;
	if (code != CURLE_OK)
		http_call_error(&s->call, code, &why);
	else if (is_body(status))
		err_set(&why, ERR_NET, "it ended %llu bytes early",
			(unsigned long long)(s->length - s->at));
	else
		refuse_status(status, &why);
	if (why.code == ERR_CANCELLED || why.code == ERR_CONFIG)
		return err_copy(e, &why);
	return again(s, &why, e);
}

/* ---- reading ---- */

static int look_for_end(struct http_stream *s, struct err *e)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(s->multi, &left))) {
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result;
		int rc = judge_end(s, code, e);
		end(s);
		return rc;
	}
	return 0;
}

static int move(struct http_stream *s, struct err *e)
{
	int running;

	TRY(check_stop(s, e));
	if (!s->running)
		TRY(begin(s, e));
	if (s->paused) {
		s->paused = false;
		curl_easy_pause(s->call.easy, CURLPAUSE_CONT);
	}
	if (curl_multi_perform(s->multi, &running) != CURLM_OK)
		abort();
	if (running && s->to == 0 && curl_multi_poll(s->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
		abort();
	return look_for_end(s, e);
}

/* Once all bytes are here the answer's end is awaited, so that one byte more is seen. */
static bool is_over(const struct http_stream *s)
{
	return s->at == s->length && !s->running && s->from == s->to;
}

/* Curl ends an attempt that stays below the limit; a server that drips just fast enough, or breaks
 * off and begins again, is ended here: the whole may take as long as its length at that speed. */
static int check_pace(const struct http_stream *s, struct err *e)
{
	uint64_t least = s->conf.low_speed ? s->conf.low_speed : HTTP_LOW_SPEED;
	ms_t grace = s->conf.grace ? s->conf.grace : GRACE;
	uint64_t earned = (s->at - s->first) / least;

	if (s->waited - grace <= (ms_t)MIN(earned, (uint64_t)INT32_MAX) * 1000)
		return 0;
	return err_set(e, ERR_TIMEOUT, "%llu bytes in %lld s: slower than %llu bytes a second",
		(unsigned long long)(s->at - s->first), (long long)(s->waited / 1000),
		(unsigned long long)least);
}

static int move_on_time(struct http_stream *s, struct err *e)
{
	ms_t began = clock_system.mono(clock_system.self);
	int rc = move(s, e);

	s->waited += clock_system.mono(clock_system.self) - began;
	return rc < 0 ? rc : check_pace(s, e);
}

int http_stream_read(struct http_stream *s, void *p, size_t n, size_t *out_n, struct err *e)
{
	while (s->from == s->to && !is_over(s)) {
		s->from = s->to = 0;
		TRY(move_on_time(s, e));
	}
	size_t k = MIN(n, s->to - s->from);
	memcpy(p, s->buffer + s->from, k);
	s->from += k;
	*out_n = k;
	return 0;
}

int http_stream_open(const struct http_conf *c, const char *url, uint64_t offset, uint64_t length,
	const atomic_bool *cancel, struct http_stream **out, struct err *e)
{
	struct http_stream *s;

	if (offset > length)
		return err_set(e, ERR_ALTERED, "an offset beyond the end");
	s = mem_new(sizeof *s);
	memset(s, 0, offsetof(struct http_stream, buffer));
	s->conf = *c;
	s->url = mem_strdup(url);
	s->at = s->first = offset;
	s->length = length;
	s->cancel = cancel;
	s->multi = curl_multi_init();
	if (!s->multi)
		abort();
	*out = s;
	return 0;
}

void http_stream_stop(struct http_stream *s)
{
	atomic_store(&s->stop, true);
	curl_multi_wakeup(s->multi);
}

void http_stream_close(struct http_stream **sp)
{
	struct http_stream *s = *sp;

	if (!s)
		return;
	end(s);
	curl_multi_cleanup(s->multi);
	free(s->url);
	free(s);
	*sp = NULL;
}
