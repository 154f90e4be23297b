#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "agent/net/http_priv.h"
#include "lib/sys/clock.h"

#define HEADER_BYTES_MAX ((size_t)64 * 1024)

/* ---- setting up ---- */

static void init_curl(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

static int on_progress(
	void *ctx, curl_off_t dl_all, curl_off_t dl, curl_off_t ul_all, curl_off_t ul)
{
	const struct http_call *c = ctx;

	(void)dl_all;
	(void)dl;
	(void)ul_all;
	(void)ul;
	return c->cancel && atomic_load(c->cancel);
}

static size_t on_header(char *p, size_t one, size_t n, void *ctx)
{
	struct http_call *c = ctx;

	(void)p;
	c->header_bytes += n;
	return c->header_bytes > HEADER_BYTES_MAX ? 0 : one * n;
}

static const char *or_null(const char *s)
{
	return s[0] ? s : NULL;
}

static void set_bounds(CURL *h, const struct http_conf *conf)
{
	ms_t connect = conf->connect_timeout ? conf->connect_timeout : SEC(10);

	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT,
		(long)(conf->low_speed ? conf->low_speed : HTTP_LOW_SPEED));
	curl_easy_setopt(
		h, CURLOPT_LOW_SPEED_TIME, (long)(conf->low_speed_s ? conf->low_speed_s : 30));
	curl_easy_setopt(h, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)conf->max_rate);
	curl_easy_setopt(h, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)conf->max_rate);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
}

/* A file's bytes in place of the file. Borrowed: http_conf outlives its calls. */
static void set_pem(CURL *h, CURLoption option, struct str pem)
{
	struct curl_blob blob = {
		.data = (void *)(uintptr_t)pem.p, .len = pem.n, .flags = CURL_BLOB_NOCOPY};

	if (pem.n)
		curl_easy_setopt(h, option, &blob);
}

static CURLcode ignore_dates(CURL *h, void *ssl_ctx, void *ctx)
{
	(void)h;
	(void)ctx;
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl_ctx), X509_V_FLAG_NO_CHECK_TIME);
	return CURLE_OK;
}

/* A device without a clock must be able to ask what time it is. What it is told then is signed, as
 * is all that it acts upon. */
static void set_time(CURL *h, const struct http_conf *conf)
{
	if (clock_system.wall(clock_system.self) / 1000 < conf->built_s)
		curl_easy_setopt(h, CURLOPT_SSL_CTX_FUNCTION, ignore_dates);
}

/* Verification of peer and host is curl's default, and stays it. */
static void set_identity(CURL *h, const struct http_conf *conf)
{
	if (conf->ca_file[0] || conf->ca_pem.n)
		curl_easy_setopt(h, CURLOPT_CAPATH, NULL); /* or the system's would count, too */
	if (conf->ca_file[0])
		curl_easy_setopt(h, CURLOPT_CAINFO, conf->ca_file);
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(h, CURLOPT_SSLCERT, or_null(conf->cert_file));
	curl_easy_setopt(h, CURLOPT_SSLKEY, or_null(conf->key_file));
	set_pem(h, CURLOPT_CAINFO_BLOB, conf->ca_pem);
	set_pem(h, CURLOPT_SSLCERT_BLOB, conf->cert_pem);
	set_pem(h, CURLOPT_SSLKEY_BLOB, conf->key_pem);
	curl_easy_setopt(
		h, CURLOPT_PROXY, conf->proxy); /* "": none, whatever the environment says */
	curl_easy_setopt(h, CURLOPT_NOPROXY, conf->no_proxy); /* the same */
	if (conf->bearer[0]) {
		curl_easy_setopt(h, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl_easy_setopt(h, CURLOPT_XOAUTH2_BEARER, conf->bearer);
	}
}

int http_call_init(struct http_call *c, const struct http_conf *conf, const char *url,
	const atomic_bool *cancel, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init_curl);
	*c = (struct http_call){.cancel = cancel, .easy = curl_easy_init()};
	if (!c->easy)
		abort();
	set_bounds(c->easy, conf);
	set_identity(c->easy, conf);
	set_time(c->easy, conf);
	curl_easy_setopt(
		c->easy, CURLOPT_USERAGENT, conf->user_agent[0] ? conf->user_agent : "backstay");
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->text);
	curl_easy_setopt(c->easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c->easy, CURLOPT_XFERINFODATA, c);
	curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	CURLcode code = curl_easy_setopt(c->easy, CURLOPT_URL, url);
	if (code == CURLE_OK)
		return 0;
	http_call_fini(c);
	return err_set(e, ERR_CONFIG, "%.200s is no address", url);
}

void http_call_fini(struct http_call *c)
{
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	c->easy = NULL;
	c->headers = NULL;
}

void http_call_header(struct http_call *c, const char *line)
{
	struct curl_slist *more = curl_slist_append(c->headers, line);

	if (!more)
		abort();
	c->headers = more;
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
}

/* ---- what came of it ---- */

static enum err_code code_of(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_ABORTED_BY_CALLBACK:
		return ERR_CANCELLED;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return ERR_CONFIG;
	case CURLE_PEER_FAILED_VERIFICATION:
		return ERR_IMPOSTOR;
	default:
		return ERR_NET;
	}
}

int http_call_error(const struct http_call *c, CURLcode code, struct err *e)
{
	char shown[200];
	const char *text = c->text[0] ? c->text : curl_easy_strerror(code);

	if (c->header_bytes > HEADER_BYTES_MAX)
		text = "headers without end";
	return err_set(e, code_of(code), "%s", str_printable(str_of(text), shown, sizeof shown));
}

const char *http_call_answer(const struct http_call *c, const char *name)
{
	struct curl_header *h;

	if (curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return "";
	return h->value;
}

int http_call_status(const struct http_call *c)
{
	long status = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

int64_t http_call_length(const struct http_call *c)
{
	curl_off_t n = -1;

	curl_easy_getinfo(c->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
	return n;
}

/* ---- redirects ---- */

bool http_call_is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = NULL, *y = NULL;
	bool same = curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    strcasecmp(x, y) == 0;

	curl_free(x);
	curl_free(y);
	return same;
}

static bool same_origin(const char *a, const char *b)
{
	CURLU *x = curl_url(), *y = curl_url();
	bool same = x && y && curl_url_set(x, CURLUPART_URL, a, 0) == CURLUE_OK &&
		    curl_url_set(y, CURLUPART_URL, b, 0) == CURLUE_OK &&
		    same_part(x, y, CURLUPART_SCHEME) && same_part(x, y, CURLUPART_HOST) &&
		    same_part(x, y, CURLUPART_PORT);

	curl_url_cleanup(x);
	curl_url_cleanup(y);
	return same;
}

int http_call_redirect(const struct http_call *c, const char *url, char **out, struct err *e)
{
	char *to = NULL, shown[200];

	curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to)
		return err_set(e, ERR_NET, "a redirect to nowhere");
	if (!same_origin(url, to))
		return err_set(e, ERR_DENIED, "a redirect to another host: %s",
			str_printable(str_of(to), shown, sizeof shown));
	*out = mem_strdup(to);
	return 0;
}
