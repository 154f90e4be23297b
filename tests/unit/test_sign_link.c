/* The server's way to the process that signs: whoever is at the other end, a call comes back, in
 * time and with an error that says to try again. */
#include "tests/lib/expect.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "server/sign/link.h"

#define SOCKET "link.sock"

static ms_t mono(void)
{
	return clock_system.mono(clock_system.self);
}

/* ---- somebody at the other end ---- */

static int listen_there(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(SOCKET);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void read_frame(int fd)
{
	uint8_t head[4], body[64];

	if (recv(fd, head, sizeof head, MSG_WAITALL) != sizeof head ||
		recv(fd, body, head[3], MSG_WAITALL) != head[3])
		_exit(1);
}

static void say(int fd, const void *p, size_t n)
{
	if (send(fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		_exit(1);
}

static void answers(int fd)
{
	say(fd, "\0\0\0\2{}", 6);
}

static void answers_in_pieces(int fd)
{
	for (unsigned i = 0; i < 6; i++)
		say(fd, &"\0\0\0\2{}"[i], 1);
}

static void says_nothing(int fd)
{
	(void)fd;
	pause();
}

static void says_half(int fd)
{
	say(fd, "\0\0\0\2{", 5);
	pause();
}

static void hangs_up(int fd)
{
	(void)fd;
}

static void says_too_much(int fd)
{
	say(fd, "\0\0\0\2{}x", 7);
	pause();
}

static void says_a_length_beyond_all_bounds(int fd)
{
	say(fd, "\xff\xff\xff\xff", 4);
	pause();
}

static void says_an_empty_frame(int fd)
{
	say(fd, "\0\0\0\0", 4);
	pause();
}

typedef void peer_f(int fd);

/* A process that answers `n` calls, on as many connections as it needs, each as it is told. */
static pid_t start(int listening, peer_f *const *each, unsigned n)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < n; i++) {
		int fd = accept(listening, NULL, NULL);

		if (fd < 0)
			_exit(1);
		read_frame(fd);
		each[i](fd);
		close(fd);
	}
	_exit(0);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static struct link *link_to(const char *socket, ms_t timeout)
{
	return link_new(&(struct link_conf){
		.socket = socket, .program = "", .conf = "", .timeout = timeout});
}

/* ---- the tests ---- */

static const struct {
	const char *what;
	peer_f *peer;
	bool good;
	const char *piece;
} peers[] = {
	{"answers", answers, true, NULL},
	{"answers in pieces", answers_in_pieces, true, NULL},
	{"says nothing", says_nothing, false, "does not answer"},
	{"says half", says_half, false, "does not answer"},
	{"hangs up", hangs_up, false, "hung up"},
	{"says too much", says_too_much, false, "frames"},
	{"length beyond all bounds", says_a_length_beyond_all_bounds, false, "frames"},
	{"empty frame", says_an_empty_frame, false, "frames"},
};

static void every_call_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		int listening = listen_there();
		pid_t pid = start(listening, &peers[i].peer, 1);
		struct link *l = link_to(SOCKET, peers[i].good ? SEC(60) : 200);
		ms_t began = mono();
		BUF_AUTO back = {0};
		struct err e;
		int rc = link_call(l, STR("{}"), &back, &e);

		if (peers[i].good) {
			expect_ok(rc, &e);
			expect_text(buf_cstr(&back), "{}");
		} else {
			expect_err(rc, &e, ERR_BUSY, peers[i].piece, peers[i].what);
			assert_int_equal(back.n, 0);
			assert_true(mono() - began < SEC(30));
			/* and for a moment nobody is waited for again */
			expect_err(link_call(l, STR("{}"), &back, &e), &e, ERR_BUSY, "moment ago",
				peers[i].what);
		}
		link_free(&l);
		end(pid);
		close(listening);
	}
}

static void nobody_is_there(void **state)
{
	struct link *l = link_to("none.sock", SEC(60));
	BUF_AUTO back = {0};
	struct err e;

	(void)state;
	expect_err(link_call(l, STR("{}"), &back, &e), &e, ERR_BUSY, "none.sock", "no socket");
	assert_int_equal(link_epoch(l), 0);
	link_free(&l);
}

/* Hung up on between two calls: the second one finds the new process by itself. */
static void one_that_was_started_anew_is_found(void **state)
{
	static peer_f *const both[] = {answers, answers};
	int listening = listen_there();
	pid_t pid = start(listening, both, 2);
	struct link *l = link_to(SOCKET, SEC(60));
	BUF_AUTO back = {0};
	struct err e;

	(void)state;
	expect_ok(link_call(l, STR("{}"), &back, &e), &e);
	assert_int_equal(link_epoch(l), 1);
	expect_ok(link_call(l, STR("{}"), &back, &e), &e);
	assert_int_equal(link_epoch(l), 2);
	expect_text(buf_cstr(&back), "{}{}");
	link_free(&l);
	end(pid);
	close(listening);
}

static void a_program_that_is_none_is_told(void **state)
{
	struct link *l = link_new(&(struct link_conf){
		.socket = "", .program = "/none/such", .conf = "", .timeout = SEC(60)});
	BUF_AUTO back = {0};
	struct err e;

	(void)state;
	expect_err(link_call(l, STR("{}"), &back, &e), &e, ERR_BUSY, "/none/such", "no program");
	link_free(&l);
}

/* It starts, does not like its configuration, and ends: that is noticed at once. */
static void a_child_that_ends_is_noticed(void **state)
{
	char program[512];
	struct link *l;
	BUF_AUTO back = {0};
	struct err e;

	(void)state;
	snprintf(program, sizeof program, "%s/backstay-signer", getenv("BACKSTAY_BIN"));
	assert_int_equal(system("printf '[signer]\\nnonsense = 1\\n' > bad.conf"), 0);
	l = link_new(&(struct link_conf){
		.socket = "", .program = program, .conf = "bad.conf", .timeout = SEC(60)});
	expect_err(
		link_call(l, STR("{}"), &back, &e), &e, ERR_BUSY, "hung up", "bad configuration");
	link_free(&l);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* and leaves no zombie */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_comes_back),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(one_that_was_started_anew_is_found),
		cmocka_unit_test(a_program_that_is_none_is_told),
		cmocka_unit_test(a_child_that_ends_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
