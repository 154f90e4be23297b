/* Which topics the server hears, and whose a message is. Pure. */
#ifndef SERVER_BROKER_TOPIC_H
#define SERVER_BROKER_TOPIC_H

#include "server/broker/broker.h"

#define TOPIC_TEXT 192 /* bytes of a topic or filter of ours, with NUL */

/* The filter to subscribe with. Telemetry and reports are shared: a broker gives each message to
 * one of those who subscribe so. Presence is not, because a broker gives what it has retained to
 * no shared subscription (MQTT 5.0, 4.8.2). */
int topic_filter(
	enum broker_kind kind, const char *prefix, char out[TOPIC_TEXT], struct err *e) MUST_CHECK;

/* False when it is no topic of ours, or its device has no name that could be one. */
bool topic_read(struct str topic, const char *prefix, enum broker_kind *out_kind,
	char out_device[ID_TEXT_MAX]);

#endif
