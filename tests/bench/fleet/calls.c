#include "tests/bench/fleet/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "tests/bench/fleet/figures.h"

#define PATIENCE_MS 30000L
#define CONNECTIONS 100000L

struct calls {
	struct ready *ready;
	CURLM *multi;
	sd_event_source *timer;
	uint16_t port;
	bool reconnect;
	CURL **spare;
	size_t n_spare, cap;
};

/* ---- between libcurl and the loop ---- */

static void reap(struct calls *all)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(all->multi, &left)) != NULL) {
		CURL *easy = m->easy_handle;
		CURLcode code = m->data.result;
		struct curl_header *h;
		struct call *c = NULL;
		curl_off_t after = 0;
		long status = 0;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&c);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
		c->answered = code == CURLE_OK;
		c->status = (int)status;
		c->retry_after = SEC(after);
		c->us = figures_now_us() - c->began;
		c->new_etag[0] = 0;
		if (curl_easy_header(easy, "ETag", 0, CURLH_HEADER, -1, &h) == CURLHE_OK)
			(void)sscanf(h->value, "\"%79[^\"]", c->new_etag);
		curl_multi_remove_handle(all->multi, easy);
		curl_slist_free_all(c->headers);
		c->headers = NULL;
		c->easy = NULL;
		if (all->n_spare == all->cap) {
			all->cap = all->cap ? 2 * all->cap : 64;
			all->spare = mem_resize(all->spare, all->cap * sizeof *all->spare);
		}
		all->spare[all->n_spare++] = easy;
		c->done(c);
	}
}

static int on_timer(sd_event_source *s UNUSED, uint64_t us UNUSED, void *ctx)
{
	struct calls *all = ctx;
	int running;

	curl_multi_socket_action(all->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(all);
	return 0;
}

static void on_socket(void *ctx, int fd, uint32_t events)
{
	struct calls *all = ctx;
	int what = 0, running;

	what |= events & EPOLLIN ? CURL_CSELECT_IN : 0;
	what |= events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	what |= events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
	curl_multi_socket_action(all->multi, fd, what, &running);
	reap(all);
}

static int follow_socket(CURL *easy UNUSED, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
	static const uint32_t wanted[] = {[CURL_POLL_NONE] = 0,
		[CURL_POLL_IN] = EPOLLIN,
		[CURL_POLL_OUT] = EPOLLOUT,
		[CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT};
	struct calls *all = ctx;
	struct ready_fd *f = of_socket;

	if (what == CURL_POLL_REMOVE) {
		ready_drop(&f);
		curl_multi_assign(all->multi, fd, NULL);
	} else if (f) {
		ready_want(f, wanted[what]);
	} else {
		f = ready_add(all->ready, fd, wanted[what], on_socket, all);
		curl_multi_assign(all->multi, fd, f);
	}
	return 0;
}

static int follow_timer(CURLM *multi UNUSED, long ms, void *ctx)
{
	struct calls *all = ctx;

	if (ms < 0) {
		sd_event_source_set_enabled(all->timer, SD_EVENT_OFF);
		return 0;
	}
	sd_event_source_set_time_relative(all->timer, (uint64_t)ms * 1000);
	sd_event_source_set_enabled(all->timer, SD_EVENT_ONESHOT);
	return 0;
}

struct calls *calls_new(sd_event *loop, struct ready *ready, uint16_t port, bool reconnect)
{
	struct calls *all = mem_new(sizeof *all);

	*all = (struct calls){.ready = ready, .port = port, .reconnect = reconnect};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	all->multi = curl_multi_init();
	if (!all->multi || sd_event_add_time_relative(
				   loop, &all->timer, CLOCK_MONOTONIC, 0, 1, on_timer, all) < 0)
		abort();
	sd_event_source_set_enabled(all->timer, SD_EVENT_OFF);
	curl_multi_setopt(all->multi, CURLMOPT_SOCKETFUNCTION, follow_socket);
	curl_multi_setopt(all->multi, CURLMOPT_SOCKETDATA, all);
	curl_multi_setopt(all->multi, CURLMOPT_TIMERFUNCTION, follow_timer);
	curl_multi_setopt(all->multi, CURLMOPT_TIMERDATA, all);
	curl_multi_setopt(all->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS);
	return all;
}

void calls_free(struct calls **c)
{
	while ((*c)->n_spare)
		curl_easy_cleanup((*c)->spare[--(*c)->n_spare]);
	curl_multi_cleanup((*c)->multi);
	sd_event_source_disable_unref((*c)->timer);
	free((*c)->spare);
	free(*c);
	*c = NULL;
}

/* ---- one call ---- */

static size_t take(char *p, size_t one, size_t n, void *ctx)
{
	buf_add(ctx, p, one * n);
	return one * n;
}

static void set_address(const struct calls *all, CURL *h, const struct call *c)
{
	char url[600], from[40];

	snprintf(url, sizeof url, "http://%s.localhost:%u%s", c->host, all->port, c->path);
	snprintf(from, sizeof from, "host!127.%u.%u.%u", 10 + c->number / 62500,
		c->number / 250 % 250, 1 + c->number % 250);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_INTERFACE, from);
	curl_easy_setopt(h, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	/* For ever: otherwise every call looks through the names of all devices for old ones. */
	curl_easy_setopt(h, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
	curl_easy_setopt(h, CURLOPT_FORBID_REUSE, (long)all->reconnect);
	curl_easy_setopt(h, CURLOPT_PROXY, "");
}

static void set_body(CURL *h, struct call *c)
{
	char line[120];

	if (c->etag && *c->etag) {
		snprintf(line, sizeof line, "If-None-Match: \"%s\"", c->etag);
		c->headers = curl_slist_append(c->headers, line);
	}
	if (c->body.n) {
		c->headers = curl_slist_append(c->headers, "Content-Type: application/json");
		c->headers = curl_slist_append(c->headers, "Expect:");
		curl_easy_setopt(h, CURLOPT_POST, 1L);
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)c->body.n);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, c->body.p);
	}
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, c->headers);
}

void call_begin(struct calls *all, struct call *c)
{
	CURL *h = all->n_spare ? all->spare[--all->n_spare] : curl_easy_init();

	if (!h)
		abort();
	curl_easy_reset(h);
	buf_clear(&c->answer);
	c->easy = h;
	set_address(all, h, c);
	set_body(h, c);
	curl_easy_setopt(h, CURLOPT_PRIVATE, c);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, &c->answer);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, PATIENCE_MS);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	c->began = figures_now_us();
	if (curl_multi_add_handle(all->multi, h) != CURLM_OK)
		abort();
}
