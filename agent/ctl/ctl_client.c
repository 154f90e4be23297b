#include "agent/ctl/ctl.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/sys/clock.h"

struct call {
	const char *path;
	int fd;
	ms_t deadline;
};

static int reach(struct call *c, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int sys;

	TRY(str_copy(str_of(c->path), address.sun_path, sizeof address.sun_path, e));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return err_sys(e, errno, "socket");
	if (connect(c->fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return 0;
	sys = errno;
	if (sys == ECONNREFUSED)
		return err_set(e, ERR_NET, "%s: no agent listens there", c->path);
	if (sys == EAGAIN)
		return err_set(e, ERR_BUSY, "%s: too many ask at once", c->path);
	return err_sys(e, sys, "%s", c->path);
}

static int wait_ready(struct call *c, short what, struct err *e)
{
	struct pollfd fd = {.fd = c->fd, .events = what};

	for (;;) {
		ms_t left = c->deadline - clock_system.mono(clock_system.self);
		int n = poll(&fd, 1, (int)MIN(MAX(left, 0), 1000000));

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "%s", c->path);
		if (left <= 0)
			return err_set(e, ERR_TIMEOUT, "%s: the agent does not answer", c->path);
	}
}

static int say(struct call *c, const json_t *request, struct err *e)
{
	BUF_AUTO line = {0};

	json_write(request, &line);
	buf_add_char(&line, '\n');
	for (size_t at = 0; at < line.n;) {
		ssize_t n;

		TRY(wait_ready(c, POLLOUT, e));
		n = send(c->fd, line.p + at, line.n - at, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_set(e, ERR_NET, "%s: the agent hung up", c->path);
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Up to the end of the line, or of the connection. */
static int hear(struct call *c, struct buf *out, struct err *e)
{
	while (!out->n || !memchr(out->p, '\n', out->n)) {
		ssize_t n;

		if (out->n > CTL_ANSWER_MAX)
			return err_set(e, ERR_TOO_LARGE, "%s: answer over %d bytes", c->path,
				CTL_ANSWER_MAX);
		TRY(wait_ready(c, POLLIN, e));
		n = recv(c->fd, buf_reserve(out, 65536), 65536, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return err_set(e, ERR_NET, "%s: the agent hung up", c->path);
		out->n += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int understand(struct str line, json_t **out, struct err *e)
{
	JSON_AUTO *j = NULL;
	const char *name, *reason;
	enum err_code code;

	if (json_read(line, CTL_ANSWER_MAX, &j, e) < 0)
		return err_wrap(e, "the agent's answer");
	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "the agent's answer is no JSON object");
	name = json_string_value(json_object_get(j, "error"));
	if (!name) {
		*out = json_incref(j);
		return 0;
	}
	reason = json_string_value(json_object_get(j, "reason"));
	code = err_by_name(name);
	return err_set(e, code == ERR_OK || code >= ERR_CODE_MAX ? ERR_BAD_INPUT : code, "%s",
		reason ? reason : name);
}

int ctl_call(
	const char *path, const json_t *request, ms_t timeout, json_t **out_answer, struct err *e)
{
	struct call c = {
		.path = path, .fd = -1, .deadline = clock_system.mono(clock_system.self) + timeout};
	BUF_AUTO answer = {0};
	int rc;

	rc = reach(&c, e);
	if (rc == 0)
		rc = say(&c, request, e);
	if (rc == 0)
		rc = hear(&c, &answer, e);
	if (c.fd >= 0)
		close(c.fd);
	return rc < 0 ? rc : understand(buf_str(&answer), out_answer, e);
}
