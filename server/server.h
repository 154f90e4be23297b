/* The whole server on an event loop. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <systemd/sd-event.h>

#include "server/server_conf.h"

struct server;

/* Opens the data folder, the store and the keys, brings in the repositories, and listens. `conf`
 * must outlive it. */
int server_open(sd_event *loop, const struct server_conf *conf, struct server **out,
	struct err *e) MUST_CHECK;
void server_close(struct server **s);
uint16_t server_port(const struct server *s);

#endif
