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

#define SIZE 1000003U

static char bytes[SIZE + 100];
static const struct str body = {bytes, SIZE};

struct net {
	struct httpd *server;
	struct http_conf conf;
	char url[256];
	struct err e;
	uint8_t got[SIZE + 1];
	size_t n;
};

static int open_net(void **state)
{
	struct net *n = calloc(1, sizeof *n);

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7 + (i >> 8));
	n->server = httpd_new();
	n->conf = (struct http_conf){.retry_wait = 1, .low_speed_s = 1};
	snprintf(n->url, sizeof n->url, "%s/a", httpd_url(n->server));
	*state = n;
	return 0;
}

static int close_net(void **state)
{
	struct net *n = *state;

	httpd_free(&n->server);
	free(n);
	return 0;
}

/* Reads all there is from `offset`, in pieces of `piece`. */
static int read_all(struct net *n, uint64_t offset, uint64_t length, size_t piece)
{
	struct http_stream *s;
	size_t k = 1;
	int rc;

	n->n = 0;
	TRY(http_stream_open(&n->conf, n->url, offset, length, NULL, &s, &n->e));
	while ((rc = http_stream_read(
			s, n->got + n->n, MIN(piece, sizeof n->got - n->n), &k, &n->e)) == 0 &&
		k > 0)
		n->n += k;
	http_stream_close(&s);
	assert_null(s);
	return rc;
}

static void is_whole(struct net *n)
{
	assert_int_equal(n->n, SIZE);
	assert_memory_equal(n->got, bytes, SIZE);
}

static void serve(
	struct net *n, enum httpd_manner manner, uint64_t arg, unsigned times, const char *etag)
{
	httpd_forget(n->server);
	httpd_put(n->server, &(struct httpd_file){.path = "/a",
				     .body = body,
				     .etag = etag,
				     .manner = manner,
				     .n = arg,
				     .times = times});
}

static void whole_in_pieces_of_any_size(void **state)
{
	static const size_t pieces[] = {1 << 20, 131072, 65537, 4096, 777};
	struct net *n = *state;

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		serve(n, i % 2 ? HTTPD_SERVE : HTTPD_CHUNKED, 0, 0, NULL);
		assert_int_equal(read_all(n, 0, SIZE, pieces[i]), 0);
		is_whole(n);
		assert_int_equal(httpd_count(n->server, NULL), 1);
	}
}

static void from_an_offset(void **state)
{
	struct net *n = *state;
	BUF_AUTO head = {0};

	serve(n, HTTPD_SERVE, 0, 0, NULL);
	assert_int_equal(read_all(n, 600000, SIZE, 65536), 0);
	assert_int_equal(n->n, SIZE - 600000);
	assert_memory_equal(n->got, bytes + 600000, SIZE - 600000);
	httpd_last(n->server, &head);
	assert_non_null(strstr(buf_cstr(&head), "Range: bytes=600000-\r\n"));
	httpd_forget(n->server);
	assert_int_equal(read_all(n, SIZE, SIZE, 65536), 0);
	assert_int_equal(n->n, 0);
	assert_int_equal(httpd_count(n->server, NULL), 0);
	assert_int_equal(read_all(n, SIZE + 1, SIZE, 65536), -ERR_ALTERED);
}

/* What breaks off is continued, not begun again. */
static void a_cut_is_resumed(void **state)
{
	struct net *n = *state;
	BUF_AUTO head = {0};

	serve(n, HTTPD_CUT, 300000, 2, "\"v1\"");
	assert_int_equal(read_all(n, 0, SIZE, 65536), 0);
	is_whole(n);
	assert_int_equal(httpd_count(n->server, NULL), 3);
	httpd_last(n->server, &head);
	assert_non_null(strstr(buf_cstr(&head), "Range: bytes=600000-\r\n"));
	assert_non_null(strstr(buf_cstr(&head), "If-Range: \"v1\"\r\n"));
}

/* As long as it gets further, it may break as often as it likes. */
static void many_cuts_are_survived(void **state)
{
	struct net *n = *state;

	serve(n, HTTPD_CUT, 20000, 0, NULL);
	assert_int_equal(read_all(n, 0, SIZE, 65536), 0);
	is_whole(n);
	assert_int_equal(httpd_count(n->server, NULL), SIZE / 20000 + 1);
}

