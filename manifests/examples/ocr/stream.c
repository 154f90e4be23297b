#include "manifests/examples/ocr/stream.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS  5000L
#define ANSWER_BYTES 4096

struct stream_answer {
	char text[PLATE_TEXT * 4]; /* a plate in letters of four bytes each still fits */
	char release[ID_TEXT_MAX], slot[ID_TEXT_MAX];
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void sleep_until(uint64_t us)
{
	struct timespec t = {
		.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* ---- one request ------------------------------------------------------------------ */

static size_t on_bytes(char *p, size_t size, size_t n, void *self)
{
	struct buf *body = self;

	if (body->n + size * n > ANSWER_BYTES)
		return 0;
	buf_add(body, p, size * n);
	return size * n;
}

static int parse(struct str body, struct stream_answer *out, struct err *e)
{
	JSON_AUTO *j = NULL;

	TRY(json_read(body, ANSWER_BYTES, &j, e));
	TRY(json_text(j, "answer", "text", out->text, sizeof(out->text), e));
	TRY(json_text(j, "answer", "release", out->release, sizeof(out->release), e));
	return json_text(j, "answer", "slot", out->slot, sizeof(out->slot), e);
}

static int ask(
	CURL *curl, const struct truth_plate *plate, struct stream_answer *out, struct err *e)
{
	BUF_AUTO body = {0};
	long status = 0;
	CURLcode rc;

	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)plate->image.p);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)plate->image.n);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	rc = curl_easy_perform(curl);
	if (rc != CURLE_OK)
		return err_set(e, ERR_NET, "%s", curl_easy_strerror(rc));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return err_set(e, ERR_NET, "HTTP %ld", status);
	return parse(buf_str(&body), out, e);
}

/* ---- what it means ------------------------------------------------------------------ */

static struct score *score_of(struct stream *s, const char *release)
{
	unsigned i = 0;

	while (i < s->n_releases && strcmp(s->by_release[i].name, release) != 0)
		i++;
	if (i == STREAM_RELEASES)
		return NULL;
	if (i == s->n_releases) {
		memcpy(s->by_release[i].name, release, ID_TEXT_MAX);
		s->n_releases++;
	}
	return &s->by_release[i].score;
}

static void note_failure(struct stream *s, uint64_t begun)
{
	score_failed(&s->total);
	score_failed(&s->recent);
	if (!s->away_since) {
		s->away_since = begun;
		s->gaps++;
	}
}

static uint64_t gap(const struct stream *s)
{
	return s->away_since ? now_us() - s->away_since : 0;
}

static void note_answer(struct stream *s, uint64_t begun, const struct stream_answer *a, bool right)
{
	uint64_t took = now_us() - begun;
	struct score *by = score_of(s, a->release);

	score_answer(&s->total, took, right);
	score_answer(&s->recent, took, right);
	if (by)
		score_answer(by, took, right);
	s->longest_gap = MAX(s->longest_gap, gap(s));
	s->away_since = 0;
	memcpy(s->release, a->release, sizeof(s->release));
	memcpy(s->slot, a->slot, sizeof(s->slot));
}

static void step(struct stream *s, CURL *curl, const struct truth_plate *plate)
{
	uint64_t begun = now_us();
	struct stream_answer a;
	struct err e;
	int rc = ask(curl, plate, &a, &e);

	pthread_mutex_lock(&s->lock);
	if (rc < 0)
		note_failure(s, begun);
	else
		note_answer(s, begun, &a, strcmp(a.text, plate->text) == 0);
	pthread_mutex_unlock(&s->lock);
}

/* ---- the thread --------------------------------------------------------------------- */

/* A service that is slower than the stream gets the next plate when it has answered, not two at
 * once: the schedule waits, it does not pile up. */
static void run(struct stream *s, CURL *curl)
{
	uint64_t next = now_us() + s->delay;

	for (size_t i = s->first; !s->stop; i++) {
		sleep_until(next);
		if (s->stop)
			break;
		step(s, curl, &s->plates->v[i % s->plates->n]);
		next = MAX(next + s->period, now_us());
	}
}

static void *thread_main(void *self)
{
	struct stream *s = self;
	struct curl_slist *heads =
		curl_slist_append(NULL, "Content-Type: application/octet-stream");
	CURL *curl = curl_easy_init();
	char url[512];

	heads = curl_slist_append(heads, "Expect:");
	snprintf(url, sizeof(url), "%s/infer", s->url);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, PATIENCE_MS);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, heads);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	run(s, curl);
	curl_easy_cleanup(curl);
	curl_slist_free_all(heads);
	return NULL;
}

int stream_begin(struct stream *s, struct err *e)
{
	int rc;

	pthread_mutex_init(&s->lock, NULL);
	rc = pthread_create(&s->thread, NULL, thread_main, s);
	return rc ? err_sys(e, rc, "a thread for %s", s->url) : 0;
}

void stream_end(struct stream *s)
{
	s->stop = true;
	pthread_join(s->thread, NULL);
	pthread_mutex_destroy(&s->lock);
}

/* ---- telling ------------------------------------------------------------------------ */

json_t *stream_recent(struct stream *s)
{
	json_t *j;

	pthread_mutex_lock(&s->lock);
	j = json_pack("{s:s, s:s, s:s}", "url", s->url, "release", s->release, "slot", s->slot);
	score_write(&s->recent, j);
	json_object_set_new(j, "gap_ms", json_integer((json_int_t)(gap(s) / 1000)));
	s->recent = (struct score){0};
	pthread_mutex_unlock(&s->lock);
	return j;
}

json_t *stream_total(struct stream *s)
{
	json_t *j, *releases = json_object();

	pthread_mutex_lock(&s->lock);
	j = json_pack("{s:s}", "url", s->url);
	score_write(&s->total, j);
	json_object_set_new(j, "gaps", json_integer((json_int_t)s->gaps));
	json_object_set_new(j, "longest_gap_ms",
		json_integer((json_int_t)(MAX(s->longest_gap, gap(s)) / 1000)));
	for (unsigned i = 0; i < s->n_releases; i++) {
		json_t *one = json_object();

		score_write(&s->by_release[i].score, one);
		json_object_set_new(releases, s->by_release[i].name, one);
	}
	pthread_mutex_unlock(&s->lock);
	json_object_set_new(j, "releases", releases);
	return j;
}
