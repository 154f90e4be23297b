/* Whether the device reaches its server, in the way in which it asks it everything else. A machine
 * whose cable is out, or whose radio has lost the other side, is not asked: no version is to blame
 * for that. One that a version has switched its links off on, or taken the drivers of, is. */
#include <dirent.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static bool number_of(const char *dir, const char *name, const char *file, unsigned long *out)
{
	char path[PROBE_PATH_MAX + 300];
	BUF_AUTO text = {0};
	int n = snprintf(path, sizeof path, "%s/%s/%s", dir, name, file);

	if ((size_t)n >= sizeof path || probe_read(path, &text, NULL) < 0)
		return false;
	*out = strtoul(buf_cstr(&text), NULL, 0);
	return true;
}

/* A real one, and not a bridge or a tunnel, of which there may be some whatever is plugged in. */
static bool is_device(const char *dir, const char *name)
{
	char path[PROBE_PATH_MAX + 300];
	int n = snprintf(path, sizeof path, "%s/%s/device", dir, name);

	return name[0] != '.' && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

/* Is there a link that should work, and none that does? */
static bool is_unplugged(const struct probe_in *in)
{
	char dir[PROBE_PATH_MAX];
	int n = snprintf(dir, sizeof dir, "%s/class/net", in->sys);
	DIR *list = (size_t)n < sizeof dir ? opendir(dir) : NULL;
	unsigned long flags, carrier;
	bool up = false, linked = false;
	struct dirent *d;

	while (list && (d = readdir(list))) {
		if (!is_device(dir, d->d_name) || !number_of(dir, d->d_name, "flags", &flags) ||
			!(flags & IFF_UP))
			continue;
		up = true;
		linked |= number_of(dir, d->d_name, "carrier", &carrier) && carrier == 1;
	}
	if (list)
		closedir(list);
	return up && !linked;
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
	if (!reached && is_unplugged(in))
		return err_set(e, ERR_NET, "no link has a carrier");
	for (unsigned i = 0; i < n; i++) {
		v[i].out->n = 1;
		v[i].out->bad = !reached;
	}
	return 0;
}

const struct probe_source probe_server = {
	.kind = "server",
	.source = TRIG_SRC_SERVER,
	.help = "The device's own server, asked by the worker; blind while links are up and none has a carrier.",
	.memory = sizeof(struct memory),
	.look = look,
};
