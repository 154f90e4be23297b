/* The worker's process: one thread looks at the lines, and each call has a thread of its own. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/worker/worker_priv.h"

#define CALLS_MAX 8U /* at once; more than the agent has lanes */
#define PEM_MAX   ((size_t)256 * 1024)

struct serving;

struct slot {
	struct serve_call call;
	struct serving *of;
	pthread_t thread;
	bool used;
	atomic_bool ended;
};

struct serving {
	struct chan *orders;
	int wake; /* eventfd: a call has ended */
	struct http_conf http;
	struct buf ca, cert, key;
	struct serve_files files;
	struct slot slot[CALLS_MAX];
};

/* ---- one call ---- */

static int (*const serve[PRIV_VERB_MAX])(
	struct serve_call *, const struct priv_msg *, struct err *) = {
	[PRIV_GET] = serve_get,
	[PRIV_SEND] = serve_send,
	[PRIV_UNPACK] = serve_unpack,
	[PRIV_LISTEN] = serve_listen,
};

static int answer(struct serve_call *c, struct err *e)
{
	struct priv_msg ask;

	TRY(chan_hear(c->chan, &ask, e));
	if (!serve[ask.verb])
		return err_set(e, ERR_BAD_INPUT, "nothing begins with \"%s\"", priv_name(ask.verb));
	return serve[ask.verb](c, &ask, e);
}

/* Nobody is told of what can no longer be said. */
static void confess(struct serve_call *c, const struct err *why)
{
	char text[sizeof why->text];
	struct priv_msg m = {.verb = PRIV_FAIL, .num = {why->code}};
	struct err ignored;

	str_printable(str_of(why->text), text, sizeof text);
	m.text[0] = str_of(text);
	(void)!chan_say(c->chan, &m, &ignored);
}

static void *run_call(void *arg)
{
	struct slot *s = arg;
	struct err e = {0};

	if (answer(&s->call, &e) < 0)
		confess(&s->call, &e);
	atomic_store(&s->ended, true);
	/* Fails only when the counter is full, and then the descriptor is readable anyway. */
	(void)!eventfd_write(s->of->wake, 1);
	return NULL;
}

/* ---- all calls ---- */

static struct slot *free_slot(struct serving *v)
{
	for (unsigned i = 0; i < CALLS_MAX; i++)
		if (!v->slot[i].used)
			return &v->slot[i];
	return NULL;
}

/* A line that no thread can be had for is closed: the installer sees a worker that is gone. */
static int begin_call(struct serving *v, struct err *e)
{
	struct slot *s = free_slot(v);
	int fd;

	TRY(chan_take(v->orders, &fd, e));
	if (!s) {
		close(fd);
		return 0;
	}
	atomic_store(&s->call.cancel, false);
	atomic_store(&s->ended, false);
	s->of = v;
	s->call.http = &v->http;
	s->call.files = &v->files;
	s->call.chan = chan_open(fd, PRIV_WORKER, &s->call.cancel);
	s->used = pthread_create(&s->thread, NULL, run_call, s) == 0;
	if (!s->used)
		chan_close(&s->call.chan);
	return 0;
}

/* At rest the worker gives back what the work before has left. */
static void end_calls(struct serving *v)
{
	eventfd_t ignored;
	bool any = false;

	(void)!eventfd_read(v->wake, &ignored);
	for (unsigned i = 0; i < CALLS_MAX; i++) {
		struct slot *s = &v->slot[i];

		if (s->used && atomic_load(&s->ended)) {
			pthread_join(s->thread, NULL);
			chan_close(&s->call.chan);
			s->used = false;
		}
		any |= s->used;
	}
	if (!any)
		malloc_trim(0);
}

enum { AT_ORDERS, AT_WAKE, AT_CALLS };

/* Of a call only its hanging up is looked for, and only once. */
static void gather(struct serving *v, struct pollfd p[AT_CALLS + CALLS_MAX])
{
	p[AT_ORDERS] = (struct pollfd){.fd = chan_fd(v->orders), .events = POLLIN};
	p[AT_WAKE] = (struct pollfd){.fd = v->wake, .events = POLLIN};
	for (unsigned i = 0; i < CALLS_MAX; i++) {
		struct slot *s = &v->slot[i];
		bool look = s->used && !atomic_load(&s->call.cancel);

		p[AT_CALLS + i] = (struct pollfd){.fd = look ? chan_fd(s->call.chan) : -1};
	}
}

