#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/net/http.h"
#include "tests/lib/httpd.h"

struct net {
	struct httpd *server;
	struct http_conf conf;
	struct http_answer a;
	struct err e;
	char url[256];
};

static int open_net(void **state)
{
	struct net *n = calloc(1, sizeof *n);

	n->server = httpd_new();
	n->conf.retry_wait = 1;
	n->conf.low_speed_s = 1;
	*state = n;
	return 0;
}

static int close_net(void **state)
{
	struct net *n = *state;

	httpd_free(&n->server);
	http_answer_fini(&n->a);
	free(n);
	return 0;
}

static const char *url(struct net *n, const char *path)
{
	snprintf(n->url, sizeof n->url, "%s%s", httpd_url(n->server), path);
	return n->url;
}

static int get(struct net *n, const char *path, const char *etag, size_t max)
{
	http_answer_fini(&n->a);
	return http_get(&n->conf, url(n, path), etag, max, NULL, &n->a, &n->e);
}

/* ---- http_get ---- */

static void a_body_with_its_tag(void **state)
{
	struct net *n = *state;
	BUF_AUTO head = {0};

	httpd_put(n->server,
		&(struct httpd_file){.path = "/a", .body = STR("hello"), .etag = "\"v1\""});
	strcpy(n->conf.bearer, "secret");
	strcpy(n->conf.user_agent, "backstay-agent/1");
	assert_int_equal(get(n, "/a", NULL, 5), 0);
	assert_int_equal(n->a.status, 200);
	assert_string_equal(n->a.etag, "\"v1\"");
	assert_true(str_is(buf_str(&n->a.body), "hello"));
	httpd_last(n->server, &head);
	assert_non_null(strstr(buf_cstr(&head), "Authorization: Bearer secret\r\n"));
	assert_non_null(strstr(buf_cstr(&head), "User-Agent: backstay-agent/1\r\n"));
	assert_int_equal(get(n, "/a", "\"v1\"", 5), 0);
	assert_int_equal(n->a.status, 304);
	assert_int_equal(n->a.body.n, 0);
	assert_int_equal(get(n, "/a", "\"v0\"", 5), 0);
	assert_int_equal(n->a.status, 200);
}

/* Every case asks for at most 8 bytes. */
static const struct {
	const char *why;
	struct httpd_file f;
	int rc, status;
} gets[] = {
	{"just fits", {.path = "/", .body = {"12345678", 8}}, 0, 200},
	{"one too many", {.path = "/", .body = {"123456789", 9}}, -ERR_TOO_LARGE, 0},
	{"no length, one too many",
		{.path = "/", .body = {"12345678", 8}, .manner = HTTPD_CHUNKED, .n = 1},
		-ERR_TOO_LARGE, 0},
	{"no length, fits", {.path = "/", .body = {"12345678", 8}, .manner = HTTPD_CHUNKED}, 0,
		200},
	{"states too much", {.path = "/", .body = {"1", 1}, .manner = HTTPD_LENGTH, .n = 9},
		-ERR_TOO_LARGE, 0},
	{"states more than it sends",
		{.path = "/", .body = {"1", 1}, .manner = HTTPD_LENGTH, .n = 2}, -ERR_NET, 0},
	{"endless", {.path = "/", .manner = HTTPD_ENDLESS}, -ERR_TOO_LARGE, 0},
	{"endless headers", {.path = "/", .manner = HTTPD_HEADERS}, -ERR_NET, 0},
	{"silent", {.path = "/", .manner = HTTPD_SILENT}, -ERR_TIMEOUT, 0},
	{"not found", {.path = "/x"}, 0, 404},
	{"a long explanation",
		{.path = "/", .body = {"123456789", 9}, .manner = HTTPD_STATUS, .n = 500}, 0, 500},
	{"redirect elsewhere",
		{.path = "/",
			.body = {"http://127.0.0.2:1/", 19},
			.manner = HTTPD_REDIRECT,
			.n = 302},
		-ERR_DENIED, 0},
	{"redirect to a file",
		{.path = "/",
			.body = {"file:///etc/passwd", 18},
			.manner = HTTPD_REDIRECT,
			.n = 302},
		-ERR_DENIED, 0},
	{"redirect to itself", {.path = "/", .body = {"/", 1}, .manner = HTTPD_REDIRECT, .n = 307},
		-ERR_NET, 0},
};

static void bounds_of_a_body(void **state)
{
	struct net *n = *state;

	for (size_t i = 0; i < ARRAY_LEN(gets); i++) {
		httpd_put(n->server, &gets[i].f);
		int rc = get(n, "/", NULL, 8);

		if (strcmp(gets[i].f.path, "/x") == 0)
			rc = get(n, "/nothing", NULL, 8);
		if (rc != gets[i].rc || (rc == 0 && n->a.status != gets[i].status))
			fail_msg("%s: %d, HTTP %d, %s", gets[i].why, rc, n->a.status, n->e.text);
	}
}

static void a_redirect_on_the_same_host_is_followed(void **state)
{
	struct net *n = *state;

	httpd_put(n->server, &(struct httpd_file){.path = "/old",
				     .body = STR("/new?x=1"),
				     .manner = HTTPD_REDIRECT,
				     .n = 308});
	httpd_put(n->server, &(struct httpd_file){.path = "/new?x=1", .body = STR("here")});
	assert_int_equal(get(n, "/old", NULL, 100), 0);
	assert_int_equal(n->a.status, 200);
	assert_true(str_is(buf_str(&n->a.body), "here"));
}

