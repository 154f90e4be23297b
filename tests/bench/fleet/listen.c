#include "tests/bench/fleet/listen.h"

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/buf.h"
#include "lib/prng.h"
#include "tests/bench/fleet/figures.h"

#define KEEP_ALIVE_S  60
#define SWEEP_US      50000U
#define CONNECTS      100U /* in one sweep */
#define MISC_EVERY    100U /* sweeps: timers of each client are looked at every five seconds */
#define PAUSE_MIN_US  200000U
#define PAUSE_MORE_US 2000000U

struct client {
	struct listen *all;
	unsigned device;
	struct mosquitto *m;
	struct ready_fd *io;
	uint64_t retry_us; /* not before */
	bool connected;
};

struct listen {
	struct listen_conf c;
	sd_event_source *sweep;
	unsigned sweeps;
	struct prng random;
	struct client v[];
};

static void lost(struct client *k)
{
	struct listen *all = k->all;

	ready_drop(&k->io);
	k->retry_us = figures_now_us() + PAUSE_MIN_US + prng_below(&all->random, PAUSE_MORE_US);
	if (k->connected)
		all->c.listening(all->c.ctx, k->device, false);
	k->connected = false;
}

static void settle(struct client *k, int rc)
{
	if (rc != MOSQ_ERR_SUCCESS || mosquitto_socket(k->m) < 0) {
		lost(k);
		return;
	}
	ready_want(k->io, EPOLLIN | (mosquitto_want_write(k->m) ? (uint32_t)EPOLLOUT : 0U));
}

static void on_io(void *ctx, int fd UNUSED, uint32_t events)
{
	struct client *k = ctx;
	int rc = MOSQ_ERR_SUCCESS;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		rc = mosquitto_loop_read(k->m, 8);
	if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(k->m))
		rc = mosquitto_loop_write(k->m, 8);
	settle(k, rc);
}

static void on_connect(struct mosquitto *m, void *ctx, int rc)
{
	struct client *k = ctx;
	char topic[128];

	if (rc != 0)
		return;
	snprintf(topic, sizeof topic, "backstay/1/dev-%05u/wake", k->device);
	mosquitto_subscribe(m, NULL, topic, 1);
	snprintf(topic, sizeof topic, "backstay/1/dev-%05u/presence", k->device);
	mosquitto_publish(m, NULL, topic, 6, "online", 1, true);
}

/* The device is listening when it has its topic. */
static void on_subscribe(
	struct mosquitto *m UNUSED, void *ctx, int mid UNUSED, int n UNUSED, const int *qos UNUSED)
{
	struct client *k = ctx;

	k->connected = true;
	k->all->c.listening(k->all->c.ctx, k->device, true);
}

static void on_message(struct mosquitto *m UNUSED, void *ctx, const struct mosquitto_message *said)
{
	struct client *k = ctx;

	k->all->c.woken(k->all->c.ctx, k->device, said->retain);
}

static void begin(struct client *k)
{
	struct listen *all = k->all;
	char name[64], topic[128];
	int rc;

	if (!k->m) {
		snprintf(name, sizeof name, "dev-%05u", k->device);
		snprintf(topic, sizeof topic, "backstay/1/%s/presence", name);
		k->m = mosquitto_new(name, true, k);
		if (!k->m)
			abort();
		mosquitto_will_set(k->m, topic, 7, "offline", 1, true);
		mosquitto_connect_callback_set(k->m, on_connect);
		mosquitto_subscribe_callback_set(k->m, on_subscribe);
		mosquitto_message_callback_set(k->m, on_message);
		rc = mosquitto_connect(k->m, "127.0.0.1", all->c.port, KEEP_ALIVE_S);
	} else {
		rc = mosquitto_reconnect(k->m);
	}
	if (rc != MOSQ_ERR_SUCCESS) {
		lost(k);
		return;
	}
	k->io = ready_add(all->c.ready, mosquitto_socket(k->m), EPOLLIN, on_io, k);
	settle(k, rc);
}

static int on_sweep(sd_event_source *s, uint64_t us UNUSED, void *ctx)
{
	struct listen *all = ctx;
	uint64_t now = figures_now_us();
	unsigned begun = 0;

	all->sweeps++;
	for (unsigned i = 0; i < all->c.n; i++) {
		struct client *k = &all->v[i];

		if (!k->io && now >= k->retry_us && begun < CONNECTS) {
			begin(k);
			begun++;
		} else if (k->io && (i + all->sweeps) % MISC_EVERY == 0) {
			settle(k, mosquitto_loop_misc(k->m));
		}
	}
	sd_event_source_set_time_relative(s, SWEEP_US);
	sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	return 0;
}

struct listen *listen_new(const struct listen_conf *c)
{
	struct listen *all = mem_new(sizeof *all + c->n * sizeof all->v[0]);

	memset(all, 0, sizeof *all + c->n * sizeof all->v[0]);
	all->c = *c;
	all->random.s = figures_now_us() + c->first;
	mosquitto_lib_init();
	for (unsigned i = 0; i < c->n; i++)
		all->v[i] = (struct client){.all = all, .device = c->first + i};
	if (sd_event_add_time_relative(
		    c->loop, &all->sweep, CLOCK_MONOTONIC, 1, 1000, on_sweep, all) < 0)
		abort();
	return all;
}
