/* MQTT for thousands of devices in one process: one session each, by libmosquitto on the event
 * loop, with what an agent does: presence with a last will, its own topic for being woken. */
#ifndef TESTS_BENCH_FLEET_LISTEN_H
#define TESTS_BENCH_FLEET_LISTEN_H

#include "lib/util.h"
#include "tests/bench/fleet/ready.h"

struct listen;

struct listen_conf {
	sd_event *loop;
	struct ready *ready;
	uint16_t port;
	unsigned first, n; /* devices */
	void (*woken)(void *ctx, unsigned device, bool retained);
	void (*listening)(void *ctx, unsigned device, bool is);
	void *ctx;
};

/* Connects everybody, little by little, and whoever was lost again. Dies on failure. */
struct listen *listen_new(const struct listen_conf *c);

#endif
