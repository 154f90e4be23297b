#include "server/signd/door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/sys/log.h"

#define CLIENTS    8
#define HEAD       4 /* bytes of a frame's length */
#define CHUNK      (64U * 1024)
#define FRAME_USEC (10 * 1000000ULL)

struct client {
	struct door *door; /* NULL: this place is free */
	int fd;
	char peer[48];
	struct buf in, out;
	size_t sent;
	sd_event_source *io, *timer;
};

struct door {
	sd_event *loop;
	struct signd *signd;
	sd_event_source *listening;
	int fd;
	bool one; /* ends with its only client */
	unsigned uid;
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	unsigned n;
	struct client clients[CLIENTS];
};

/* ---- one client ---- */

static void drop(struct client *c)
{
	struct door *s = c->door;

	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timer);
	close(c->fd);
	buf_fini(&c->in);
	buf_fini(&c->out);
	*c = (struct client){.fd = -1};
	s->n--;
	if (s->one)
		sd_event_exit(s->loop, 0);
	else
		sd_event_source_set_enabled(s->listening, SD_EVENT_ON);
}

static size_t length_of(const struct buf *b)
{
	const uint8_t *p = b->p;

	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static void begin_frame(struct buf *b)
{
	static const uint8_t none[HEAD];

	buf_clear(b);
	buf_add(b, none, sizeof none);
}

static void end_frame(struct buf *b)
{
	size_t n = b->n - HEAD;

	for (unsigned i = 0; i < HEAD; i++)
		b->p[i] = (uint8_t)(n >> (24 - 8 * i));
}

static void answer(struct client *c, struct str frame)
{
	begin_frame(&c->out);
	signd_answer(c->door->signd, c->peer, frame, &c->out);
	end_frame(&c->out);
	c->sent = 0;
	buf_clear(&c->in);
	sd_event_source_set_io_events(c->io, EPOLLOUT);
	sd_event_source_set_time_relative(c->timer, FRAME_USEC);
	sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

/* Who does not keep to frames is not talked to. */
static void take_frame(struct client *c)
{
	size_t n;

	if (c->in.n < HEAD)
		return;
	n = length_of(&c->in);
	if (n > LIMIT_SIGN_FRAME || c->in.n > HEAD + n)
		drop(c);
	else if (c->in.n == HEAD + n)
		answer(c, (struct str){(const char *)c->in.p + HEAD, n});
}

static void take(struct client *c)
{
	bool first = c->in.n == 0;
	ssize_t n = recv(c->fd, buf_reserve(&c->in, CHUNK), CHUNK, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->in.n += (size_t)n;
	if (first) {
		sd_event_source_set_time_relative(c->timer, FRAME_USEC);
		sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
	}
	take_frame(c);
}

static void give(struct client *c)
{
	ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		drop(c);
		return;
	}
	c->sent += (size_t)n;
	if (c->sent < c->out.n)
		return;
	buf_clear(&c->out);
	sd_event_source_set_io_events(c->io, EPOLLIN);
	sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
}

static int on_io(sd_event_source *source UNUSED, int fd UNUSED, uint32_t events UNUSED, void *ctx)
{
	struct client *c = ctx;

	if (c->out.n)
		give(c);
	else
		take(c);
	return 0;
}

static int on_late(sd_event_source *source UNUSED, uint64_t usec UNUSED, void *ctx)
{
	drop(ctx);
	return 0;
}

static int attach(struct client *c)
{
	sd_event *loop = c->door->loop;
	int rc = sd_event_add_io(loop, &c->io, c->fd, EPOLLIN, on_io, c);

	if (rc >= 0)
		rc = sd_event_add_time_relative(
			loop, &c->timer, CLOCK_MONOTONIC, FRAME_USEC, 0, on_late, c);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	return rc;
}

/* Takes over the socket. */
static int welcome(struct door *s, int fd, const char *peer)
{
	struct client *c = s->clients;
	int rc;

	while (c->door)
		c++;
	*c = (struct client){.door = s, .fd = fd};
	snprintf(c->peer, sizeof c->peer, "%s", peer);
	s->n++;
	rc = attach(c);
	if (rc < 0)
		drop(c);
	else if (s->n == CLIENTS)
		sd_event_source_set_enabled(s->listening, SD_EVENT_OFF);
	return rc;
}

/* ---- who asks ---- */

static bool is_allowed(const struct door *s, const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == geteuid() || peer->uid == s->uid;
}

static int look_at_peer(const struct door *s, int fd, char *out, size_t cap, struct err *e)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return err_sys(e, errno, "peer");
	snprintf(out, cap, "uid=%u pid=%d", (unsigned)peer.uid, (int)peer.pid);
	if (!is_allowed(s, &peer))
		return err_set(e, ERR_DENIED, "this user may not ask for signatures");
	return 0;
}

static int on_knock(sd_event_source *source UNUSED, int fd, uint32_t events UNUSED, void *ctx)
{
	struct door *s = ctx;
	char peer[48] = "unknown";
	struct err e;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client < 0)
		return 0;
	if (look_at_peer(s, client, peer, sizeof peer, &e) < 0) {
		log_err(LOG_ID_SIGN_REFUSED, &e, "peer=\"%s\"", peer);
		close(client);
	} else
		(void)!welcome(s, client, peer);
	return 0;
}