static void without_progress_it_is_given_up(void **state)
{
	struct net *n = *state;

	n->conf.retries = 3;
	serve(n, HTTPD_CUT, 0, 0, NULL);
	assert_int_equal(read_all(n, 0, SIZE, 65536), -ERR_NET);
	assert_int_equal(httpd_count(n->server, NULL), 4);
	serve(n, HTTPD_CUT, 1, 0, NULL);
	assert_int_equal(read_all(n, 0, SIZE, 65536), -ERR_NET);
	assert_int_equal(httpd_count(n->server, NULL), 4);
	serve(n, HTTPD_STATUS, 503, 0, NULL);
	assert_int_equal(read_all(n, 0, SIZE, 65536), -ERR_BUSY);
	assert_int_equal(httpd_count(n->server, NULL), 4);
}

static void a_busy_server_is_asked_again(void **state)
{
	struct net *n = *state;

	serve(n, HTTPD_STATUS, 503, 2, NULL);
	assert_int_equal(read_all(n, 0, SIZE, 65536), 0);
	is_whole(n);
	assert_int_equal(httpd_count(n->server, NULL), 3);
}

static void a_server_without_ranges_is_good_enough(void **state)
{
	struct net *n = *state;

	serve(n, HTTPD_NO_RANGE, 0, 0, NULL);
	assert_int_equal(read_all(n, 600000, SIZE, 65536), 0);
	assert_int_equal(n->n, SIZE - 600000);
	assert_memory_equal(n->got, bytes + 600000, SIZE - 600000);
}

static const struct {
	const char *why;
	enum httpd_manner manner;
	uint64_t n, length, offset;
	int rc;
	unsigned asked;
} refused[] = {
	{"states one byte more", HTTPD_SERVE, 0, SIZE - 1, 0, -ERR_ALTERED, 1},
	{"states one byte less", HTTPD_SERVE, 0, SIZE + 1, 0, -ERR_ALTERED, 1},
	{"one chunk more", HTTPD_CHUNKED, 1, SIZE, 0, -ERR_ALTERED, 1},
	{"endless", HTTPD_ENDLESS, 0, SIZE, 0, -ERR_ALTERED, 1},
	{"range of something longer", HTTPD_SERVE, 0, SIZE - 1, 10, -ERR_ALTERED, 1},
	{"range beyond the end", HTTPD_SERVE, 0, SIZE + 9, SIZE + 1, -ERR_ALTERED, 1},
	{"another range", HTTPD_SHIFTED, 0, SIZE, 10, -ERR_NET, 1},
	{"forbidden", HTTPD_STATUS, 403, SIZE, 0, -ERR_DENIED, 1},
	{"not found", HTTPD_STATUS, 404, SIZE, 0, -ERR_NOT_FOUND, 1},
	{"redirect without a place", HTTPD_STATUS, 302, SIZE, 0, -ERR_NET, 1},
	{"endless headers", HTTPD_HEADERS, 0, SIZE, 0, -ERR_NET, 2},
	{"silent", HTTPD_SILENT, 0, SIZE, 0, -ERR_TIMEOUT, 2},
};

static void other_bytes_than_the_signed_number_are_refused(void **state)
{
	struct net *n = *state;

	n->conf.retries = 1;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		serve(n, refused[i].manner, refused[i].n, 0, NULL);
		int rc = read_all(n, refused[i].offset, refused[i].length, 65536);
		unsigned asked = httpd_count(n->server, NULL);

		if (rc != refused[i].rc || asked != refused[i].asked)
			fail_msg("%s: %d after %u requests: %s", refused[i].why, rc, asked,
				n->e.text);
	}
}

/* SIZE is 1000003, and the part from byte 10 is asked for. */
static const struct {
	const char *range;
	int rc;
} parts[] = {
	{"bytes 10-1000002/1000003", 0},
	{"bytes 10-1000002/*", 0},
	{"bytes 10-1000002/1000004", -ERR_ALTERED},
	{"bytes 10-1000002/1000002", -ERR_NET},
	{"bytes 11-1000002/1000003", -ERR_NET},
	{"bytes 10-9/1000003", -ERR_NET},
	{"bytes -10-1000002/1000003", -ERR_NET},
	{"bytes +10-1000002/1000003", -ERR_NET},
	{"bytes 10-1000002", -ERR_NET},
	{"bytes 10-1000002/", -ERR_NET},
	{"bytes 10-1000002/1000003 or so", -ERR_NET},
	{"bytes 10-99999999999999999999/1000003", -ERR_NET},
	{"bytes 18446744073709551626-1000002/1000003", -ERR_NET},
	{"bytes 10", -ERR_NET},
	{"bytes */1000003", -ERR_NET},
	{"bytes", -ERR_NET},
	{"10-1000002/1000003", -ERR_NET},
};

