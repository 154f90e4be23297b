#include "agent/shadow/shadow_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/sys/clock.h"

#define KNOWN_FOR SEC(5)

/* Whoever may reach the folder may send; who it is, the kernel says with every packet. */
static int listen_at(struct inlet *in, struct err *e)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int on = 1;

	if (strlen(in->path) >= sizeof at.sun_path)
		return err_set(e, ERR_CONFIG, "%s: too long for a socket", in->path);
	memcpy(at.sun_path, in->path, strlen(in->path) + 1);
	(void)!unlink(in->path);
	in->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (in->fd < 0 || setsockopt(in->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
		bind(in->fd, (struct sockaddr *)&at, sizeof at) < 0 || chmod(in->path, 0666) < 0)
		return err_sys(e, errno, "%s", in->path);
	return 0;
}

int inlet_open(const char *run_dir, struct beside *b, struct inlet *out, struct err *e)
{
	int rc;

	*out = (struct inlet){.fd = -1, .beside = b};
	snprintf(out->path, sizeof out->path, "%.230s/" SVC_SHADOW_SOCKET, run_dir);
	out->packet = mem_new(LIMIT_SHADOW_PACKET);
	rc = listen_at(out, e);
	if (rc < 0)
		inlet_close(out);
	return rc;
}

void inlet_close(struct inlet *in)
{
	if (in->fd >= 0) {
		(void)!unlink(in->path);
		close(in->fd);
	}
	in->fd = -1;
	mem_free(&in->packet);
	buf_fini(&in->whole);
}

/* What the kernel says beside a packet. */
struct beside_it {
	pid_t pid; /* of who sent it; 0: not said */
	int fd;    /* -1: none was passed */
};

static struct beside_it what_came_beside(struct msghdr *m)
{
	struct beside_it b = {.fd = -1};
	struct ucred who;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&who, CMSG_DATA(c), sizeof who);
			b.pid = who.pid;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			memcpy(&b.fd, CMSG_DATA(c), sizeof b.fd);
		}
	}
	return b;
}

/* A pid may become another's: what is known of it is looked at again. */
static bool is_champion(struct inlet *in, pid_t pid)
{
	ms_t now = clock_system.mono(clock_system.self);

	if (pid <= 0)
		return false;
	if (pid == in->known && now - in->known_at < KNOWN_FOR)
		return true;
	if (!beside_is_workload(in->beside, pid))
		return false;
	in->known = pid;
	in->known_at = now;
	return true;
}

/* Only a sealed memory file: reading anything else might wait, or change under our hands. */
static bool is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_WRITE) && (seals & F_SEAL_SHRINK);
}

static bool read_file(int fd, struct buf *out)
{
	off_t size = lseek(fd, 0, SEEK_END), at = 0;
	char piece[65536];

	if (size <= 0 || (uint64_t)size > LIMIT_SHADOW_NOTE - LIMIT_SHADOW_HEAD)
		return false;
	while (at < size) {
		ssize_t n = pread(fd, piece, sizeof piece, at);

		if (n <= 0)
			return false;
		buf_add(out, piece, (size_t)n);
		at += n;
	}
	return true;
}

static struct str add_file(struct inlet *in, size_t n, int fd)
{
	buf_clear(&in->whole);
	if (n > LIMIT_SHADOW_HEAD || !is_sealed(fd))
		return (struct str){in->packet, 0};
	buf_add(&in->whole, in->packet, n);
	return read_file(fd, &in->whole) ? buf_str(&in->whole) : (struct str){in->packet, 0};
}

static int receive(struct inlet *in, struct beside_it *out_beside, struct str *out, struct err *e)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	} room;
	struct iovec piece = {in->packet, LIMIT_SHADOW_PACKET};
	struct msghdr m = {.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof room.bytes};
	ssize_t n = recvmsg(in->fd, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : err_sys(e, errno, "%s", in->path);
	*out_beside = what_came_beside(&m);
	*out = (struct str){in->packet, m.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? 0 : (size_t)n};
	return 1;
}

int inlet_take(struct inlet *in, ms_t wait, struct str *out, struct err *e)
{
	struct pollfd p = {.fd = in->fd, .events = POLLIN};
	struct beside_it beside;
	struct str text;
	int rc;

	if (poll(&p, 1, (int)wait) <= 0)
		return 0;
	rc = receive(in, &beside, &text, e);
	if (rc <= 0)
		return rc;
	rc = is_champion(in, beside.pid);
	if (rc && beside.fd >= 0 && text.n)
		text = add_file(in, text.n, beside.fd);
	if (beside.fd >= 0)
		close(beside.fd);
	if (rc)
		*out = text;
	return rc;
}
