/* Telling devices that there is news, through an MQTT broker. What the news is stays with the
 * server: a message says nothing, is retained, and may be lost, doubled or late; who hears it asks
 * as by any poll. So nothing here fails for the caller. */
#ifndef SERVER_BUS_BUS_H
#define SERVER_BUS_BUS_H

#include "lib/err.h"

struct bus_conf {
	const char *url;             /* "mqtt://host:1883", "mqtts://host:8883" */
	const char *prefix;          /* of topics: PREFIX/DEVICE/wake */
	const char *ca, *cert, *key; /* PEM files; "": the system's authorities, no certificate */
	const char *user, *password; /* "": none */
};

struct bus;

/* Begins to connect, and goes on trying. Messages wait in memory meanwhile, the newest of them.
 * ERR_CONFIG. */
int bus_open(const struct bus_conf *c, struct bus **out, struct err *e) MUST_CHECK;
/* What could not be sent within a second is given up. */
void bus_close(struct bus **b);
void bus_wake(struct bus *b, const char *device);

struct bus_view {
	bool connected;
	unsigned long long sent, failed; /* messages */
};
void bus_look(struct bus *b, struct bus_view *out);

#endif
