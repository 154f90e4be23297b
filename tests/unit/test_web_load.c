/* The server's HTTP edge when there is too much: a child process serves, and sockets ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/wire/limits.h"
#include "server/web/web.h"

#define SLOW_US 150000
#define MANY    350U
#define ENOUGH  (63U * 1024 * 1024)

static pid_t server;
static const struct web_stats *stats; /* in the server */
static uint16_t port;

/* ---- answers that wait for the end of their turn ---- */

static bool has_changed, is_lost;

static void begin_turn(void *ctx UNUSED)
{
	has_changed = is_lost = false;
}

static bool is_open(void *ctx UNUSED)
{
	return has_changed;
}

static int end_turn(void *ctx UNUSED, struct err *e)
{
	usleep(has_changed ? SLOW_US : 0);
	return is_lost ? err_set(e, ERR_IO, "lost") : 0;
}

static const struct web_turn slow_turn = {begin_turn, is_open, end_turn};
static const struct web_turn *turn; /* of the next server; NULL: none */

/* The time is told slowly, everything else at once. */
static void handle(void *ctx UNUSED, const struct web_request *rq, struct web_reply *out)
{
	if (rq->route == ROUTE_DIRECTOR_TIME && !turn)
		usleep(SLOW_US);
	has_changed |= rq->route == ROUTE_REPORT || rq->route == ROUTE_LEASE;
	is_lost |= rq->route == ROUTE_LEASE;
	if (rq->route == ROUTE_METRICS)
		buf_addf(&out->body, "bodies=%llu.", (unsigned long long)stats->bodies);
	buf_addf(&out->body, "%zu bytes", rq->body.n);
}

static void serve(int tell, const struct web_conf *c)
{
	sd_event *loop = NULL;
	struct web *w = NULL;
	struct err e;
	uint16_t p;

	sd_event_new(&loop);
	if (web_open(loop, c, handle, turn, NULL, &w, &e) < 0)
		_exit(1);
	stats = web_stats(w);
	p = web_port(w);
	if (write(tell, &p, sizeof p) != sizeof p)
		_exit(1);
	sd_event_loop(loop);
	_exit(0);
}

static void start(unsigned connections, ms_t busy_after)
{
	struct web_conf c = {.bind = "127.0.0.1",
		.upload_dir = ".",
		.max_connections = connections,
		.busy_after = busy_after};
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	server = fork();
	if (server == 0)
		serve(fds[1], &c);
	close(fds[1]);
	assert_int_equal(read(fds[0], &port, sizeof port), sizeof port);
	close(fds[0]);
}

static int stop(void **state UNUSED)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}

static int join(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void say(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t k = send(fd, text, n, MSG_NOSIGNAL);

		if (k <= 0)
			return; /* it was answered already, and the rest is not wanted */
		text += k;
		n -= (size_t)k;
	}
}

static void ask(int fd, const char *path)
{
	char text[200];

	snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	say(fd, text, strlen(text));
}

struct heard {
	int status;
	unsigned again_s;
	bool closes;
	unsigned long long bodies;
};

/* One answer with its whole body. */
static struct heard hear(int fd)
{
	struct heard h = {0};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char text[4096] = "", *end = NULL, *at;
	size_t n = 0, length = 0;

	while (!end || n < (size_t)(end + 4 - text) + length) {
		ssize_t k;

		assert_int_equal(poll(&p, 1, 20000), 1);
		k = recv(fd, text + n, sizeof text - 1 - n, 0);
		if (k <= 0)
			break;
		n += (size_t)k;
		text[n] = 0;
		end = strstr(text, "\r\n\r\n");
		at = strstr(text, "Content-Length: ");
		if (end && at)
			length = strtoul(at + 16, NULL, 10);
	}
	assert_int_equal(sscanf(text, "HTTP/1.1 %d", &h.status), 1);
	at = strstr(text, "Retry-After: ");
	h.again_s = at ? (unsigned)strtoul(at + 13, NULL, 10) : 0;
	at = strstr(text, "bodies=");
	h.bodies = at ? strtoull(at + 7, NULL, 10) : 0;
	h.closes = strcasestr(text, "Connection: close") != NULL;
	return h;
}

static struct heard get(const char *path)
{
	int fd = join();
	struct heard h;

	ask(fd, path);
	h = hear(fd);
	close(fd);
	return h;
}

#define TIMESTAMP "/director/one/timestamp.json"
#define SLOW      "/director/one/time/00000000000000000000000000000000"

/* Those who hold connections open, answered once so that they are known to be held. */
static void hold(int fd[], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		fd[i] = join();
		ask(fd[i], "/healthz");
		assert_int_equal(hear(fd[i]).status, 200);
	}
}

