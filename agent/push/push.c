#include "agent/push/push.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/core/backoff.h"
#include "lib/prng.h"
#include "lib/sys/log.h"

#define WAIT_MAX MINUTE(1) /* between two tries: a broker that is back is worth more than that */

struct push {
	struct listen_ask ask; /* points into the texts below */
	char url[256], device[ID_TEXT_MAX], topic[LISTEN_TOPIC_MAX], presence[LISTEN_TOPIC_MAX];
	struct worker *worker;
	pthread_t thread;
	bool runs;
	atomic_bool cancel;
	int news, end; /* eventfds: for the loop; for the thread's pauses */
	pthread_mutex_t lock;
	struct push_view view;
};

/* "mqtt" and "mqtts" are what people write, "tcp" and "ssl" what the library takes. */
static int read_url(const char *url, char out[256], struct err *e)
{
	static const struct {
		const char *is, *becomes;
	} schemes[] = {{"mqtt://", "tcp://"}, {"mqtts://", "ssl://"}};

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t n = strlen(schemes[i].is);

		if (strncmp(url, schemes[i].is, n) != 0 || !url[n])
			continue;
		if (snprintf(out, 256, "%s%s", schemes[i].becomes, url + n) >= 256)
			return err_set(e, ERR_CONFIG, "mqtt.url is too long");
		return 0;
	}
	return err_set(e, ERR_CONFIG, "mqtt.url: '%s' is neither mqtt:// nor mqtts://", url);
}

static void note(struct push *p, bool connected, const struct err *why)
{
	pthread_mutex_lock(&p->lock);
	if (connected && !p->view.connected)
		log_ev(LOG_ID_PUSH, "broker=%s", p->url);
	p->view.connected = connected;
	if (why && why->code != p->view.last.code)
		log_err(LOG_ID_PUSH_LOST, why, "broker=%s", p->url);
	p->view.last = why ? *why : (struct err){0};
	pthread_mutex_unlock(&p->lock);
}

static void hear(void *self, enum listen_news news)
{
	struct push *p = self;

	if (news == LISTEN_CONNECTED) {
		note(p, true, NULL);
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->view.wakes++;
	pthread_mutex_unlock(&p->lock);
	/* Fails only when the counter is full, and then the descriptor is readable anyway. */
	(void)!eventfd_write(p->news, 1);
}

static void pause_for(struct push *p, ms_t span)
{
	struct pollfd end = {.fd = p->end, .events = POLLIN};

	(void)!poll(&end, 1, (int)span);
}

static void *run(void *self)
{
	struct push *p = self;
	struct prng random = {hash64((uint64_t)getpid(), p->device, strlen(p->device))};

	for (uint32_t tries = 1; !atomic_load(&p->cancel); tries++) {
		struct err e = {0};

		/* The next life shows the identity of now. */
		(void)worker_refresh(p->worker);
		(void)!worker_listen(p->worker, &p->ask, hear, p, &p->cancel, &e);
		if (p->view.connected)
			tries = 1;
		if (!atomic_load(&p->cancel)) {
			note(p, false, &e);
			pause_for(p, MIN(WAIT_MAX, backoff_wait(ERR_RETRY_SOON, tries,
							   prng_next(&random), 0)));
		}
	}
	return NULL;
}

int push_open(const struct push_conf *c, struct push **out, struct err *e)
{
	struct push *p = mem_new(sizeof *p);
	int rc;

	*p = (struct push){.worker = c->worker, .news = -1, .end = -1};
	pthread_mutex_init(&p->lock, NULL);
	snprintf(p->device, sizeof p->device, "%s", c->device);
	snprintf(p->topic, sizeof p->topic, "%s/%s/wake", c->prefix, c->device);
	snprintf(p->presence, sizeof p->presence, "%s/%s/presence", c->prefix, c->device);
	p->ask = (struct listen_ask){p->url, p->device, p->topic, p->presence};
	rc = read_url(c->url, p->url, e);
	if (rc == 0 && ((p->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0 ||
			       (p->end = eventfd(0, EFD_CLOEXEC)) < 0))
		rc = err_sys(e, errno, "eventfd");
	if (rc == 0 && (errno = pthread_create(&p->thread, NULL, run, p)) != 0)
		rc = err_sys(e, errno, "thread");
	p->runs = rc == 0;
	if (rc < 0)
		push_close(&p);
	else
		*out = p;
	return rc;
}

void push_close(struct push **pp)
{
	struct push *p = *pp;

	if (!p)
		return;
	if (p->runs) {
		atomic_store(&p->cancel, true);
		(void)!eventfd_write(p->end, 1);
		pthread_join(p->thread, NULL);
	}
	worker_free(&p->worker);
	if (p->news >= 0)
		close(p->news);
	if (p->end >= 0)
		close(p->end);
	pthread_mutex_destroy(&p->lock);
	mem_free(pp);
	*pp = NULL;
}

int push_fd(const struct push *p)
{
	return p->news;
}

void push_take(struct push *p)
{
	eventfd_t ignored;

	(void)!eventfd_read(p->news, &ignored);
}

void push_look(struct push *p, struct push_view *out)
{
	pthread_mutex_lock(&p->lock);
	*out = p->view;
	pthread_mutex_unlock(&p->lock);
}
