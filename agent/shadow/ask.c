#include "agent/shadow/shadow_priv.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/net/http.h"

#define READY_WAIT SEC(1) /* one question whether it is up */

static void url_of(const struct challenger *c, const char *path, char *out, size_t cap)
{
	snprintf(out, cap, "http://127.0.0.1:%u%s", c->port, path);
}

int challenger_ready(const struct challenger *c, struct err *e)
{
	struct http_conf http = {.connect_timeout = READY_WAIT, .total_timeout = READY_WAIT};
	struct http_answer answer = {0};
	char url[192];
	int rc;

	url_of(c, c->rule->ready, url, sizeof url);
	rc = http_get(&http, url, NULL, LIMIT_SHADOW_BODY, c->cancel, &answer, e);
	if (rc == 0 && answer.status == 503)
		rc = err_set(e, ERR_TIMEOUT, "%s still answers 503", c->rule->ready);
	http_answer_fini(&answer);
	return rc;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int ask(const struct challenger *c, const struct shadow_note *note,
	char out[LIMIT_SHADOW_ANSWER], struct err *e)
{
	struct http_conf http = {
		.connect_timeout = c->rule->timeout, .total_timeout = c->rule->timeout};
	struct http_answer answer = {0};
	char url[192];
	int rc;

	memcpy(http.content_type, note->type, sizeof http.content_type);
	url_of(c, c->rule->path, url, sizeof url);
	rc = http_send(&http, "POST", url, note->input, LIMIT_SHADOW_BODY, c->cancel, &answer, e);
	if (rc == 0)
		rc = http_check(&answer, c->rule->path, e);
	if (rc == 0)
		rc = shadow_answer_of(buf_str(&answer.body), c->rule->answer, out, e);
	http_answer_fini(&answer);
	return rc;
}

void challenger_ask(
	const struct challenger *c, const struct shadow_note *note, struct shadow_pair *out)
{
	uint64_t begun = now_us();
	struct shadow_pair p = {.champion_us = note->took_us, .champion_failed = note->failed};
	struct err e;

	memcpy(p.id, note->id, sizeof p.id);
	memcpy(p.champion, note->answer, sizeof p.champion);
	p.failed = ask(c, note, p.challenger, &e) < 0;
	p.challenger_us = now_us() - begun;
	p.agrees = !p.failed && shadow_is_match(c->rule, p.champion, p.challenger);
	*out = p;
}