static void a_part_says_plainly_which_it_is(void **state)
{
	struct net *n = *state;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		httpd_put(n->server,
			&(struct httpd_file){.path = "/a", .body = body, .range = parts[i].range});
		int rc = read_all(n, 10, SIZE, 65536);

		if (rc != parts[i].rc)
			fail_msg("%s: %d, %s", parts[i].range, rc, n->e.text);
	}
}

static void redirects_stay_on_the_host(void **state)
{
	struct net *n = *state;

	httpd_put(n->server,
		&(struct httpd_file){
			.path = "/a", .body = STR("/b"), .manner = HTTPD_REDIRECT, .n = 302});
	httpd_put(n->server, &(struct httpd_file){.path = "/b", .body = body});
	assert_int_equal(read_all(n, 0, SIZE, 65536), 0);
	is_whole(n);
	httpd_put(n->server, &(struct httpd_file){.path = "/a",
				     .body = STR("http://localhost:1/b"),
				     .manner = HTTPD_REDIRECT,
				     .n = 302});
	assert_int_equal(read_all(n, 0, SIZE, 65536), -ERR_DENIED);
	httpd_put(n->server,
		&(struct httpd_file){
			.path = "/a", .body = STR("/a"), .manner = HTTPD_REDIRECT, .n = 302});
	assert_int_equal(read_all(n, 0, SIZE, 65536), -ERR_NET);
}

static void nothing_is_asked_before_the_first_read(void **state)
{
	struct net *n = *state;
	struct http_stream *s;

	serve(n, HTTPD_SERVE, 0, 0, NULL);
	assert_int_equal(http_stream_open(&n->conf, n->url, 0, SIZE, NULL, &s, &n->e), 0);
	http_stream_close(&s);
	assert_int_equal(httpd_count(n->server, NULL), 0);
}

static void a_cancelled_stream_ends(void **state)
{
	struct net *n = *state;
	struct http_stream *s;
	atomic_bool cancel = false;
	uint8_t some[100];
	size_t k;

	serve(n, HTTPD_SERVE, 0, 0, NULL);
	assert_int_equal(http_stream_open(&n->conf, n->url, 0, SIZE, &cancel, &s, &n->e), 0);
	assert_int_equal(http_stream_read(s, some, sizeof some, &k, &n->e), 0);
	atomic_store(&cancel, true);
	while ((k = sizeof some, http_stream_read(s, some, sizeof some, &k, &n->e)) == 0)
		assert_true(k > 0);
	assert_int_equal(n->e.code, ERR_CANCELLED);
	http_stream_close(&s);
}

static void *stop_it(void *s)
{
	http_stream_stop(s);
	return NULL;
}

static void a_stream_that_waits_can_be_stopped(void **state)
{
	struct net *n = *state;
	struct http_stream *s;
	pthread_t other;
	uint8_t some[100];
	size_t k;

	n->conf.low_speed_s = 60;
	serve(n, HTTPD_SILENT, 0, 0, NULL);
	assert_int_equal(http_stream_open(&n->conf, n->url, 0, SIZE, NULL, &s, &n->e), 0);
	assert_int_equal(pthread_create(&other, NULL, stop_it, s), 0);
	assert_int_equal(http_stream_read(s, some, sizeof some, &k, &n->e), -ERR_CANCELLED);
	pthread_join(other, NULL);
	http_stream_close(&s);
}

/* One that gives something now and then, so that no single attempt is slow enough to be ended. */
static void a_pace_below_the_limit_is_given_up(void **state)
{
	struct net *n = *state;

	n->conf.grace = 1;
	n->conf.low_speed = 1000000000;
	n->conf.low_speed_s = 60;
	serve(n, HTTPD_STALL, 50000, 0, NULL);
	assert_int_equal(read_all(n, 0, SIZE, 65536), -ERR_TIMEOUT);
	assert_non_null(strstr(n->e.text, "slower than"));
	assert_true(n->n <= 50000);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_net, close_net)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(whole_in_pieces_of_any_size),
		CASE(from_an_offset),
		CASE(a_cut_is_resumed),
		CASE(many_cuts_are_survived),
		CASE(without_progress_it_is_given_up),
		CASE(a_busy_server_is_asked_again),
		CASE(a_server_without_ranges_is_good_enough),
		CASE(other_bytes_than_the_signed_number_are_refused),
		CASE(a_part_says_plainly_which_it_is),
		CASE(redirects_stay_on_the_host),
		CASE(nothing_is_asked_before_the_first_read),
		CASE(a_cancelled_stream_ends),
		CASE(a_stream_that_waits_can_be_stopped),
		CASE(a_pace_below_the_limit_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
