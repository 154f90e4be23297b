/* Whether the device reaches its server, in the way in which it asks it everything else. */
#include <stdio.h>

#include "agent/probe/probe_priv.h"

#define EVERY   SEC(10) /* from question to question: nobody is flooded by it */
#define TIMEOUT SEC(3)

struct memory {
	bool known;
	ms_t asked;
};

/* Whatever it answers, it was reached. */
static bool is_reached(const struct probe_in *in)
{
	struct http_conf http = *in->http;
	struct http_answer answer = {0};
	char url[512];
	struct err e;
	int rc;

	http.connect_timeout = http.total_timeout = TIMEOUT;
	snprintf(url, sizeof url, "%s/healthz", in->server_url);
	rc = http_get(&http, url, NULL, HTTP_ERROR_BODY_MAX, NULL, &answer, &e);
	http_answer_fini(&answer);
	return rc == 0;
}

static int look(
	const struct probe_in *in, struct probe_rule *v, unsigned n, bool first, struct err *e)
{
	struct memory *m = v[0].memory;
	bool reached;

	(void)first;
	if (!in->http || !in->server_url || !in->server_url[0])
		return err_set(e, ERR_CONFIG, "no server is configured");
	if (m->known && v[0].out->at - m->asked < EVERY)
		return 0;
	*m = (struct memory){.known = true, .asked = v[0].out->at};
	reached = is_reached(in);
	for (unsigned i = 0; i < n; i++) {
		v[i].out->n = 1;
		v[i].out->bad = !reached;
	}
	return 0;
}

const struct probe_source probe_server = {
	.kind = "server",
	.source = TRIG_SRC_SERVER,
	.help = "The device's own server, asked by the worker.",
	.memory = sizeof(struct memory),
	.look = look,
};
