#include "agent/tele/telemetry_send.h"

#include <stdio.h>

#include "proto/wire/routes.h"

int telemetry_send(const struct http_conf *http, const char *server, const char *device,
	struct str batch, const atomic_bool *cancel, struct telemetry_ack *out,
	ms_t *out_retry_after, struct err *e)
{
	struct http_answer answer = {0};
	const char *const args[] = {device};
	char path[256], url[512];
	int n, rc;

	*out_retry_after = 0;
	TRY(route_format(ROUTE_TELEMETRY, args, path, sizeof path, e));
	n = snprintf(url, sizeof url, "%s%s", server, path);
	if (n >= (int)sizeof url)
		return err_set(e, ERR_CONFIG, "the server's URL is too long");
	rc = http_send(http, "POST", url, batch, LIMIT_TELEMETRY_ACK, cancel, &answer, e);
	*out_retry_after = answer.retry_after;
	if (rc == 0)
		rc = http_check(&answer, "telemetry", e);
	if (rc == 0 && telemetry_ack_decode(buf_str(&answer.body), out, e) < 0) {
		/* Somebody between answers: no reason to give the batch up. */
		e->code = ERR_NET;
		rc = -(int)ERR_NET;
	}
	http_answer_fini(&answer);
	return rc;
}