/* ---- the socket ---- */

/* A socket that nobody listens on was left by one that was killed. */
static int clear_way(const struct sockaddr_un *address, struct err *e)
{
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc, sys;
	struct stat st;

	if (probe < 0)
		return err_sys(e, errno, "socket");
	rc = connect(probe, (const struct sockaddr *)address, sizeof *address);
	sys = errno;
	close(probe);
	if (rc == 0 || sys == EAGAIN)
		return err_set(e, ERR_BUSY, "somebody listens there");
	if (sys == ENOENT)
		return 0;
	if (lstat(address->sun_path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFLICT, "it is there and is no socket");
	return unlink(address->sun_path) < 0 ? err_sys(e, errno, "unlink") : 0;
}

/* Anybody may knock: who is heard is decided by what the kernel says of the peer. */
static int listen_on(struct door *s, const char *path, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	TRY(str_copy(str_of(path), address.sun_path, sizeof address.sun_path, e));
	TRY(clear_way(&address, e));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || bind(s->fd, (const struct sockaddr *)&address, sizeof address) < 0)
		return err_sys(e, errno, "bind");
	memcpy(s->path, address.sun_path, sizeof s->path);
	if (chmod(path, 0666) < 0 || listen(s->fd, CLIENTS) < 0)
		return err_sys(e, errno, "listen");
	return 0;
}

static struct door *make(sd_event *loop, struct signd *d)
{
	struct door *s = mem_new(sizeof *s);

	memset(s, 0, sizeof *s);
	s->fd = -1;
	s->loop = sd_event_ref(loop);
	s->signd = d;
	return s;
}

int door_open(sd_event *loop, struct signd *d, const char *path, unsigned uid, struct door **out,
	struct err *e)
{
	struct door *s = make(loop, d);
	int rc;

	s->uid = uid;
	rc = listen_on(s, path, e);
	if (rc == 0 && sd_event_add_io(loop, &s->listening, s->fd, EPOLLIN, on_knock, s) < 0)
		rc = err_set(e, ERR_IO, "event loop");
	if (rc < 0) {
		door_close(&s);
		return err_wrap(e, "%s", path);
	}
	*out = s;
	return 0;
}

int door_one(sd_event *loop, struct signd *d, int fd, struct door **out, struct err *e)
{
	struct door *s = make(loop, d);
	char peer[48];

	s->one = true;
	s->uid = geteuid();
	if (look_at_peer(s, fd, peer, sizeof peer, e) < 0 ||
		fcntl(fd, F_SETFL, O_NONBLOCK | fcntl(fd, F_GETFL)) < 0) {
		door_close(&s);
		return err_set(e, ERR_DENIED, "descriptor %d is no socket of an allowed peer", fd);
	}
	(void)!fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (welcome(s, fd, peer) < 0) {
		door_close(&s);
		return err_set(e, ERR_IO, "event loop");
	}
	*out = s;
	return 0;
}

void door_close(struct door **sp)
{
	struct door *s = *sp;

	if (!s)
		return;
	for (size_t i = 0; i < CLIENTS; i++)
		if (s->clients[i].door)
			drop(&s->clients[i]);
	sd_event_source_disable_unref(s->listening);
	if (s->path[0])
		unlink(s->path);
	if (s->fd >= 0)
		close(s->fd);
	sd_event_unref(s->loop);
	mem_free(sp);
}
