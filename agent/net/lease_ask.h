/* Asking the server for a disruption lease. */
#ifndef AGENT_NET_LEASE_ASK_H
#define AGENT_NET_LEASE_ASK_H

#include "agent/net/http.h"
#include "proto/wire/lease.h"

/* `server` is its URL without a slash at the end. The server's refusal as a typed error; ERR_NET
 * and the others of http_send when it cannot be asked; ERR_NOT_FOUND from one that knows no
 * leases. */
int lease_ask_send(const struct http_conf *http, const char *server, const char *device,
	const struct lease_ask *ask, const atomic_bool *cancel, struct lease_answer *out,
	struct err *e) MUST_CHECK;

#endif
