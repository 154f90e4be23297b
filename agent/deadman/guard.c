#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/deadman/deadman_priv.h"

#define BEAT    SEC(5) /* between two looks at the world; a watchdog of 10 s is fed in time */
#define BACKLOG 16

/* A system may hang right after the watchdog's driver is there, before the next beat: while there
 * is hope for one, it is looked for more often. */
#define HUNT      MINUTE(1) /* since the kernel's start */
#define HUNT_BEAT 100       /* ms */

struct guard {
	struct deadman state;
	struct dog dog;
	int socket; /* -1: not there yet */
	bool is_spared;
};

/* ---- what it sees ---- */

static ms_t read_clock(clockid_t id)
{
	struct timespec t = {0};

	clock_gettime(id, &t);
	return SEC(t.tv_sec) + t.tv_nsec / 1000000;
}

/* The service manager's last act is to become the program that ends the machine. */
static bool is_ending(void)
{
	static const char name[] = "systemd-shutdow";
	char comm[sizeof name] = "";
	int fd = open("/proc/1/comm", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	(void)!read(fd, comm, sizeof comm - 1);
	close(fd);
	return strcmp(comm, name) == 0;
}

static void step(struct guard *g, const struct deadman_msg *msg)
{
	ms_t now = read_clock(CLOCK_BOOTTIME);
	struct deadman_event ev = {
		.now = now,
		.slept = now - read_clock(CLOCK_MONOTONIC),
		.ending = is_ending(),
		.msg = msg,
	};
	enum deadman_cause why = deadman_step(&g->state, &ev, &g->state);

	if (why != DEADMAN_CAUSE_NONE)
		restart_now(why);
}

/* ---- who speaks to it ---- */

static void listen_up(struct guard *g)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t n =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(DEADMAN_SOCKET));

	memcpy(a.sun_path + 1, DEADMAN_SOCKET, strlen(DEADMAN_SOCKET));
	g->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (g->socket < 0)
		return;
	if (bind(g->socket, (struct sockaddr *)&a, n) == 0 && listen(g->socket, BACKLOG) == 0)
		return;
	close(g->socket);
	g->socket = -1;
}

static bool is_root(int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.uid == 0;
}

static long long seconds_left(ms_t due)
{
	return due == DEADMAN_NEVER ? -1 : MAX(0, due - read_clock(CLOCK_BOOTTIME)) / 1000;
}

static void tell_state(const struct guard *g, int fd)
{
	char text[128];
	int n = snprintf(text, sizeof text,
		"ok trial=%d message_due_s=%lld decision_due_s=%lld watchdog_s=%u",
		g->state.on_trial, seconds_left(g->state.message_due),
		seconds_left(g->state.decision_due), g->dog.fd >= 0 ? g->dog.seconds : 0);

	(void)!send(fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void tell_error(int fd, const struct err *e)
{
	(void)!send(fd, e->text, strlen(e->text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Root is trusted to speak at once; who does not is not waited for. */
static void hear(struct guard *g, int fd)
{
	char packet[LIMIT_DEADMAN_BYTES];
	struct deadman_msg m;
	struct err e = {0};
	struct pollfd p = {fd, POLLIN, 0};

	if (poll(&p, 1, 1000) <= 0)
		return;
	ssize_t n = recv(fd, packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC);

	if (n <= 0)
		return;
	if (deadman_parse((struct str){packet, (size_t)n}, &m, &e) < 0) {
		tell_error(fd, &e);
		return;
	}
	step(g, &m);
	tell_state(g, fd);
}

static void hear_all(struct guard *g)
{
	for (int i = 0; i < BACKLOG; i++) {
		int fd = accept4(g->socket, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (is_root(fd))
			hear(g, fd);
		close(fd);
	}
}

/* ---- how it stays ---- */

/* Until the real root is there, nothing is held open but what has no place in the initramfs: it is
 * emptied beneath us. */
static void detach(void)
{
	sigset_t all;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int fd = 0; fd < 64; fd++)
		close(fd);
	(void)!mlockall(MCL_CURRENT | MCL_FUTURE);
}

/* Not to be killed when memory is short. /proc comes later than we do. */
static void ask_to_be_spared(struct guard *g)
{
	int fd = g->is_spared ? -1 : open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	g->is_spared = write(fd, "-1000", 5) == 5;
	close(fd);
}

static ms_t beat_at(const struct guard *g, ms_t now)
{
	return g->dog.fd < 0 && g->dog.seconds && now < HUNT ? HUNT_BEAT : BEAT;
}

static void wait_for_something(const struct guard *g)
{
	struct pollfd p = {g->socket, POLLIN, 0};
	ms_t now = read_clock(CLOCK_BOOTTIME);
	ms_t left = deadman_due(&g->state) - now;

	(void)!poll(&p, 1, (int)MAX(0, MIN(left, beat_at(g, now))));
}

void guard_run(const struct deadman_conf *conf)
{
	ms_t slept = read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC);
	struct guard g = {.socket = -1, .dog = {-1, (unsigned)conf->v[DEADMAN_PARAM_WATCHDOG]}};

	detach();
	deadman_init(conf, slept, &g.state);
	for (;;) {
		if (g.socket < 0)
			listen_up(&g);
		ask_to_be_spared(&g);
		dog_feed(&g.dog);
		step(&g, NULL);
		wait_for_something(&g);
		if (g.socket >= 0)
			hear_all(&g);
	}
}
