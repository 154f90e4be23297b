/* What is put off when there is more to do than can be done. */
#include "server/web/web_priv.h"

#include "lib/sys/clock.h"
#include "lib/sys/entropy.h"

#define CONNECTIONS_NORMAL 1000U
#define BODIES_MAX         ((uint64_t)64 * 1024 * 1024)

void web_load_open(struct web *w)
{
	if (!w->conf.max_connections)
		w->conf.max_connections = CONNECTIONS_NORMAL;
	entropy_fill(&w->load.random.s, sizeof w->load.random.s);
}

/* Those beyond the limit that are told so; whoever comes after them waits in the kernel's queue. */
unsigned web_load_sockets(const struct web *w)
{
	return w->conf.max_connections + w->conf.max_connections / 8 + 16;
}

void web_load_turn(struct web *w)
{
	w->load.turn = clock_system.mono(clock_system.self);
}

bool web_load_is_crowded(const struct web *w)
{
	return w->stats.connections > w->conf.max_connections / 4 * 3;
}

unsigned web_load_again(struct web *w, unsigned at_least_s)
{
	return at_least_s + (unsigned)prng_below(&w->load.random, at_least_s + 1);
}

static bool may_wait(enum route r)
{
	static const bool waits[CALLER_MAX] = {
		[CALLER_ANYONE] = true,
		[CALLER_DEVICE] = true,
		[CALLER_INVITED] = true,
		[CALLER_HOLDER] = true,
	};

	return r < ROUTE_MAX && r != ROUTE_HEALTH && r != ROUTE_METRICS && waits[route_caller(r)];
}

static bool is_late(const struct web *w)
{
	ms_t after = w->conf.busy_after;

	return after && clock_system.mono(clock_system.self) - w->load.turn > after;
}

int web_load_check(struct web *w, const struct web_exchange *x, struct err *e)
{
	if (!may_wait(x->rq.route))
		return 0;
	if (w->stats.connections > w->conf.max_connections)
		return err_set(e, ERR_BUSY, "%u connections are open, at most %u are served",
			w->stats.connections, w->conf.max_connections);
	if (is_late(w))
		return err_set(e, ERR_BUSY, "others wait longer than %lld ms",
			(long long)w->conf.busy_after);
	return 0;
}

int web_load_body(struct web *w, size_t n, struct err *e)
{
	if (w->stats.bodies + n > BODIES_MAX)
		return err_set(e, ERR_BUSY, "too much is being sent at once");
	w->stats.bodies += n;
	return 0;
}

void web_load_done(struct web *w, size_t n)
{
	w->stats.bodies -= n;
}

void web_on_connection(void *ctx, struct MHD_Connection *c UNUSED, void **of UNUSED,
	enum MHD_ConnectionNotificationCode what)
{
	struct web *w = ctx;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		w->stats.connections++;
	else
		w->stats.connections--;
}
