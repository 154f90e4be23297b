#include "agent/ctl/ctl.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS    16
#define PHASE_USEC (5 * 1000000ULL) /* to send the request, and again to take the answer */

struct client {
	struct ctl *ctl; /* NULL: this place is free */
	int fd;
	bool may_change;
	struct buf in, out;
	size_t sent;
	sd_event_source *io, *timer;
};

struct ctl {
	sd_event *loop;
	sd_event_source *listening;
	int fd;
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	ctl_answer_f *answer;
	void *ctx;
	unsigned n;
	struct client clients[CLIENTS];
};

/* ---- one client ---- */

static void drop(struct client *c)
{
	struct ctl *ctl = c->ctl;

	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timer);
	close(c->fd);
	buf_fini(&c->in);
	buf_fini(&c->out);
	*c = (struct client){.fd = -1};
	ctl->n--;
	sd_event_source_set_enabled(ctl->listening, SD_EVENT_ON);
}

static json_t *as_answer(const struct err *e)
{
	char reason[sizeof e->text];

	/* A reason may quote foreign bytes, which JSON could not carry. */
	snprintf(reason, sizeof reason, "%s", e->text);
	for (char *p = reason; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return json_pack("{s:s, s:s}", "error", err_name(e->code), "reason", reason);
}

static void reply(struct client *c, const json_t *answer)
{
	json_write(answer, &c->out);
	buf_add_char(&c->out, '\n');
	sd_event_source_set_io_events(c->io, EPOLLOUT);
	sd_event_source_set_time_relative(c->timer, PHASE_USEC);
}

static int decide(struct client *c, struct str line, json_t **out, struct err *e)
{
	JSON_AUTO *request = NULL;
	enum ctl_cmd cmd;

	TRY(ctl_parse(line, &cmd, &request, e));
	if (ctl_cmd_is_guarded(cmd) && !c->may_change)
		return err_set(e, ERR_DENIED, "%s is for root and for the agent's own user",
			ctl_cmd_name(cmd));
	return c->ctl->answer(c->ctl->ctx, cmd, request, out, e);
}

static void serve(struct client *c, struct str line)
{
	JSON_AUTO *answer = NULL;
	struct err e = {.code = ERR_BUG};

	if (decide(c, line, &answer, &e) < 0)
		answer = as_answer(&e);
	assert(answer);
	reply(c, answer);
}

static void refuse_long(struct client *c)
{
	JSON_AUTO *answer = NULL;
	struct err e;

	err_set(&e, ERR_TOO_LARGE, "a request is one line of at most %d bytes", CTL_REQUEST_MAX);
	answer = as_answer(&e);
	reply(c, answer);
}

static void take(struct client *c)
{
	const uint8_t *end;
	ssize_t n = recv(
		c->fd, buf_reserve(&c->in, CTL_REQUEST_MAX + 1), CTL_REQUEST_MAX + 1 - c->in.n, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->in.n += (size_t)n;
	end = memchr(c->in.p, '\n', c->in.n);
	if (end)
		serve(c, (struct str){(const char *)c->in.p, (size_t)(end - c->in.p)});
	else if (c->in.n > CTL_REQUEST_MAX)
		refuse_long(c);
}

static void give(struct client *c)
{
	ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->sent += (size_t)n;
	if (n < 0 || c->sent == c->out.n)
		drop(c);
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct client *c = ctx;

	(void)s;
	(void)fd;
	(void)events;
	if (c->out.n)
		give(c);
	else
		take(c);
	return 0;
}

static int on_late(sd_event_source *s, uint64_t usec, void *ctx)
{
	(void)s;
	(void)usec;
	drop(ctx);
	return 0;
}

static bool peer_may_change(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void welcome(struct ctl *ctl, int fd)
{
	struct client *c = ctl->clients;

	while (c->ctl)
		c++;
	*c = (struct client){.ctl = ctl, .fd = fd, .may_change = peer_may_change(fd)};
	ctl->n++;
	if (sd_event_add_io(ctl->loop, &c->io, fd, EPOLLIN, on_io, c) < 0 ||
		sd_event_add_time_relative(
			ctl->loop, &c->timer, CLOCK_MONOTONIC, PHASE_USEC, 0, on_late, c) < 0)
		drop(c);
	else if (ctl->n == CLIENTS)
		sd_event_source_set_enabled(ctl->listening, SD_EVENT_OFF);
}

static int on_knock(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)s;
	(void)events;
	if (client >= 0)
		welcome(ctx, client);
	return 0;
}

/* ---- the socket ---- */

/* A socket that nobody listens on was left by an agent that was killed. */
static int clear_way(int fd, const struct sockaddr_un *address, struct err *e)
{
	const char *path = address->sun_path;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFLICT, "%s is there and is no socket", path);
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN)
		return err_set(e, ERR_BUSY, "%s: another agent listens there", path);
	if (errno != ECONNREFUSED || unlink(path) < 0)
		return err_sys(e, errno, "%s", path);
	return 0;
}

static int open_socket(struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? err_sys(e, errno, "socket") : fd;
}

/* Before listen() nobody can connect, so that the mode is right from the first client on. */
static int listen_here(int fd, const char *path, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int probe, rc;

	TRY(str_copy(str_of(path), address.sun_path, sizeof address.sun_path, e));
	probe = open_socket(e);
	TRY(probe);
	rc = clear_way(probe, &address, e);
	close(probe);
	TRY(rc);
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		return err_sys(e, errno, "%s: bind", path);
	if (chmod(path, 0660) < 0 || listen(fd, CLIENTS) < 0) {
		rc = err_sys(e, errno, "%s", path);
		unlink(path);
	}
	return rc;
}

int ctl_open(sd_event *loop, const char *path, ctl_answer_f *answer, void *ctx, struct ctl **out,
	struct err *e)
{
	struct ctl *c;
	int rc, fd = open_socket(e);

	TRY(fd);
	rc = listen_here(fd, path, e);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	c = mem_new(sizeof *c);
	c->fd = fd;
	c->loop = sd_event_ref(loop);
	c->answer = answer;
	c->ctx = ctx;
	snprintf(c->path, sizeof c->path, "%s", path);
	rc = sd_event_add_io(loop, &c->listening, fd, EPOLLIN, on_knock, c);
	if (rc < 0) {
		ctl_close(&c);
		return err_sys(e, -rc, "%s", path);
	}
	*out = c;
	return 0;
}

void ctl_close(struct ctl **cp)
{
	struct ctl *c = *cp;

	if (!c)
		return;
	for (size_t i = 0; i < CLIENTS; i++)
		if (c->clients[i].ctl)
			drop(&c->clients[i]);
	sd_event_source_disable_unref(c->listening);
	unlink(c->path);
	close(c->fd);
	sd_event_unref(c->loop);
	mem_free(cp);
}
