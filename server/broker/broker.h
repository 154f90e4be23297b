/* The server's end of an MQTT broker.
 *
 * Outwards: telling devices that there is news. What the news is stays with the server: a message
 * says nothing, is retained, and may be lost, doubled or late; who hears it asks as by any poll.
 * And acknowledgements of what was heard, which may be lost too: who misses one sends again.
 * Nothing of that fails for the caller.
 *
 * Inwards: presence of devices, and, where the broker is trusted to let nobody speak in another's
 * name, their telemetry and reports. They wait in memory for who takes them, in the order in which
 * the broker passed them on; beyond a bound they are dropped, and come again because nobody has
 * acknowledged them. */
#ifndef SERVER_BROKER_BROKER_H
#define SERVER_BROKER_BROKER_H

#include "lib/buf.h"
#include "lib/id.h"

struct broker_conf {
	const char *url;             /* "mqtt://host:1883", "mqtts://host:8883" */
	const char *prefix;          /* of topics: PREFIX/DEVICE/wake, PREFIX/DEVICE/presence */
	const char *ca, *cert, *key; /* PEM files; "": the system's authorities, no certificate */
	const char *user, *password; /* "": none */
	bool trusted;                /* telemetry and reports are taken, too */
};

struct broker;

/* Begins to connect, and goes on trying. Messages wait in memory meanwhile, the newest of them.
 * ERR_CONFIG. */
int broker_open(const struct broker_conf *c, struct broker **out, struct err *e) MUST_CHECK;
/* What could not be sent within a second is given up. */
void broker_close(struct broker **b);
void broker_wake(struct broker *b, const char *device);
/* `ack` is what telemetry_ack_encode made. */
void broker_ack(struct broker *b, const char *device, struct str ack);

/*  id, name in metrics, what it is */
#define BROKER_KIND_TABLE(X)                                                                       \
	X(PRESENCE, "presence", "whether the broker has a connection of the device")               \
	X(TELEMETRY, "telemetry", "a batch, as by HTTP")                                           \
	X(REPORT, "report", "a report, as by HTTP")

enum broker_kind {
#define X(id, ...) BROKER_##id,
	BROKER_KIND_TABLE(X)
#undef X
		BROKER_KIND_MAX
};
const char *broker_kind_name(enum broker_kind k);

struct broker_message {
	enum broker_kind kind;
	char device[ID_TEXT_MAX]; /* of the topic */
	struct buf body;          /* owned, bounded by its kind */
};
void broker_message_fini(struct broker_message *m);

/* Readable while messages wait. */
int broker_fd(const struct broker *b);
/* Takes the oldest, at most `max`; how many. They are the caller's. */
unsigned broker_take(struct broker *b, struct broker_message *out, unsigned max);

struct broker_view {
	bool connected;
	unsigned long long sent, failed; /* messages */
	unsigned long long heard[BROKER_KIND_MAX];
	unsigned long long dropped; /* no room, too large, or no device's */
	unsigned waiting;           /* to be taken */
};
void broker_look(struct broker *b, struct broker_view *out);

#endif
