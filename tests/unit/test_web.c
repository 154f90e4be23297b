/* The server's HTTP edge over a real socket: a child process serves, this one asks with libcurl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/web/web.h"

static pid_t server;
static uint16_t port;
static bool is_out_of_memory; /* in the server: its next file */

/* Takes the place of the library's. */
struct MHD_Response *MHD_create_response_from_fd_at_offset64(uint64_t size, int fd, uint64_t offset)
{
	struct MHD_Response *(*real)(uint64_t, int, uint64_t) = NULL;

	if (is_out_of_memory) {
		is_out_of_memory = false;
		return NULL;
	}
	*(void **)&real = dlsym(RTLD_NEXT, __func__);
	return real(size, fd, offset);
}

/* Answers with what it was asked, so that the test sees what arrived. */
static void echo(void *ctx UNUSED, const struct web_request *rq, struct web_reply *out)
{
	struct stat st;

	if (rq->route == ROUTE_ARTIFACT) {
		snprintf(out->file, sizeof out->file, "%.*s", (int)rq->args[0].n, rq->args[0].p);
		snprintf(out->etag, sizeof out->etag, "the-etag");
		is_out_of_memory = rq->query(rq, "memory") != NULL;
		return;
	}
	if (rq->route == ROUTE_HEALTH) {
		struct err e;

		out->retry_after_s = 7;
		err_set(&e, ERR_BUSY, "later");
		web_reply_err(out, &e);
		out->retry_after_s = 7;
		return;
	}
	snprintf(out->etag, sizeof out->etag, "v1");
	buf_addf(&out->body, "%s|%.*s|%s|%s|%.*s", route_path(rq->route), (int)rq->args[0].n,
		rq->args[0].p ? rq->args[0].p : "", rq->bearer,
		rq->query(rq, "q") ? rq->query(rq, "q") : "-", (int)rq->body.n, rq->body.p);
	if (rq->body_file && stat(rq->body_file, &st) == 0)
		buf_addf(&out->body, "file of %lld", (long long)st.st_size);
}

static int on_term(sd_event_source *s, const struct signalfd_siginfo *si UNUSED, void *ctx UNUSED)
{
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static void serve(int tell)
{
	struct web_conf c = {.bind = "127.0.0.1", .upload_dir = "."};
	sd_event *loop = NULL;
	struct web *w = NULL;
	struct err e;
	uint16_t p;

	sd_event_new(&loop);
	sd_event_add_signal(loop, NULL, SIGTERM, on_term, NULL);
	if (web_open(loop, &c, echo, NULL, NULL, &w, &e) < 0)
		_exit(1);
	p = web_port(w);
	if (write(tell, &p, sizeof p) != sizeof p)
		_exit(1);
	sd_event_loop(loop);
	web_close(&w);
	sd_event_unref(loop);
	exit(0);
}

static int start(void **state UNUSED)
{
	sigset_t term;
	int fds[2];

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	if (pipe(fds) < 0)
		return -1;
	server = fork();
	if (server == 0)
		serve(fds[1]);
	close(fds[1]);
	return read(fds[0], &port, sizeof port) == sizeof port ? 0 : -1;
}

static int stop(void **state UNUSED)
{
	int status;

	kill(server, SIGTERM);
	waitpid(server, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

struct got {
	long status;
	struct buf body, head;
};

static size_t gather(char *p, size_t one, size_t n, void *to)
{
	buf_add(to, p, one * n);
	return one * n;
}

static CURLcode ask(const char *method, const char *path, const char *header, const void *body,
	size_t n, bool chunked, struct got *out)
{
	struct curl_slist *headers = curl_slist_append(NULL, header ? header : "X-None: 1");
	CURL *c = curl_easy_init();
	char url[512];
	CURLcode rc;

	*out = (struct got){0};
	snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	if (n) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	}
	if (chunked)
		headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, gather);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &out->body);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, gather);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, &out->head);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
	rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	return rc;
}

static void got_fini(struct got *g)
{
	buf_fini(&g->body);
	buf_fini(&g->head);
}

static unsigned retry_after(struct got *g)
{
	const char *at = strstr(buf_cstr(&g->head), "Retry-After: ");

	return at ? (unsigned)strtoul(at + 13, NULL, 10) : 0;
}

