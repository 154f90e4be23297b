#include "server/sign/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "proto/wire/limits.h"
#include "server/sign/child.h"

#define HEAD      4 /* bytes of a frame's length */
#define CHUNK     (64U * 1024)
#define PAUSE     SEC(1)  /* after a failure */
#define FIRST_ONE SEC(15) /* more for a child that starts: it may wait for the one before it */

struct link {
	struct link_conf c;
	int fd; /* -1: not connected */
	pid_t child;
	unsigned epoch;
	bool fresh; /* connected, and nothing was answered yet */
	ms_t not_before;
};

static ms_t now(void)
{
	return clock_system.mono(clock_system.self);
}

struct link *link_new(const struct link_conf *c)
{
	struct link *l = mem_new(sizeof *l);

	*l = (struct link){.c = *c, .fd = -1};
	return l;
}

static void hang_up(struct link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	child_end(&l->child);
}

void link_free(struct link **l)
{
	if (*l)
		hang_up(*l);
	if (*l && (*l)->c.fd > 0)
		close((*l)->c.fd);
	mem_free(l);
}

unsigned link_epoch(const struct link *l)
{
	return l->epoch;
}

/* ---- reaching ---- */

static int connect_to(struct link *l, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	TRY(str_copy(str_of(l->c.socket), address.sun_path, sizeof address.sun_path, e));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, errno, "socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
		close(fd);
		return err_set(e, ERR_BUSY, "%s: nobody signs there (%s)", l->c.socket,
			strerrordesc_np(errno));
	}
	l->fd = fd;
	return 0;
}

static int reach(struct link *l, struct err *e)
{
	if (l->fd >= 0)
		return 0;
	if (l->c.fd > 0) {
		l->fd = l->c.fd;
		l->c.fd = -1;
	} else if (l->c.fd < 0)
		return err_set(e, ERR_BUSY, "whoever signed is gone");
	else if (*l->c.socket)
		TRY(connect_to(l, e));
	else
		TRY(child_start(l->c.program, l->c.conf, &l->child, &l->fd, e));
	l->fresh = true;
	l->epoch++;
	return 0;
}

/* ---- one frame there, one back ---- */

static int wait_for(struct link *l, short what, ms_t until, struct err *e)
{
	struct pollfd p = {.fd = l->fd, .events = what};

	for (;;) {
		ms_t left = until - now();
		int n = poll(&p, 1, (int)MAX(left, 0));

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "poll");
		if (left <= 0)
			return err_set(e, ERR_TIMEOUT, "whoever signs does not answer");
	}
}

static bool is_to_wait(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static int say(struct link *l, const struct buf *b, ms_t until, struct err *e)
{
	for (size_t at = 0; at < b->n;) {
		ssize_t n;

		TRY(wait_for(l, POLLOUT, until, e));
		n = send(l->fd, b->p + at, b->n - at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && !is_to_wait())
			return err_set(e, ERR_NET, "whoever signs has hung up");
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* 0 as long as not even the length is there. */
static int length_of(const struct buf *b, size_t *out, struct err *e)
{
	const uint8_t *p = b->p;
	size_t n;

	*out = 0;
	if (b->n < HEAD)
		return 0;
	n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (n == 0 || n > LIMIT_SIGN_FRAME || b->n > HEAD + n)
		return err_set(e, ERR_NET, "whoever signs does not keep to frames");
	*out = n;
	return 0;
}

static int hear(struct link *l, struct buf *b, ms_t until, struct err *e)
{
	for (;;) {
		size_t want;
		ssize_t n;

		TRY(length_of(b, &want, e));
		if (want && b->n == HEAD + want)
			return 0;
		TRY(wait_for(l, POLLIN, until, e));
		n = recv(l->fd, buf_reserve(b, CHUNK), CHUNK, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && !is_to_wait()))
			return err_set(e, ERR_NET, "whoever signs has hung up");
		b->n += n > 0 ? (size_t)n : 0;
	}
}

static int talk(struct link *l, const struct buf *there, struct buf *back, struct err *e)
{
	ms_t until = now() + l->c.timeout + (l->fresh && l->child ? FIRST_ONE : 0);

	buf_clear(back);
	TRY(say(l, there, until, e));
	TRY(hear(l, back, until, e));
	l->fresh = false;
	return 0;
}

/* One who was there before may have been started anew: that is worth a second try. */
static int talk_to_somebody(
	struct link *l, const struct buf *there, struct buf *back, struct err *e)
{
	bool again = l->fd >= 0;
	int rc;

	do {
		TRY(reach(l, e));
		rc = talk(l, there, back, e);
		if (rc < 0)
			hang_up(l);
	} while (rc == -ERR_NET && again && !(again = false));
	return rc;
}

static void put_length(struct buf *b, size_t n)
{
	for (unsigned i = 0; i < HEAD; i++)
		buf_add_char(b, (char)(n >> (24 - 8 * i)));
}

int link_call(struct link *l, struct str frame, struct buf *out, struct err *e)
{
	BUF_AUTO there = {0}, back = {0};
	struct err why = {0};

	if (now() < l->not_before)
		return err_set(e, ERR_BUSY, "whoever signs was not there a moment ago");
	put_length(&there, frame.n);
	buf_add(&there, frame.p, frame.n);
	if (talk_to_somebody(l, &there, &back, &why) < 0) {
		l->not_before = now() + PAUSE;
		return err_set(e, ERR_BUSY, "%s", why.text);
	}
	buf_add(out, back.p + HEAD, back.n - HEAD);
	return 0;
}
