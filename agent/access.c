#include "agent/access.h"

#include <stdio.h>
#include <string.h>

#include "agent/account.h"
#include "agent/ident/ident.h"
#include "agent/version.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"

#define ANSWER_MAX ((size_t)16 * 1024) /* a certificate in PKCS#7 and base64 */

struct access {
	const struct agent_conf *conf;
	struct worker *worker;
	struct http_conf http; /* asks through the worker */
	struct account user;   /* whom workers become */
	struct ident *ident;   /* NULL: none of its own */
	bool stale;            /* the worker shows an identity that was replaced */
};

/* ---- workers ---- */

/* The program itself, even when its file was replaced meanwhile. */
static struct worker *start_worker(const struct access *a, const struct http_conf *http)
{
	static const char *const argv[] = {"backstay-agent", "--worker", NULL};
	struct worker_conf conf = {.program = "/proc/self/exe",
		.argv = argv,
		.http = *http,
		.server = a->conf->server.url,
		.uid = a->user.uid,
		.gid = a->user.gid,
		.socket = a->conf->agent.worker_socket};

	return worker_new(&conf);
}

static void fill_http(const struct agent_conf *c, struct http_conf *h)
{
	memcpy(h->ca_file, c->server.ca, sizeof(h->ca_file));
	memcpy(h->cert_file, c->server.cert, sizeof(h->cert_file));
	memcpy(h->key_file, c->server.key, sizeof(h->key_file));
	memcpy(h->proxy, c->net.proxy, sizeof(h->proxy));
	memcpy(h->no_proxy, c->net.no_proxy, sizeof(h->no_proxy));
	h->max_rate = c->net.max_rate;
	memcpy(h->bearer, c->server.token, sizeof(h->bearer));
	snprintf(h->user_agent, sizeof(h->user_agent), "backstay-agent/%s", AGENT_VERSION);
	h->connect_timeout = c->net.connect_timeout;
	h->total_timeout = c->net.total_timeout;
	h->low_speed = c->net.low_speed;
	h->low_speed_s = (unsigned)(c->net.low_speed_time / SEC(1));
	h->built_s = AGENT_BUILT_S;
}

/* ---- the identity ---- */

static int fill_identity(const struct agent_conf *c, struct http_conf *h, struct err *e)
{
	BUF_AUTO path = {0};

	buf_addf(&path, "%s/" IDENT_FILE, c->agent.home);
	if (str_copy(buf_str(&path), h->cert_file, sizeof(h->cert_file), e) < 0)
		return err_wrap(e, "agent.home");
	memcpy(h->key_file, h->cert_file, sizeof(h->key_file));
	return 0;
}

/* A worker for one question: towards the server it is somebody else than the one that stays. */
static int ident_send(void *self, const struct ident_ask *q, struct http_answer *out, struct err *e)
{
	struct access *a = self;
	struct http_conf http = {.bearer = ""};
	char url[512];

	fill_http(a->conf, &http);
	http.bearer[0] = '\0';
	if (q->with_identity)
		TRY(fill_identity(a->conf, &http, e));
	else
		TRY(str_copy(str_of(q->token), http.bearer, sizeof(http.bearer), e));
	snprintf(http.content_type, sizeof(http.content_type), "application/pkcs10");
	snprintf(url, sizeof(url), "%s%s", a->conf->server.url, q->path);
	struct worker *w CLEANUP(worker_free) = start_worker(a, &http);

	http.via = worker_via(w);
	return http_send(&http, "POST", url, q->body, ANSWER_MAX, q->cancel, out, e);
}

/* A device whose certificate is brought by somebody else has no identity of its own; nor has one
 * that never was invited. */
static int open_identity(struct access *a, struct fs *home, struct err *e)
{
	const struct agent_conf *c = a->conf;
	struct ident_conf conf = {.fs = home,
		.device = c->device.id,
		.token_file = c->identity.token_file,
		.send = ident_send,
		.self = a};
	struct fs_stat st;

	if (c->server.cert[0] || !c->server.url[0])
		return 0;
	TRY(home->ops->stat(home, IDENT_FILE, &st, e));
	if (!c->identity.token_file[0] && st.kind == FS_NONE)
		return 0;
	TRY(ident_open(&conf, &a->ident, e));
	return fill_identity(c, &a->http, e);
}

static void tell(struct access *a, const struct ident_news *news)
{
	if (news->changed)
		log_ev(LOG_ID_IDENTITY, "device=%s server=%s", a->conf->device.id,
			a->conf->server.url);
	if (news->trouble.code != ERR_OK)
		log_err(LOG_ID_IDENTITY_FAILED, &news->trouble, "server=%s", a->conf->server.url);
}

/* The worker has read the identity when it began. While it lays out an artifact it is left alone:
 * the certificate that it shows is still good. */
int access_ready(struct access *a, const atomic_bool *cancel, struct err *e)
{
	struct ident_news news;

	if (!a->ident)
		return 0;
	TRY(ident_keep(
		a->ident, clock_system.wall(NULL), clock_system.mono(NULL), cancel, &news, e));
	tell(a, &news);
	a->stale = a->stale || news.changed;
	if (a->stale && worker_refresh(a->worker))
		a->stale = false;
	return 0;
}

void access_heard(struct access *a, int rc, const struct err *e)
{
	if (a->ident && rc == -ERR_EXPIRED && e->code == ERR_EXPIRED)
		ident_has_ended(a->ident);
}

/* ---- life ---- */

static int open_all(struct access *a, struct fs *home, struct err *e)
{
	fill_http(a->conf, &a->http);
	TRY(account_of_worker(a->conf->agent.worker_user, &a->user, e));
	TRY(open_identity(a, home, e));
	a->worker = start_worker(a, &a->http);
	a->http.via = worker_via(a->worker);
	return 0;
}

int access_open(const struct agent_conf *conf, struct fs *home, struct access **out, struct err *e)
{
	struct access *a = mem_new(sizeof(*a));

	a->conf = conf;
	int rc = open_all(a, home, e);

	if (rc < 0)
		access_close(&a);
	else
		*out = a;
	return rc;
}

void access_close(struct access **a)
{
	if (*a) {
		worker_free(&(*a)->worker);
		ident_close(&(*a)->ident);
	}
	mem_free(a);
}

const struct http_conf *access_http(const struct access *a)
{
	return &a->http;
}

struct worker *access_worker(const struct access *a)
{
	return a->worker;
}

struct worker *access_new_worker(const struct access *a)
{
	return start_worker(a, &a->http);
}
