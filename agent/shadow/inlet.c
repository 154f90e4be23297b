#include "agent/shadow/shadow_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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
	out->packet = mem_new(LIMIT_SHADOW_NOTE);
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
}

static pid_t sender_of(struct msghdr *m)
{
	struct ucred who = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(c), sizeof who);
	return who.pid;
}

static bool is_champion(struct inlet *in, pid_t pid)
{
	if (pid <= 0)
		return false;
	if (pid != in->known && !beside_is_workload(in->beside, pid))
		return false;
	in->known = pid;
	return true;
}

int inlet_take(struct inlet *in, ms_t wait, struct str *out, struct err *e)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} room;
	struct iovec piece = {in->packet, LIMIT_SHADOW_NOTE};
	struct msghdr m = {.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof room.bytes};
	struct pollfd p = {.fd = in->fd, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, (int)wait) <= 0)
		return 0;
	n = recvmsg(in->fd, &m, MSG_CMSG_CLOEXEC);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return err_sys(e, errno, "%s", in->path);
	if (n < 0 || !is_champion(in, sender_of(&m)))
		return 0;
	*out = (struct str){in->packet, m.msg_flags & MSG_TRUNC ? 0 : (size_t)n};
	return 1;
}
