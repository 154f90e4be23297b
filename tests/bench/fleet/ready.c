#include "tests/bench/fleet/ready.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/buf.h"

#define TURN 512 /* sockets in one turn */

struct ready_fd {
	struct ready *all;
	struct ready_fd *dropped; /* the next one */
	ready_fn *fn;
	void *ctx;
	int fd;
	uint32_t events;
};

struct ready {
	int epoll;
	struct ready_fd *dropped; /* freed behind the turn, which may still hold them */
};

static void free_dropped(struct ready *all)
{
	struct ready_fd *f;

	while ((f = all->dropped) != NULL) {
		all->dropped = f->dropped;
		free(f);
	}
}

static int on_ready(sd_event_source *s UNUSED, int fd UNUSED, uint32_t revents UNUSED, void *ctx)
{
	struct ready *all = ctx;
	struct epoll_event v[TURN];
	int n = epoll_wait(all->epoll, v, TURN, 0);

	for (int i = 0; i < n; i++) {
		struct ready_fd *f = v[i].data.ptr;

		if (f->fn)
			f->fn(f->ctx, f->fd, v[i].events);
	}
	free_dropped(all);
	return 0;
}

static void control(const struct ready_fd *f, int how)
{
	struct epoll_event ev = {.events = f->events, .data.ptr = (void *)f};

	if (epoll_ctl(f->all->epoll, how, f->fd, &ev) < 0)
		abort();
}

struct ready *ready_new(sd_event *loop)
{
	struct ready *all = mem_new(sizeof *all);

	*all = (struct ready){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	if (all->epoll < 0 || sd_event_add_io(loop, NULL, all->epoll, EPOLLIN, on_ready, all) < 0)
		abort();
	return all;
}

struct ready_fd *ready_add(struct ready *all, int fd, uint32_t events, ready_fn *fn, void *ctx)
{
	struct ready_fd *f = mem_new(sizeof *f);

	*f = (struct ready_fd){.all = all, .fn = fn, .ctx = ctx, .fd = fd, .events = events};
	control(f, EPOLL_CTL_ADD);
	return f;
}

void ready_want(struct ready_fd *f, uint32_t events)
{
	if (f->events == events)
		return;
	f->events = events;
	control(f, EPOLL_CTL_MOD);
}

void ready_drop(struct ready_fd **f)
{
	struct ready_fd *it = *f;

	*f = NULL;
	if (!it)
		return;
	/* One that its owner has closed already is gone from the set. */
	(void)epoll_ctl(it->all->epoll, EPOLL_CTL_DEL, it->fd, NULL);
	it->fn = NULL;
	it->dropped = it->all->dropped;
	it->all->dropped = it;
}
