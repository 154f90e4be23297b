#include "agent/net/lease_ask.h"

#include <stdio.h>

#include "proto/wire/routes.h"

int lease_ask_send(const struct http_conf *http, const char *server, const char *device,
	const struct lease_ask *ask, const atomic_bool *cancel, struct lease_answer *out,
	struct err *e)
{
	const char *const args[] = {device};
	struct http_answer answer = {0};
	char path[256], url[512];
	BUF_AUTO body = {0};

	TRY(route_format(ROUTE_LEASE, args, path, sizeof path, e));
	snprintf(url, sizeof url, "%s%s", server, path);
	lease_ask_encode(ask, &body);
	int rc =
		http_send(http, "POST", url, buf_str(&body), LIMIT_LEASE_BYTES, cancel, &answer, e);

	if (rc == 0)
		rc = http_check(&answer, "lease", e);
	if (rc == 0)
		rc = lease_answer_decode(buf_str(&answer.body), out, e);
	http_answer_fini(&answer);
	return rc;
}
