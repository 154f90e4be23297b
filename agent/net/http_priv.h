/* What http.c and http_stream.c share: one curl handle with all bounds set. */
#ifndef AGENT_NET_HTTP_PRIV_H
#define AGENT_NET_HTTP_PRIV_H

#include <curl/curl.h>

#include "agent/net/http.h"

#define HTTP_REDIRECTS 5U
#define HTTP_LOW_SPEED 1000U /* bytes a second, when nothing else is said */

struct http_call {
	CURL *easy;
	struct curl_slist *headers;
	const atomic_bool *cancel;
	size_t header_bytes;
	char text[CURL_ERROR_SIZE];
	char agent[sizeof((struct http_conf *)0)->user_agent];
};

/* The call stays where it is until http_call_fini: curl points into it. */
int http_call_init(struct http_call *c, const struct http_conf *conf, const char *url,
	const atomic_bool *cancel, struct err *e) MUST_CHECK;
void http_call_fini(struct http_call *c);
void http_call_header(struct http_call *c, const char *line);
/* Turns what curl says into a typed error. */
int http_call_error(const struct http_call *c, CURLcode code, struct err *e);

/* The value of the last answer's header, or "". Borrowed until the next transfer. */
const char *http_call_answer(const struct http_call *c, const char *name);
int http_call_status(const struct http_call *c);
/* What the server says is the length of the body, or -1. */
int64_t http_call_length(const struct http_call *c);

bool http_call_is_redirect(int status);
/* Where the answer redirects to, into a fresh string of the caller's; ERR_DENIED when that is
 * another scheme, host or port. */
int http_call_redirect(
	const struct http_call *c, const char *url, char **out, struct err *e) MUST_CHECK;

#endif