static void test_more_connections_than_are_served(void **state UNUSED)
{
	unsigned first = 0;
	bool spread = false;
	struct heard h;
	int fd[6];

	start(8, 0);
	assert_false(get(TIMESTAMP).closes);
	hold(fd, 6);
	h = get(TIMESTAMP);
	assert_int_equal(h.status, 200);
	assert_true(h.closes); /* so scarce that it is not kept */
	for (unsigned i = 6; i < 8; i++)
		(void)join();
	for (unsigned i = 0; i < 20; i++) {
		h = get(TIMESTAMP);
		assert_int_equal(h.status, 503);
		assert_in_range(h.again_s, 1, 60);
		spread = spread || (first && h.again_s != first);
		first = h.again_s;
	}
	assert_true(spread);
	assert_int_equal(get("/healthz").status, 200);
	assert_int_equal(get("/v1/devices").status, 200); /* a person's */
	for (unsigned i = 0; i < 6; i++)
		close(fd[i]);
	/* The kernel tells the server in order: those have gone before this one came. */
	assert_int_equal(get(TIMESTAMP).status, 200);
}

static void test_many_more_wait_in_the_kernel(void **state UNUSED)
{
	int fd[100];

	start(8, 0);
	for (unsigned i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = join();
	for (unsigned i = 0; i < ARRAY_LEN(fd); i++) {
		struct heard h;

		ask(fd[i], TIMESTAMP);
		h = hear(fd[i]);
		assert_true(h.status == 200 || h.status == 503);
		close(fd[i]);
	}
	assert_int_equal(get(TIMESTAMP).status, 200);
}

/* All of them have asked when the server looks: it is stopped while they do. */
static void test_others_have_waited_too_long(void **state UNUSED)
{
	unsigned served = 0, busy = 0;
	int fd[8];

	start(100, 100);
	for (unsigned i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = join();
	kill(server, SIGSTOP);
	waitpid(server, NULL, WUNTRACED);
	for (unsigned i = 0; i < ARRAY_LEN(fd); i++)
		ask(fd[i], SLOW);
	kill(server, SIGCONT);
	for (unsigned i = 0; i < ARRAY_LEN(fd); i++) {
		struct heard h = hear(fd[i]);

		served += h.status == 200;
		busy += h.status == 503 && h.again_s > 0;
		close(fd[i]);
	}
	assert_int_equal(served + busy, ARRAY_LEN(fd));
	assert_true(served >= 1);
	assert_true(busy >= 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(get(SLOW).status, 200);
}

/* Until the server has taken what it takes: nobody's body is complete, and those beyond the bound
 * have been refused. */
static void wait_for_bodies(void)
{
	unsigned long long was = 0;

	for (unsigned same = 0; same < 5;) {
		unsigned long long is = get("/metrics").bodies;

		same = is == was && is >= ENOUGH ? same + 1 : 0;
		was = is;
	}
}

static void test_bodies_take_no_more_than_their_share(void **state UNUSED)
{
	static char body[LIMIT_REPORT_BYTES - 1];
	unsigned served = 0, busy = 0;
	char head[200];
	int fd[MANY];

	start(MANY + 50, 0);
	memset(body, ' ', sizeof body);
	snprintf(head, sizeof head,
		"POST /v1/devices/one/reports HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
		LIMIT_REPORT_BYTES);
	/* All but the last byte of each; then the last ones. */
	for (unsigned i = 0; i < MANY; i++) {
		fd[i] = join();
		say(fd[i], head, strlen(head));
		say(fd[i], body, sizeof body);
	}
	wait_for_bodies();
	for (unsigned i = 0; i < MANY; i++)
		say(fd[i], " ", 1);
	for (unsigned i = 0; i < MANY; i++) {
		struct heard h = hear(fd[i]);

		served += h.status == 200;
		busy += h.status == 503 && h.again_s > 0;
		close(fd[i]);
	}
	assert_int_equal(served + busy, MANY);
	assert_in_range(served, 200, MANY - 1);
	assert_int_equal(get("/metrics").bodies, 0);
}

static void post(int fd, const char *path)
{
	char text[200];

	snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		path);
	say(fd, text, strlen(text));
}

/* All of them have asked when the server looks. A question that changes nothing is answered from
 * what is not durable yet, so it waits, too, if it comes behind one that does. */
static void test_nobody_is_told_before_the_end_of_the_turn(void **state UNUSED)
{
	int fd[3];

	turn = &slow_turn;
	start(100, 0);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < ARRAY_LEN(fd); i++)
			fd[i] = join();
		post(fd[0], "/v1/devices/one/reports");
		ask(fd[1], TIMESTAMP);
		post(fd[2], round == 1 ? "/v1/devices/one/lease" : "/v1/devices/two/reports");
		for (unsigned i = 0; i < ARRAY_LEN(fd); i++) {
			struct heard h = hear(fd[i]);

			assert_true(h.status == 200 || (round == 1 && h.status == 500));
			assert_true(i != 2 || h.status == (round == 1 ? 500 : 200));
			close(fd[i]);
		}
	}
	turn = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_more_connections_than_are_served, stop),
		cmocka_unit_test_teardown(test_many_more_wait_in_the_kernel, stop),
		cmocka_unit_test_teardown(test_others_have_waited_too_long, stop),
		cmocka_unit_test_teardown(test_bodies_take_no_more_than_their_share, stop),
		cmocka_unit_test_teardown(test_nobody_is_told_before_the_end_of_the_turn, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
