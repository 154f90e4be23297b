#include "tests/lib/httpd.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/trust/digest.h"

#define FILES    64
#define HEAD_MAX 8192

struct row {
	struct httpd_file f;
	char path[256];
	unsigned served;
};

struct httpd {
	int listener, stop; /* stop: an eventfd */
	char url[48], dir[256];
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t idle;
	bool busy;
	struct row row[FILES];
	unsigned n, requests, retry_after;
	struct buf asked; /* one path a line */
	struct buf last;
	bool takes_posts;
	struct buf posts;    /* one body a line */
	unsigned gets, drop; /* drop: number of the GET that is hung up on */
	httpd_maker_f *make;
	void *make_ctx;
};

struct request {
	struct httpd *h;
	int fd;
	bool is_post;
	char path[512];
	char range[64], if_range[128], if_none_match[128];
};

/* ---- sending ---- */

/* False when the other side is gone, or the server is to stop. */
static bool send_all(struct request *r, const void *p, size_t n)
{
	struct pollfd fds[2] = {{r->fd, POLLOUT, 0}, {r->h->stop, POLLIN, 0}};

	for (size_t at = 0; at < n;) {
		ssize_t k = send(r->fd, (const char *)p + at, n - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (k > 0)
			at += (size_t)k;
		else if (k < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		else if (poll(fds, 2, -1) < 0 || fds[1].revents)
			return false;
	}
	return true;
}

static bool send_text(struct request *r, const char *s)
{
	return send_all(r, s, strlen(s));
}

/* Until the other side hangs up. */
static void wait_for_end(struct request *r)
{
	struct pollfd fds[2] = {{r->fd, POLLIN, 0}, {r->h->stop, POLLIN, 0}};
	char ignored[256];

	while (poll(fds, 2, -1) > 0 && !fds[1].revents)
		if (recv(r->fd, ignored, sizeof ignored, 0) <= 0)
			return;
}

static void head(struct request *r, int status, const char *etag, uint64_t length, const char *more)
{
	BUF_AUTO b = {0};

	buf_addf(&b, "HTTP/1.1 %d Status\r\nConnection: close\r\nContent-Length: %llu\r\n%s",
		status, (unsigned long long)length, more);
	if (etag)
		buf_addf(&b, "ETag: %s\r\n", etag);
	buf_add_str(&b, "\r\n");
	send_all(r, b.p, b.n);
}

/* ---- manners ---- */

/* The part that is asked for; false: the whole. */
static bool part_of(const struct request *r, const struct httpd_file *f, uint64_t *from)
{
	unsigned long long first;

	if (sscanf(r->range, "bytes=%llu-", &first) != 1)
		return false;
	if (r->if_range[0] && (!f->etag || strcmp(r->if_range, f->etag) != 0))
		return false;
	*from = first;
	return true;
}

static void serve(struct request *r, const struct httpd_file *f, uint64_t most, uint64_t shift)
{
	uint64_t from = 0;
	char range[96];

	if (f->etag && strcmp(r->if_none_match, f->etag) == 0) {
		head(r, 304, f->etag, 0, "");
		return;
	}
	if (!part_of(r, f, &from)) {
		head(r, 200, f->etag, f->body.n, "");
	} else if (from >= f->body.n) {
		head(r, 416, NULL, 0, "");
		return;
	} else {
		snprintf(range, sizeof range, "Content-Range: bytes %llu-%llu/%llu\r\n",
			(unsigned long long)(from + shift), (unsigned long long)f->body.n - 1,
			(unsigned long long)f->body.n);
		if (f->range)
			snprintf(range, sizeof range, "Content-Range: %s\r\n", f->range);
		head(r, 206, f->etag, f->body.n - from, range);
	}
	send_all(r, f->body.p + from, (size_t)MIN(most, f->body.n - from));
}

static void serve_whole(struct request *r, const struct httpd_file *f)
{
	r->range[0] = '\0';
	serve(r, f, UINT64_MAX, 0);
}

static void serve_chunked(struct request *r, const struct httpd_file *f)
{
	char size[32];

	send_text(r, "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
	snprintf(size, sizeof size, "%zx\r\n", f->body.n);
	if (f->body.n && send_text(r, size) && send_all(r, f->body.p, f->body.n))
		send_text(r, "\r\n");
	for (uint64_t i = 0; i < f->n; i++)
		send_text(r, "1\r\n+\r\n");
	send_text(r, "0\r\n\r\n");
}

static void serve_endless(struct request *r, const char *begin, const char *piece)
{
	bool more = send_text(r, begin);

	while (more)
		more = send_text(r, piece);
}

/* False when the other side is gone, or the server is to stop. */
static bool pause_ms(struct request *r, uint64_t ms)
{
	struct pollfd stop = {r->h->stop, POLLIN, 0};

	return poll(&stop, 1, (int)ms) == 0;
}

static void serve_drip(struct request *r, const char *begin, const char *piece, uint64_t every)
{
	bool more = send_text(r, begin);

	while (more)
		more = pause_ms(r, every) && send_text(r, piece);
}

static void serve_bytes(struct request *r, const struct httpd_file *f)
{
	head(r, 200, f->etag, f->body.n, "");
	for (size_t i = 0; i < f->body.n; i++)
		if (!pause_ms(r, f->n) || !send_all(r, f->body.p + i, 1))
			return;
}

static void serve_redirect(struct request *r, const struct httpd_file *f)
{
	BUF_AUTO b = {0};

	buf_addf(&b, "Location: %.*s\r\n", (int)f->body.n, f->body.p);
	head(r, (int)f->n, NULL, 0, buf_cstr(&b));
}

static void answer(struct request *r, const struct httpd_file *f)
{
	char after[48];

	switch (f->manner) {
	case HTTPD_SERVE:
		serve(r, f, UINT64_MAX, 0);
		break;
	case HTTPD_NO_RANGE:
		serve_whole(r, f);
		break;
	case HTTPD_CUT:
		serve(r, f, f->n, 0);
		break;
	case HTTPD_LENGTH:
		head(r, 200, f->etag, f->n, "");
		send_all(r, f->body.p, f->body.n);
		break;
	case HTTPD_CHUNKED:
		serve_chunked(r, f);
		break;
	case HTTPD_ENDLESS:
		serve_endless(r,
			"HTTP/1.1 200 OK\r\nConnection: close\r\n"
			"Transfer-Encoding: chunked\r\n\r\n",
			"10\r\n0123456789abcdef\r\n");
		break;
	case HTTPD_HEADERS:
		serve_endless(r, "HTTP/1.1 200 OK\r\n", "X-More: and more and more\r\n");
		break;
	case HTTPD_STATUS:
		snprintf(after, sizeof after, "Retry-After: %u\r\n", r->h->retry_after);
		head(r, (int)f->n, f->etag, f->body.n, after);
		send_all(r, f->body.p, f->body.n);
		break;
	case HTTPD_REDIRECT:
		serve_redirect(r, f);
		break;
	case HTTPD_SILENT:
		wait_for_end(r);
		break;
	case HTTPD_STALL:
		serve(r, f, f->n, 0);
		wait_for_end(r);
		break;
	case HTTPD_SHIFTED:
		serve(r, f, UINT64_MAX, 1);
		break;
	case HTTPD_DRIP:
		if (f->body.n)
			serve_bytes(r, f);
		else
			serve_drip(r,
				"HTTP/1.1 200 OK\r\nConnection: close\r\n"
				"Transfer-Encoding: chunked\r\n\r\n",
				"1\r\n \r\n", f->n);
		break;
	case HTTPD_DRIP_HEADERS:
		serve_drip(r, "HTTP/1.1 200 OK\r\n", "X: y\r\n", f->n);
		break;
	}
}

/* ---- files ---- */

static bool find(struct httpd *h, const char *path, struct httpd_file *out)
{
	for (unsigned i = 0; i < h->n; i++) {
		struct row *row = &h->row[i];

		if (strcmp(row->path, path) != 0)
			continue;
		*out = row->f;
		if (row->f.times && row->served >= row->f.times)
			out->manner = HTTPD_SERVE;
		row->served++;
		return true;
	}
	return false;
}

static bool read_file(struct httpd *h, const char *path, struct buf *out)
{
	char full[1024];
	FILE *f;
	size_t n;

	if (!h->dir[0] || strstr(path, ".."))
		return false;
	snprintf(full, sizeof full, "%s%s", h->dir, path);
	f = fopen(full, "re");
	if (!f)
		return false;
	while ((n = fread(buf_reserve(out, 65536), 1, 65536, f)) > 0)
		out->n += n;
	fclose(f);
	return true;
}

static void answer_path(struct request *r)
{
	struct httpd_file f;
	BUF_AUTO bytes = {0};
	char etag[SHA256_TEXT + 2];
	struct sha256 sum;

	pthread_mutex_lock(&r->h->lock);
	buf_addf(&r->h->asked, "%s\n", r->path);
	r->h->requests++;
	bool known = find(r->h, r->path, &f);
	if (!known && r->is_post && r->h->takes_posts) {
		f = (struct httpd_file){.body = STR("{}")};
		known = true;
	}
	pthread_mutex_unlock(&r->h->lock);
	if (!known && (read_file(r->h, r->path, &bytes) ||
			      (r->h->make && r->h->make(r->h->make_ctx, r->path, &bytes)))) {
		digest_of(bytes.p, bytes.n, &sum);
		etag[0] = '"';
		sha256_format(&sum, etag + 1);
		strcat(etag, "\"");
		f = (struct httpd_file){.body = buf_str(&bytes), .etag = etag};
		known = true;
	}
	if (known)
		answer(r, &f);
	else
		head(r, 404, NULL, 0, "");
}

/* ---- requests ---- */

static void header_of(const char *text, const char *name, char *out, size_t cap)
{
	char key[64];
	const char *at, *end;

	snprintf(key, sizeof key, "\r\n%s: ", name);
	at = strcasestr(text, key);
	if (!at)
		return;
	at += strlen(key);
	end = strstr(at, "\r\n");
	if (end)
		snprintf(out, cap, "%.*s", (int)(end - at), at);
}

static bool read_head(struct request *r, char text[HEAD_MAX])
{
	struct pollfd fds[2] = {{r->fd, POLLIN, 0}, {r->h->stop, POLLIN, 0}};
	size_t n = 0;

	while (n < HEAD_MAX - 1 && poll(fds, 2, -1) > 0 && !fds[1].revents) {
		ssize_t k = recv(r->fd, text + n, HEAD_MAX - 1 - n, 0);

		if (k <= 0)
			return false;
		n += (size_t)k;
		text[n] = '\0';
		if (strstr(text, "\r\n\r\n"))
			return true;
	}
	return false;
}

/* What is sent along is read, or hanging up would reset the connection. */
static void read_body(struct request *r, const char *text, struct buf *out)
{
	char length[32] = "";
	const char *at = strstr(text, "\r\n\r\n") + 4;
	char piece[4096];

	header_of(text, "Content-Length", length, sizeof length);
	for (unsigned long long all = strtoull(length, NULL, 10), left = all - MIN(strlen(at), all);
		left > 0;) {
		ssize_t k = recv(r->fd, piece, (size_t)MIN(left, sizeof piece), 0);

		if (k <= 0)
			return;
		left -= (unsigned long long)k;
		if (r->is_post)
			buf_add(out, piece, (size_t)k);
	}
}

static void keep_post(struct request *r, const char *begin, const struct buf *rest)
{
	struct buf *posts = &r->h->posts;

	pthread_mutex_lock(&r->h->lock);
	buf_add_str(posts, begin);
	buf_add(posts, rest->p, rest->n);
	buf_add_char(posts, '\n');
	pthread_mutex_unlock(&r->h->lock);
}

static void handle(struct httpd *h, int fd)
{
	struct request r = {.h = h, .fd = fd};
	char text[HEAD_MAX];
	BUF_AUTO body = {0};

	if (!read_head(&r, text) || sscanf(text, "%*s %511s", r.path) != 1)
		return;
	header_of(text, "Range", r.range, sizeof r.range);
	header_of(text, "If-Range", r.if_range, sizeof r.if_range);
	header_of(text, "If-None-Match", r.if_none_match, sizeof r.if_none_match);
	if (strcasestr(text, "\r\nExpect: 100-continue"))
		send_text(&r, "HTTP/1.1 100 Continue\r\n\r\n");
	r.is_post = strncmp(text, "POST ", 5) == 0;
	read_body(&r, text, &body);
	if (r.is_post)
		keep_post(&r, strstr(text, "\r\n\r\n") + 4, &body);
	pthread_mutex_lock(&h->lock);
	buf_clear(&h->last);
	buf_add_str(&h->last, text);
	h->gets += !r.is_post;
	bool dropped = !r.is_post && h->gets == h->drop;
	pthread_mutex_unlock(&h->lock);
	if (!dropped)
		answer_path(&r);
}

static void set_busy(struct httpd *h, bool busy)
{
	pthread_mutex_lock(&h->lock);
	h->busy = busy;
	pthread_cond_broadcast(&h->idle);
	pthread_mutex_unlock(&h->lock);
}

static void *run(void *arg)
{
	struct httpd *h = arg;
	struct pollfd fds[2] = {{h->listener, POLLIN, 0}, {h->stop, POLLIN, 0}};

	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		int fd = accept(h->listener, NULL, NULL);

		if (fd < 0)
			continue;
		set_busy(h, true);
		handle(h, fd);
		close(fd);
		set_busy(h, false);
	}
	return NULL;
}

/* ---- outside ---- */

struct httpd *httpd_new(void)
{
	struct httpd *h = calloc(1, sizeof *h);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof a;

	assert(h);
	h->retry_after = 1;
	h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	h->stop = eventfd(0, EFD_CLOEXEC);
	assert(h->listener >= 0 && h->stop >= 0);
	assert(bind(h->listener, (struct sockaddr *)&a, sizeof a) == 0);
	assert(listen(h->listener, 16) == 0);
	assert(getsockname(h->listener, (struct sockaddr *)&a, &n) == 0);
	snprintf(h->url, sizeof h->url, "http://127.0.0.1:%u", ntohs(a.sin_port));
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->idle, NULL);
	assert(pthread_create(&h->thread, NULL, run, h) == 0);
	return h;
}

void httpd_free(struct httpd **hp)
{
	struct httpd *h = *hp;

	if (!h)
		return;
	eventfd_write(h->stop, 1);
	pthread_join(h->thread, NULL);
	close(h->listener);
	close(h->stop);
	buf_fini(&h->asked);
	buf_fini(&h->last);
	buf_fini(&h->posts);
	pthread_cond_destroy(&h->idle);
	pthread_mutex_destroy(&h->lock);
	free(h);
	*hp = NULL;
}

const char *httpd_url(const struct httpd *h)
{
	return h->url;
}

void httpd_put(struct httpd *h, const struct httpd_file *f)
{
	unsigned i = 0;

	pthread_mutex_lock(&h->lock);
	while (i < h->n && strcmp(h->row[i].path, f->path) != 0)
		i++;
	assert(i < FILES);
	h->n = MAX(h->n, i + 1);
	h->row[i] = (struct row){.f = *f};
	snprintf(h->row[i].path, sizeof h->row[i].path, "%s", f->path);
	pthread_mutex_unlock(&h->lock);
}

void httpd_set_retry_after(struct httpd *h, unsigned seconds)
{
	h->retry_after = seconds;
}

void httpd_set_dir(struct httpd *h, const char *dir)
{
	snprintf(h->dir, sizeof h->dir, "%s", dir);
}

unsigned httpd_count(struct httpd *h, const char *path)
{
	struct str rest, line;
	unsigned n = 0;

	pthread_mutex_lock(&h->lock);
	rest = buf_str(&h->asked);
	while (path && str_split(&rest, '\n', &line))
		n += str_is(line, path);
	n = path ? n : h->requests;
	pthread_mutex_unlock(&h->lock);
	return n;
}

void httpd_asked(struct httpd *h, struct buf *out)
{
	pthread_mutex_lock(&h->lock);
	buf_add(out, h->asked.p, h->asked.n);
	pthread_mutex_unlock(&h->lock);
}

void httpd_last(struct httpd *h, struct buf *out)
{
	pthread_mutex_lock(&h->lock);
	buf_add(out, h->last.p, h->last.n);
	pthread_mutex_unlock(&h->lock);
}

void httpd_drop(struct httpd *h, unsigned nth)
{
	pthread_mutex_lock(&h->lock);
	h->gets = 0;
	h->drop = nth;
	pthread_mutex_unlock(&h->lock);
}

void httpd_set_maker(struct httpd *h, httpd_maker_f *make, void *ctx)
{
	h->make = make;
	h->make_ctx = ctx;
}

void httpd_take_posts(struct httpd *h)
{
	pthread_mutex_lock(&h->lock);
	h->takes_posts = true;
	pthread_mutex_unlock(&h->lock);
}

void httpd_posts(struct httpd *h, struct buf *out)
{
	pthread_mutex_lock(&h->lock);
	buf_add(out, h->posts.p, h->posts.n);
	pthread_mutex_unlock(&h->lock);
}

void httpd_forget(struct httpd *h)
{
	pthread_mutex_lock(&h->lock);
	while (h->busy)
		pthread_cond_wait(&h->idle, &h->lock);
	buf_clear(&h->asked);
	h->requests = 0;
	pthread_mutex_unlock(&h->lock);
}
