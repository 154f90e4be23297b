/* Tells an OpenTelemetry collector every so often what releases do (otlp.h), by HTTP. The way there
 * is the hooks' courier: a thread of its own, bounded in time and size, certificates checked. */
#ifndef SERVER_EXPORT_EXPORT_H
#define SERVER_EXPORT_EXPORT_H

#include <systemd/sd-event.h>

#include "server/hook/courier.h"
#include "server/run/run.h"

struct export_conf {
	struct db *db;
	const char *url;   /* "http://collector:4318/v1/metrics" */
	const char *token; /* sent as Authorization: Bearer; "": none */
	const char *source;
	ms_t interval;
	struct courier_conf courier;
};

struct export;

/* Everything in `c`, and `r`, must outlive it. ERR_CONFIG when the address cannot be one. */
int export_open(sd_event *loop, const struct export_conf *c, struct run *r, struct export **out,
	struct err *e) MUST_CHECK;
void export_close(struct export **x);
/* To be called every second. What failed is told again sooner, with what has come meanwhile: 5 s,
 * 15 s, 45 s, ... up to the interval, or when the collector's Retry-After has passed. What it
 * refuses for good is not told again before the next interval. */
void export_tick(struct export *x);

struct export_view {
	unsigned long long sent, failed;
	bool waiting; /* the last attempt failed */
};
void export_look(const struct export *x, struct export_view *out);

#endif
