/* A batch of telemetry goes to the server by HTTP. */
#ifndef AGENT_TELE_TELEMETRY_SEND_H
#define AGENT_TELE_TELEMETRY_SEND_H

#include "agent/net/http.h"
#include "proto/wire/telemetry.h"

/* `server` is its URL without a slash at the end. 0: *out is what it has now. *out_retry_after is
 * the pause that it asked for (0: none), on failure, too. ERR_NOT_FOUND: it takes no telemetry, or
 * does not know the device. Besides: what http_send and http_check say. */
int telemetry_send(const struct http_conf *http, const char *server, const char *device,
	struct str batch, const atomic_bool *cancel, struct telemetry_ack *out,
	ms_t *out_retry_after, struct err *e) MUST_CHECK;

#endif
