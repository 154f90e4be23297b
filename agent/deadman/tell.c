#include "agent/deadman/tell.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int reach(int fd, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = strlen(DEADMAN_SOCKET);

	memcpy(a.sun_path + 1, DEADMAN_SOCKET, n);
	n += offsetof(struct sockaddr_un, sun_path) + 1;
	if (connect(fd, (struct sockaddr *)&a, (socklen_t)n) == 0)
		return 1;
	if (errno == ECONNREFUSED)
		return 0;
	return errno == EAGAIN ? err_set(e, ERR_BUSY, "the dead-man does not listen")
			       : err_sys(e, errno, "dead-man");
}

int deadman_tell(const struct deadman_msg *m, struct err *e)
{
	char text[LIMIT_DEADMAN_BYTES];
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, errno, "socket");
	int rc = reach(fd, e);

	deadman_format(m, text);
	if (rc == 1)
		rc = send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? err_sys(e, errno, "dead-man")
								    : 0;
	close(fd);
	return rc;
}
