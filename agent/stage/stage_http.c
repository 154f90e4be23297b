#include <stdio.h>

#include "agent/stage/stage_priv.h"

static int source_http_open(
	void *self, const struct artifact *a, uint64_t from, void **out_stream, struct err *e)
{
	const struct stage_http *h = self;
	struct http_stream *s;
	BUF_AUTO url = {0};
	char digest[SHA256_TEXT];

	sha256_format(&a->digest, digest);
	buf_addf(&url, "%s/artifacts/%s", h->server, digest);
	TRY(http_stream_open(h->http, buf_cstr(&url), from, a->length, h->cancel, &s, e));
	*out_stream = s;
	return 0;
}

static int source_http_read(void *stream, void *p, size_t n, size_t *out_n, struct err *e)
{
	return http_stream_read(stream, p, n, out_n, e);
}

static void source_http_stop(void *stream)
{
	http_stream_stop(stream);
}

static void source_http_close(void *stream)
{
	struct http_stream *s = stream;

	http_stream_close(&s);
}

struct stage_source stage_source_http(struct stage_http *self)
{
	return (struct stage_source){.kind = "http",
		.open = source_http_open,
		.read = source_http_read,
		.stop = source_http_stop,
		.close = source_http_close,
		.self = self};
}
