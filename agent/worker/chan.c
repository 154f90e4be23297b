#include "agent/worker/worker_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sys/clock.h"

#define LOOK_EVERY 100 /* ms: how late a cancellation may be seen */
#define SEND_ROOM  (1024 * 1024)

struct chan {
	int fd;
	enum priv_side own, other;
	const atomic_bool *cancel;
	ms_t patience, until;
	struct buf head;
	char packet[PRIV_PACKET_MAX];
};

struct chan *chan_open(int fd, enum priv_side own, const atomic_bool *cancel)
{
	struct chan *c = mem_new(sizeof *c);

	c->fd = fd;
	c->own = own;
	c->other = own == PRIV_WORKER ? PRIV_INSTALLER : PRIV_WORKER;
	c->cancel = cancel;
	c->patience = c->until = 0;
	buf_init(&c->head);
	return c;
}

void chan_close(struct chan **pc)
{
	struct chan *c = *pc;

	if (!c)
		return;
	close(c->fd);
	buf_fini(&c->head);
	mem_free(pc);
	*pc = NULL;
}

void chan_set_patience(struct chan *c, ms_t patience, ms_t until)
{
	c->patience = patience;
	c->until = until;
}

int chan_fd(const struct chan *c)
{
	return c->fd;
}

/* More room keeps both sides busy; where it is not to be had, less will do. */
static void widen(int fd)
{
	int room = SEND_ROOM;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0)
		(void)!setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

int chan_pair(int out[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out) < 0)
		return err_sys(e, errno, "socketpair");
	widen(out[0]);
	widen(out[1]);
	return 0;
}

/* ---- waiting ---- */

static int gone(struct err *e)
{
	return err_set(e, ERR_WORKER, "the other process is gone");
}

static ms_t now(void)
{
	return clock_system.mono(clock_system.self);
}

static bool is_late(const struct chan *c, ms_t begin)
{
	return (c->patience && now() - begin > c->patience) || (c->until && now() > c->until);
}

static int check_cancel(const struct chan *c, struct err *e)
{
	if (c->cancel && atomic_load(c->cancel))
		return err_set(e, ERR_CANCELLED, "cancelled");
	return 0;
}

/* Until the line can be read from or written to, or is closed. */
static int wait_for(struct chan *c, short what, struct err *e)
{
	struct pollfd p = {.fd = c->fd, .events = what};
	ms_t begin = now();

	for (;;) {
		TRY(check_cancel(c, e));
		int n = poll(&p, 1, LOOK_EVERY);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "poll");
		if (is_late(c, begin))
			return err_set(e, ERR_TIMEOUT, "the other process is silent");
	}
}

static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS;
}

/* ---- packets ---- */

static int send_packet(struct chan *c, struct msghdr *h, struct err *e)
{
	for (;;) {
		if (sendmsg(c->fd, h, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
			return gone(e);
		if (!must_wait(errno))
			return err_sys(e, errno, "sendmsg");
		TRY(wait_for(c, POLLOUT, e));
	}
}

int chan_say(struct chan *c, const struct priv_msg *m, struct err *e)
{
	buf_clear(&c->head);
	TRY(priv_encode(m, c->own, &c->head, e));
	struct iovec part[2] = {{.iov_base = c->head.p, .iov_len = c->head.n},
		{.iov_base = (void *)(uintptr_t)m->bytes.p, .iov_len = m->bytes.n}};
	struct msghdr h = {.msg_iov = part, .msg_iovlen = m->bytes.n ? 2 : 1};

	return send_packet(c, &h, e);
}

/* Without room for control data the kernel drops descriptors that somebody tries to hand over. */
static int receive(struct chan *c, struct msghdr *h, size_t *out_n, struct err *e)
{
	for (;;) {
		ssize_t n = recvmsg(c->fd, h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return gone(e);
		if (n > 0 && (h->msg_flags & MSG_TRUNC))
			return err_set(e, ERR_TOO_LARGE, "a packet larger than any verb");
		if (n > 0) {
			*out_n = (size_t)n;
			return 0;
		}
		if (!must_wait(errno))
			return err_sys(e, errno, "recvmsg");
		TRY(wait_for(c, POLLIN, e));
	}
}

/* *n_control: room for what the kernel adds, and how much of it was used. */
static int hear(
	struct chan *c, void *control, size_t *n_control, struct priv_msg *out, struct err *e)
{
	struct iovec part = {.iov_base = c->packet, .iov_len = sizeof c->packet};
	struct msghdr h = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = *n_control};
	size_t n;

	TRY(check_cancel(c, e)); /* who is never silent is never waited for */
	TRY(receive(c, &h, &n, e));
	*n_control = h.msg_controllen;
	return priv_decode((struct str){c->packet, n}, c->other, out, e);
}

int chan_hear(struct chan *c, struct priv_msg *out, struct err *e)
{
	size_t none = 0;

	return hear(c, NULL, &none, out, e);
}

/* The kernel puts the credentials first; a descriptor that comes along has no room any more. */
int chan_hear_from(struct chan *c, struct priv_msg *out, pid_t *out_pid, struct err *e)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control = {0};
	struct ucred who = {0};
	size_t n = sizeof control.room;

	TRY(hear(c, control.room, &n, out, e));
	if (n >= CMSG_LEN(sizeof who) && control.head.cmsg_level == SOL_SOCKET &&
		control.head.cmsg_type == SCM_CREDENTIALS)
		memcpy(&who, CMSG_DATA(&control.head), sizeof who);
	*out_pid = who.pid;
	return 0;
}

/* ---- descriptors ---- */

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

int chan_give(struct chan *c, int fd, struct err *e)
{
	union control control = {0};
	char mark = '+';
	struct iovec part = {.iov_base = &mark, .iov_len = 1};
	struct msghdr h = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room};
	struct cmsghdr *x = CMSG_FIRSTHDR(&h);

	x->cmsg_level = SOL_SOCKET;
	x->cmsg_type = SCM_RIGHTS;
	x->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(x), &fd, sizeof fd);
	return send_packet(c, &h, e);
}

int chan_take(struct chan *c, int *out_fd, struct err *e)
{
	union control control = {0};
	struct iovec part = {.iov_base = c->packet, .iov_len = 1};
	struct msghdr h = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room};
	struct cmsghdr *x;
	size_t n;

	TRY(receive(c, &h, &n, e));
	x = CMSG_FIRSTHDR(&h);
	if (!x || x->cmsg_level != SOL_SOCKET || x->cmsg_type != SCM_RIGHTS)
		return err_set(e, ERR_BAD_INPUT, "no descriptor came along");
	memcpy(out_fd, CMSG_DATA(x), sizeof *out_fd);
	return 0;
}