static int look_once(struct serving *v, struct err *e)
{
	struct pollfd p[AT_CALLS + CALLS_MAX];

	gather(v, p);
	if (poll(p, ARRAY_LEN(p), -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, errno, "poll");
	for (unsigned i = 0; i < CALLS_MAX; i++)
		if (p[AT_CALLS + i].revents)
			atomic_store(&v->slot[i].call.cancel, true);
	if (p[AT_WAKE].revents)
		end_calls(v);
	return p[AT_ORDERS].revents ? begin_call(v, e) : 0;
}

/* ---- the beginning ---- */

static int read_all(int fd, struct buf *out, const char *path, struct err *e)
{
	ssize_t n = 1;

	while (n > 0 && out->n < PEM_MAX) {
		n = read(fd, buf_reserve(out, PEM_MAX), PEM_MAX - out->n);
		out->n += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? err_sys(e, errno, "%s", path) : 0;
}

/* The files come open: this process may not be one that could open them. */
static int read_pem(
	struct serving *v, const char *path, struct buf *out, struct str *out_pem, struct err *e)
{
	int fd;

	if (path[0] == '\0')
		return 0;
	TRY(chan_take(v->orders, &fd, e));
	int rc = read_all(fd, out, path, e);

	close(fd);
	TRY(rc);
	if (out->n == 0 || out->n == PEM_MAX)
		return err_set(e, ERR_CONFIG, "%s: empty, or too large", path);
	*out_pem = buf_str(out);
	return 0;
}

/* Open for ever, and reached by its number: no file of the machine is opened later. */
static int keep_file(struct str pem, char path[32], struct err *e)
{
	int fd;

	if (pem.n == 0)
		return 0;
	fd = memfd_create("pem", MFD_CLOEXEC);
	if (fd < 0 || write(fd, pem.p, pem.n) != (ssize_t)pem.n)
		return err_sys(e, errno, "memory for a certificate");
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return 0;
}

static int read_identity(struct serving *v, const struct priv_msg *m, struct err *e)
{
	struct http_conf *h = &v->http;
	char *const to[] = {h->ca_file, h->cert_file, h->key_file, h->proxy, h->bearer,
		h->user_agent, h->no_proxy};
	const size_t cap[] = {sizeof h->ca_file, sizeof h->cert_file, sizeof h->key_file,
		sizeof h->proxy, sizeof h->bearer, sizeof h->user_agent, sizeof h->no_proxy};

	for (unsigned i = 0; i < ARRAY_LEN(to); i++)
		TRY(str_copy(m->text[i], to[i], cap[i], e));
	h->built_s = (int64_t)m->num[2];
	h->max_rate = m->num[3];
	TRY(read_pem(v, h->ca_file, &v->ca, &h->ca_pem, e));
	TRY(read_pem(v, h->cert_file, &v->cert, &h->cert_pem, e));
	TRY(read_pem(v, h->key_file, &v->key, &h->key_pem, e));
	TRY(keep_file(h->ca_pem, v->files.ca, e));
	TRY(keep_file(h->cert_pem, v->files.cert, e));
	TRY(keep_file(h->key_pem, v->files.key, e));
	h->ca_file[0] = h->cert_file[0] = h->key_file[0] = '\0';
	return 0;
}

static int set_up(struct serving *v, struct err *e)
{
	struct priv_msg m;
	unsigned landlock;

	TRY(chan_hear(v->orders, &m, e));
	if (m.verb != PRIV_SETUP)
		return err_set(e, ERR_BAD_INPUT, "no setup, but \"%s\"", priv_name(m.verb));
	unsigned uid = (unsigned)m.num[0], gid = (unsigned)m.num[1];
	TRY(read_identity(v, &m, e));
	v->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->wake < 0)
		return err_sys(e, errno, "eventfd");
	TRY(confine(uid, gid, &landlock, e));
	return chan_say(v->orders, &(struct priv_msg){.verb = PRIV_READY, .num = {landlock}}, e);
}

/* Returns when the installer is gone; what still runs ends with the process. */
int serve_run(int fd, struct err *e)
{
	struct serving *v = mem_new(sizeof *v);
	int rc;

	memset(v, 0, sizeof *v);
	(void)!prctl(PR_SET_NAME, "backstay-worker", 0, 0, 0); /* for people who list processes */
	v->orders = chan_open(fd, PRIV_WORKER, NULL);
	rc = set_up(v, e);
	if (rc < 0) {
		struct serve_call told = {.chan = v->orders};

		confess(&told, e);
		return rc;
	}
	while (rc == 0)
		rc = look_once(v, e);
	return rc == -(int)ERR_WORKER ? 0 : rc;
}
