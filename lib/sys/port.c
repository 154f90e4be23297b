#include "lib/sys/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

int port_find(unsigned want, unsigned *out, struct err *e)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)want)};
	socklen_t n = sizeof here;
	int rc = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, errno, "socket");
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&here, sizeof here) < 0 ||
		getsockname(fd, (struct sockaddr *)&here, &n) < 0)
		rc = err_sys(e, errno, "a free port");
	else
		*out = ntohs(here.sin_port);
	close(fd);
	return rc;
}