static void what_cannot_be_asked_is_a_matter_of_configuration(void **state)
{
	static const char *const bad[] = {
		"file:///etc/passwd", "ftp://127.0.0.1/x", "http://[", ""};
	struct net *n = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			http_get(&n->conf, bad[i], NULL, 10, NULL, &n->a, &n->e), -ERR_CONFIG);
	strcpy(n->conf.cert_file, "/does/not/exist");
	assert_int_equal(
		http_get(&n->conf, "https://127.0.0.1:1/", NULL, 10, NULL, &n->a, &n->e), -ERR_NET);
}

static void nobody_there_is_the_network(void **state)
{
	struct net *n = *state;
	char gone[64];

	snprintf(gone, sizeof gone, "%s/", httpd_url(n->server));
	httpd_free(&n->server);
	assert_int_equal(http_get(&n->conf, gone, NULL, 10, NULL, &n->a, &n->e), -ERR_NET);
}

static void cancelled_before_the_answer(void **state)
{
	struct net *n = *state;
	atomic_bool cancel = true;

	httpd_put(n->server, &(struct httpd_file){.path = "/", .manner = HTTPD_SILENT});
	assert_int_equal(
		http_get(&n->conf, url(n, "/"), NULL, 10, &cancel, &n->a, &n->e), -ERR_CANCELLED);
}

/* ---- statuses ---- */

static const struct {
	int status;
	const char *body;
	int rc;
	const char *text;
} checks[] = {
	{200, "", 0, ""},
	{204, "", 0, ""},
	{304, "", 0, ""},
	{302, "", -ERR_NET, "x: HTTP 302"},
	{404, "", -ERR_NOT_FOUND, "x: HTTP 404"},
	{404, "<html>", -ERR_NOT_FOUND, "x: HTTP 404"},
	{409, "{\"error\":\"quarantined\",\"reason\":\"tried before\"}", -ERR_QUARANTINED,
		"x: HTTP 409: tried before"},
	{409, "{\"error\":\"quarantined\",\"reason\":\"two\\nlines\"}", -ERR_QUARANTINED,
		"x: HTTP 409"},
	{409, "{\"error\":\"ok\"}", -ERR_CONFLICT, "x: HTTP 409"},
	{409, "{\"error\":\"whatever\",\"reason\":\"why\"}", -ERR_CONFLICT, "x: HTTP 409: why"},
	{503, "", -ERR_BUSY, "x: HTTP 503"},
	{599, "", -ERR_NET, "x: HTTP 599"},
	{418, "", -ERR_BAD_INPUT, "x: HTTP 418"},
};

static void a_status_is_an_error_with_the_servers_words(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct http_answer a = {.status = checks[i].status};

		buf_add_str(&a.body, checks[i].body);
		assert_int_equal(http_check(&a, "x", &e), checks[i].rc);
		if (checks[i].rc)
			assert_string_equal(e.text, checks[i].text);
		http_answer_fini(&a);
	}
}

/* ---- sending ---- */

static void json_is_sent(void **state)
{
	struct net *n = *state;
	BUF_AUTO head = {0};

	httpd_put(n->server,
		&(struct httpd_file){
			.path = "/r", .body = STR("{}"), .manner = HTTPD_STATUS, .n = 429});
	assert_int_equal(
		http_send(&n->conf, "PUT", url(n, "/r"), STR("{\"a\":1}"), 100, NULL, &n->a, &n->e),
		0);
	assert_int_equal(n->a.status, 429);
	assert_int_equal(n->a.retry_after, SEC(1));
	httpd_last(n->server, &head);
	assert_non_null(strstr(buf_cstr(&head), "PUT /r HTTP/1.1\r\n"));
	assert_non_null(strstr(buf_cstr(&head), "Content-Type: application/json\r\n"));
	assert_non_null(strstr(buf_cstr(&head), "Content-Length: 7\r\n"));
}

static void note_progress(void *ctx, uint64_t done, uint64_t total)
{
	uint64_t *most = ctx;

	assert_int_equal(total, 300000);
	*most = MAX(*most, done);
}

static void a_file_is_sent(void **state)
{
	struct net *n = *state;
	BUF_AUTO head = {0};
	uint64_t most = 0;
	FILE *f = fopen("artifact", "w");

	for (int i = 0; i < 300000; i++)
		fputc(i & 0xff, f);
	fclose(f);
	httpd_put(n->server, &(struct httpd_file){.path = "/artifacts/d", .body = STR("ok")});
	assert_int_equal(http_put_file(&n->conf, url(n, "/artifacts/d"), "artifact", 100,
				 note_progress, &most, &n->a, &n->e),
		0);
	assert_int_equal(n->a.status, 200);
	assert_int_equal(most, 300000);
	httpd_last(n->server, &head);
	assert_non_null(strstr(buf_cstr(&head), "Content-Length: 300000\r\n"));
	assert_int_equal(
		http_put_file(&n->conf, url(n, "/x"), "missing", 100, NULL, NULL, &n->a, &n->e),
		-ERR_NOT_FOUND);
	assert_int_equal(http_put_file(&n->conf, url(n, "/x"), ".", 100, NULL, NULL, &n->a, &n->e),
		-ERR_BAD_INPUT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_net, close_net)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_body_with_its_tag),
		CASE(bounds_of_a_body),
		CASE(a_redirect_on_the_same_host_is_followed),
		CASE(what_cannot_be_asked_is_a_matter_of_configuration),
		CASE(nobody_there_is_the_network),
		CASE(cancelled_before_the_answer),
		CASE(a_status_is_an_error_with_the_servers_words),
		CASE(json_is_sent),
		CASE(a_file_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
