/* Telling devices that there is news, through an MQTT broker. What the news is stays with the
 * server: a message says nothing, is retained, and may be lost, doubled or late; who hears it asks
 * as by any poll. So nothing here fails for the caller. */
#ifndef SERVER_BROKER_BROKER_H
#define SERVER_BROKER_BROKER_H

#include "lib/err.h"

struct broker_conf {
	const char *url;             /* "mqtt://host:1883", "mqtts://host:8883" */
	const char *prefix;          /* of topics: PREFIX/DEVICE/wake */
	const char *ca, *cert, *key; /* PEM files; "": the system's authorities, no certificate */
	const char *user, *password; /* "": none */
};

struct broker;

/* Begins to connect, and goes on trying. Messages wait in memory meanwhile, the newest of them.
 * ERR_CONFIG. */
int broker_open(const struct broker_conf *c, struct broker **out, struct err *e) MUST_CHECK;
/* What could not be sent within a second is given up. */
void broker_close(struct broker **b);
void broker_wake(struct broker *b, const char *device);

struct broker_view {
	bool connected;
	unsigned long long sent, failed; /* messages */
};
void broker_look(struct broker *b, struct broker_view *out);

#endif
