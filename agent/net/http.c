#include "agent/net/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/net/http_priv.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"

/* ---- gathering a body ---- */

struct gather {
	struct http_call *call;
	struct buf body;
	size_t max;
	bool too_large, cut;
};

static size_t on_body(char *p, size_t one, size_t n, void *ctx)
{
	struct gather *g = ctx;
	bool is_failure = http_call_status(g->call) >= 400;
	size_t max = is_failure ? HTTP_ERROR_BODY_MAX : g->max;

	(void)one;
	if (!is_failure && http_call_length(g->call) > (int64_t)max)
		g->too_large = true;
	if (n > max - g->body.n) {
		g->cut = is_failure;
		g->too_large = !is_failure;
	}
	if (g->too_large)
		return 0;
	buf_add(&g->body, p, MIN(n, max - g->body.n));
	return g->cut ? 0 : n;
}

static void fill_answer(struct gather *g, struct http_answer *out)
{
	curl_off_t after = 0;

	*out = (struct http_answer){.status = http_call_status(g->call), .body = g->body};
	g->body = (struct buf){0};
	(void)!str_copy(
		str_of(http_call_answer(g->call, "ETag")), out->etag, sizeof out->etag, NULL);
	curl_easy_getinfo(g->call->easy, CURLINFO_RETRY_AFTER, &after);
	out->retry_after = SEC(MIN(MAX(after, 0), 7 * 24 * 3600));
}

static int perform(struct gather *g, struct err *e)
{
	CURLcode code = curl_easy_perform(g->call->easy);

	if (g->too_large)
		return err_set(e, ERR_TOO_LARGE, "a body of more than %zu bytes", g->max);
	if (code != CURLE_OK && !g->cut)
		return http_call_error(g->call, code, e);
	return 0;
}

static void set_body(struct http_call *c, struct gather *g, const struct http_conf *conf)
{
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, g);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS,
		(long)(conf->total_timeout ? conf->total_timeout : SEC(60)));
}

/* ---- GET ---- */

static int get_once(const struct http_conf *conf, const char *url, const char *etag, size_t max,
	const atomic_bool *cancel, struct http_answer *out, char **out_next, struct err *e)
{
	struct http_call c;
	struct gather g = {.call = &c, .max = max};
	BUF_AUTO match = {0};

	TRY(http_call_init(&c, conf, url, cancel, e));
	set_body(&c, &g, conf);
	if (etag && etag[0]) {
		buf_addf(&match, "If-None-Match: %s", etag);
		http_call_header(&c, buf_cstr(&match));
	}
	int rc = perform(&g, e);
	if (rc == 0 && http_call_is_redirect(http_call_status(&c)))
		rc = http_call_redirect(&c, url, out_next, e);
	else if (rc == 0)
		fill_answer(&g, out);
	buf_fini(&g.body);
	http_call_fini(&c);
	return rc;
}

int http_get(const struct http_conf *c, const char *url, const char *etag, size_t max,
	const atomic_bool *cancel, struct http_answer *out, struct err *e)
{
	CLEANUP(mem_free) char *at = NULL;

	if (c->via)
		return c->via->get(c->via->self, c, url, etag, max, cancel, out, e);
	at = mem_strdup(url);
	for (unsigned hop = 0; hop <= HTTP_REDIRECTS; hop++) {
		char *next = NULL;

		TRY(get_once(c, at, etag, max, cancel, out, &next, e));
		if (!next)
			return 0;
		free(at);
		at = next;
	}
	return err_set(e, ERR_NET, "more than %u redirects", HTTP_REDIRECTS);
}

/* ---- sending ---- */