static void requests_arrive_as_they_are(void **state UNUSED)
{
	static const struct {
		const char *method, *path, *header, *body;
		long status;
		const char *answer;
	} t[] = {
		{"GET", "/v1/devices/node-1", NULL, "", 200, "/v1/devices/{device}|node-1||-|"},
		{"GET", "/v1/devices/n%2de?q=x%20y", "Authorization: Bearer s3cret", "", 200,
			"/v1/devices/{device}|n-e|s3cret|x y|"},
		{"GET", "/v1/devices/a%00b", NULL, "", 200, "/v1/devices/{device}|a%00b||-|"},
		{"POST", "/v1/devices/d/reports", NULL, "{\"seq\":1}", 200,
			"/v1/devices/{device}/reports|d||-|{\"seq\":1}"},
		{"GET", "/v1/devices/d/reports", NULL, "", 404, "no such path for this method"},
		{"GET", "/../../etc/passwd", NULL, "", 404, "\"not_found\""},
		{"GET", "/v1/devices/node-1", "If-None-Match: \"v1\"", "", 304, ""},
		{"GET", "/v1/devices/node-1", "If-None-Match: \"v0\"", "", 200, "node-1"},
		{"GET", "/healthz", NULL, "", 503, "{\"error\":\"busy\",\"reason\":\"later\"}"},
		{"POST", "/healthz", NULL, "x", 404, "not_found"},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct got g;

		assert_int_equal(ask(t[i].method, t[i].path, t[i].header, t[i].body,
					 strlen(t[i].body), false, &g),
			CURLE_OK);
		assert_int_equal(g.status, t[i].status);
		assert_non_null(strstr(buf_cstr(&g.body), t[i].answer));
		if (g.status == 503)
			assert_in_range(retry_after(&g), 7, 14);
		got_fini(&g);
	}
}

static void a_body_beyond_its_limit_is_refused(void **state UNUSED)
{
	size_t n = LIMIT_REPORT_BYTES + 1;
	char *body = mem_new(n);
	struct got g;

	ask("POST", "/v1/devices/d/reports", NULL, body, n, false, &g);
	assert_int_equal(g.status, 413);
	got_fini(&g);
	/* Without an announced length the connection is cut when the limit is passed. */
	assert_int_not_equal(
		ask("POST", "/v1/devices/d/reports", NULL, body, n, true, &g), CURLE_OK);
	assert_int_equal(g.status, 0);
	got_fini(&g);
	assert_int_equal(
		ask("POST", "/v1/devices/d/reports", NULL, body, n - 1, false, &g), CURLE_OK);
	assert_int_equal(g.status, 200);
	got_fini(&g);
	free(body);
}

static void a_large_body_becomes_a_file_and_goes_away(void **state UNUSED)
{
	size_t n = 3000000;
	char *body = mem_new(n);
	struct got g;

	assert_int_equal(ask("PUT", "/v1/artifacts/abc", NULL, body, n, false, &g), CURLE_OK);
	assert_non_null(strstr(buf_cstr(&g.body), "file of 3000000"));
	got_fini(&g);
	free(body);
	/* One more exchange, so that the one before is over for sure. */
	ask("GET", "/v1/devices/x", NULL, NULL, 0, false, &g);
	got_fini(&g);
	assert_int_equal(system("ls upload.* >/dev/null 2>&1"), 2 << 8);
}

static void files_are_served_by_range(void **state UNUSED)
{
	static const struct {
		const char *header;
		long status;
		const char *answer;
	} t[] = {
		{NULL, 200, "0123456789"},
		{"Range: bytes=4-", 206, "456789"},
		{"Range: bytes=4-5", 206, "45"},
		{"Range: bytes=4-99", 206, "456789"},
		{"Range: bytes=10-", 200, "0123456789"},
		{"Range: bytes=x-", 200, "0123456789"},
		{"Range: bytes=5-4", 200, "0123456789"},
		{"If-None-Match: \"the-etag\"", 304, ""},
	};
	int fd = open("ten", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct got g;

	assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(
			ask("GET", "/artifacts/ten", t[i].header, NULL, 0, false, &g), CURLE_OK);
		assert_int_equal(g.status, t[i].status);
		assert_string_equal(buf_cstr(&g.body), t[i].answer);
		got_fini(&g);
	}
	ask("GET", "/artifacts/eleven", NULL, NULL, 0, false, &g);
	assert_int_equal(g.status, 404);
	got_fini(&g);
}

static void a_file_that_does_not_fit_is_an_error(void **state UNUSED)
{
	int fd = open("ten", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct got g;

	assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	assert_int_equal(
		ask("GET", "/artifacts/ten?memory=none", NULL, NULL, 0, false, &g), CURLE_OK);
	assert_int_equal(g.status, 500);
	assert_string_equal(buf_cstr(&g.body),
		"{\"error\":\"io\",\"reason\":\"file: Cannot allocate memory\"}");
	got_fini(&g);
	ask("GET", "/artifacts/ten", NULL, NULL, 0, false, &g);
	assert_int_equal(g.status, 200);
	got_fini(&g);
}

static void a_name_is_no_address(void **state UNUSED)
{
	struct web_conf c = {.bind = "localhost"};
	sd_event *loop = NULL;
	struct web *w = NULL;
	struct err e;

	sd_event_new(&loop);
	assert_int_equal(web_open(loop, &c, echo, NULL, NULL, &w, &e), -ERR_CONFIG);
	assert_null(w);
	sd_event_unref(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_arrive_as_they_are),
		cmocka_unit_test(a_body_beyond_its_limit_is_refused),
		cmocka_unit_test(a_large_body_becomes_a_file_and_goes_away),
		cmocka_unit_test(files_are_served_by_range),
		cmocka_unit_test(a_file_that_does_not_fit_is_an_error),
		cmocka_unit_test(a_name_is_no_address),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
