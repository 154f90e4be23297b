/* From a struct web_reply to the wire. */
#include "server/web/web_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/wire/json.h"

void web_reply_err(struct web_reply *out, const struct err *e)
{
	JSON_AUTO *j = json_pack("{s:s, s:s}", "error", err_name(e->code), "reason", e->text);

	out->status = err_http(e->code);
	buf_clear(&out->body);
	if (j)
		json_write(j, &out->body);
	snprintf(out->error, sizeof out->error, "%s", err_name(e->code));
}

struct range {
	bool partial;
	uint64_t from, n;
};

/* "bytes=FROM-" and "bytes=FROM-TO" of the very file the client began with; anything else gets the
 * whole file, which RFC 9110 14.2 allows. */
static struct range wanted_range(struct MHD_Connection *c, const char *etag, uint64_t size)
{
	struct range whole = {false, 0, size};
	const char *text = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE);
	const char *same =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_RANGE);
	struct str rest, first;
	uint64_t from, to;

	if (!text || strncmp(text, "bytes=", 6) != 0 || size == 0)
		return whole;
	if (same && (strlen(same) < 2 || !str_is((struct str){same + 1, strlen(same) - 2}, etag)))
		return whole;
	rest = str_of(text + 6);
	if (!str_split(&rest, '-', &first) || str_to_u64(first, 0, size - 1, &from, NULL) < 0)
		return whole;
	to = size - 1;
	if (rest.n && str_to_u64(rest, from, UINT64_MAX, &to, NULL) < 0)
		return whole;
	to = MIN(to, size - 1);
	return (struct range){true, from, to - from + 1};
}

static struct MHD_Response *of_file(struct web_exchange *x, struct web_reply *r, struct err *e)
{
	struct MHD_Response *response;
	char content_range[96];
	struct range range;
	struct stat st;
	int fd = open(r->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, errno, "file");
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	range = wanted_range(x->connection, r->etag, (uint64_t)st.st_size);
	response = MHD_create_response_from_fd_at_offset64(range.n, fd, range.from);
	if (!response) {
		err_sys(e, ENOMEM, "file");
		close(fd);
		return NULL;
	}
	if (range.partial) {
		snprintf(content_range, sizeof content_range, "bytes %llu-%llu/%llu",
			(unsigned long long)range.from,
			(unsigned long long)(range.from + range.n - 1),
			(unsigned long long)st.st_size);
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, content_range);
		r->status = MHD_HTTP_PARTIAL_CONTENT;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	return response;
}

/* The bytes go over to libmicrohttpd, which frees them. */
static struct MHD_Response *of_bytes(struct web_reply *r)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(r->body.n, r->body.p, MHD_RESPMEM_MUST_FREE);

	r->body = (struct buf){0};
	return response;
}

static bool is_busy(const struct web_reply *r)
{
	return r->status == MHD_HTTP_TOO_MANY_REQUESTS || r->status == MHD_HTTP_SERVICE_UNAVAILABLE;
}

static void add_headers(struct web *w, struct MHD_Response *response, const struct web_reply *r)
{
	char quoted[sizeof r->etag + 2], seconds[16];

	MHD_add_response_header(
		response, MHD_HTTP_HEADER_CONTENT_TYPE, r->type ? r->type : "application/json");
	if (r->etag[0]) {
		snprintf(quoted, sizeof quoted, "\"%s\"", r->etag);
		MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, quoted);
	}
	if (r->retry_after_s) {
		snprintf(seconds, sizeof seconds, "%u",
			is_busy(r) ? web_load_again(w, r->retry_after_s) : r->retry_after_s);
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
	}
	if (web_load_is_crowded(w))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static bool is_known_already(const struct web_exchange *x, const struct web_reply *r)
{
	const char *known = x->rq.etag;
	size_t n = known ? strlen(known) : 0;

	return r->status == MHD_HTTP_OK && r->etag[0] && n > 2 && known[0] == '"' &&
	       str_is((struct str){known + 1, n - 2}, r->etag);
}

enum MHD_Result web_send(struct web *w, struct web_exchange *x, struct web_reply *r)
{
	struct MHD_Response *response = NULL;
	enum MHD_Result rc;
	struct err e;

	if (r->status == 0)
		r->status = MHD_HTTP_OK;
	if (is_known_already(x, r)) {
		r->status = MHD_HTTP_NOT_MODIFIED;
		buf_clear(&r->body);
		r->file[0] = 0;
	}
	if (r->file[0]) {
		response = of_file(x, r, &e);
		if (!response)
			web_reply_err(r, &e);
	}
	if (!response)
		response = of_bytes(r);
	buf_fini(&r->body);
	if (!response)
		return MHD_NO;
	w->stats.errors += r->status >= 400;
	w->stats.busy += is_busy(r);
	add_headers(w, response, r);
	rc = MHD_queue_response(x->connection, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return rc;
}