int http_send(const struct http_conf *conf, const char *method, const char *url, struct str body,
	size_t max, const atomic_bool *cancel, struct http_answer *out, struct err *e)
{
	struct http_call c;
	struct gather g = {.call = &c, .max = max};
	BUF_AUTO type = {0};

	if (conf->via)
		return conf->via->send(
			conf->via->self, conf, method, url, body, max, cancel, out, e);
	TRY(http_call_init(&c, conf, url, cancel, e));
	set_body(&c, &g, conf);
	curl_easy_setopt(c.easy, CURLOPT_POST, 1L);
	curl_easy_setopt(c.easy, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	curl_easy_setopt(c.easy, CURLOPT_POSTFIELDS, body.n ? body.p : "");
	buf_addf(&type, "Content-Type: %s",
		conf->content_type[0] ? conf->content_type : "application/json");
	http_call_header(&c, buf_cstr(&type));
	http_call_header(&c, "Expect:"); /* a small body is not worth the question */
	int rc = perform(&g, e);
	if (rc == 0)
		fill_answer(&g, out);
	buf_fini(&g.body);
	http_call_fini(&c);
	return rc;
}

struct upload {
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

static int on_upload(void *ctx, curl_off_t dl_all, curl_off_t dl, curl_off_t ul_all, curl_off_t ul)
{
	const struct upload *u = ctx;

	(void)dl_all;
	(void)dl;
	if (ul_all > 0)
		u->progress(u->ctx, (uint64_t)ul, (uint64_t)ul_all);
	return 0;
}

static int put_open_file(const struct http_conf *conf, const char *url, FILE *f, uint64_t size,
	size_t max, struct upload *u, struct http_answer *out, struct err *e)
{
	struct http_call c;
	struct gather g = {.call = &c, .max = max};

	TRY(http_call_init(&c, conf, url, NULL, e));
	set_body(&c, &g, conf);
	curl_easy_setopt(c.easy, CURLOPT_TIMEOUT_MS, 0L); /* as long as it moves */
	curl_easy_setopt(c.easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c.easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
	curl_easy_setopt(c.easy, CURLOPT_READDATA, f);
	curl_easy_setopt(c.easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
	if (u->progress) {
		curl_easy_setopt(c.easy, CURLOPT_XFERINFOFUNCTION, on_upload);
		curl_easy_setopt(c.easy, CURLOPT_XFERINFODATA, u);
	}
	int rc = perform(&g, e);
	if (rc == 0)
		fill_answer(&g, out);
	buf_fini(&g.body);
	http_call_fini(&c);
	return rc;
}

int http_put_file(const struct http_conf *c, const char *url, const char *path, size_t max,
	void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
	struct http_answer *out, struct err *e)
{
	struct upload u = {.progress = progress, .ctx = ctx};
	struct stat st;
	FILE *f = fopen(path, "re");

	if (!f)
		return err_sys(e, errno, "%s", path);
	int rc = fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode)
			 ? err_set(e, ERR_BAD_INPUT, "%s is no file", path)
			 : put_open_file(c, url, f, (uint64_t)st.st_size, max, &u, out, e);
	fclose(f);
	return rc;
}

void http_answer_fini(struct http_answer *a)
{
	buf_fini(&a->body);
}

/* ---- statuses ---- */

/* The server's own words, when it sent some. */
static enum err_code read_reason(const struct http_answer *a, char reason[LIMIT_TEXT])
{
	JSON_AUTO *doc = NULL;
	char name[32] = "", text[LIMIT_TEXT] = "";
	struct err why;

	if (json_read(buf_str(&a->body), HTTP_ERROR_BODY_MAX, &doc, &why) < 0 ||
		json_text(doc, "answer", "error", name, sizeof name, &why) < 0)
		return ERR_OK;
	if (json_text_opt(doc, "answer", "reason", text, sizeof text, &why) == 0)
		str_printable(str_of(text), reason, LIMIT_TEXT);
	enum err_code code = err_by_name(name);
	return code == ERR_CODE_MAX ? ERR_OK : code;
}

int http_check(const struct http_answer *a, const char *what, struct err *e)
{
	char reason[LIMIT_TEXT] = "";
	enum err_code code;

	if ((a->status >= 200 && a->status < 300) || a->status == 304)
		return 0;
	code = read_reason(a, reason);
	if (code == ERR_OK)
		code = err_by_http(a->status);
	if (code == ERR_OK)
		code = ERR_NET; /* neither a success nor a failure: somebody between answers */
	return err_set(e, code, "%s: HTTP %d%s%s", what, a->status, reason[0] ? ": " : "", reason);
}
