/* Sockets by the thousand on the event loop: an epoll of their own, which is one source there.
 * sd-event asks the kernel anew after each source that it has served, which looks at all that are
 * ready each time; here everything that is ready is served in one turn. */
#ifndef TESTS_BENCH_FLEET_READY_H
#define TESTS_BENCH_FLEET_READY_H

#include <stdint.h>
#include <systemd/sd-event.h>

struct ready;
struct ready_fd;

typedef void ready_fn(void *ctx, int fd, uint32_t events);

/* Dies on failure, as do the others. */
struct ready *ready_new(sd_event *loop);
/* `events` and those that `fn` is given are epoll's. */
struct ready_fd *ready_add(struct ready *all, int fd, uint32_t events, ready_fn *fn, void *ctx);
void ready_want(struct ready_fd *f, uint32_t events);
/* Before the socket is closed; `fn` is not called again, not even in the present turn. */
void ready_drop(struct ready_fd **f);

#endif
