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

#define ACKS 16 /* that wait to be taken; more than are asked for at once */

struct push {
	struct listen_ask ask; /* points into the texts below */
	char url[256], device[ID_TEXT_MAX], topic[LISTEN_TOPIC_MAX], presence[LISTEN_TOPIC_MAX];
	char acks[LISTEN_TOPIC_MAX], posts[PUSH_TOPIC_MAX][LISTEN_TOPIC_MAX];
	struct worker *worker;
	pthread_t thread;
	bool runs;
	atomic_bool cancel;
	int news, end, post;  /* eventfds: for the loop; for the thread's pauses; something waits */
	struct buf going;     /* of the thread: what is said just now */
	pthread_mutex_t lock; /* of what follows */
	struct push_view view;
	bool woken;
	struct buf out[PUSH_TOPIC_MAX]; /* empty: nothing waits */
	unsigned n_acks;
	struct telemetry_ack ack[ACKS];
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

/* Anybody at the broker may have written it: what is no ack is passed over. */
static bool take_ack(struct push *p, struct str bytes)
{
	struct telemetry_ack a;

	if (telemetry_ack_decode(bytes, &a, NULL) < 0)
		return false;
	pthread_mutex_lock(&p->lock);
	if (p->n_acks < ACKS)
		p->ack[p->n_acks++] = a;
	p->view.acks++;
	pthread_mutex_unlock(&p->lock);
	return true;
}

static void hear(void *self, enum listen_news news, struct str bytes)
{
	struct push *p = self;

	if (news == LISTEN_CONNECTED) {
		note(p, true, NULL);
		return;
	}
	if (news == LISTEN_ACK && !take_ack(p, bytes))
		return;
	if (news == LISTEN_WAKE) {
		pthread_mutex_lock(&p->lock);
		p->view.wakes++;
		p->woken = true;
		pthread_mutex_unlock(&p->lock);
	}
	/* Fails only when the counter is full, and then the descriptor is readable anyway. */
	(void)!eventfd_write(p->news, 1);
}

/* One of those that wait; it is the thread's from now on. */
static bool next_post(void *self, struct listen_post *out)
{
	struct push *p = self;
	eventfd_t ignored;
	bool any = false;

	(void)!eventfd_read(p->post, &ignored);
	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < PUSH_TOPIC_MAX && !any; i++) {
		if (p->out[i].n == 0)
			continue;
		buf_clear(&p->going);
		buf_add(&p->going, p->out[i].p, p->out[i].n);
		buf_clear(&p->out[i]);
		*out = (struct listen_post){p->posts[i], buf_str(&p->going)};
		any = true;
	}
	pthread_mutex_unlock(&p->lock);
	return any;
}

/* What was not on its way when the connection ended is posted anew by whoever waits for the ack. */
static void forget_posts(struct push *p)
{
	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < PUSH_TOPIC_MAX; i++)
		buf_clear(&p->out[i]);
	pthread_mutex_unlock(&p->lock);
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
		(void)!worker_listen(p->worker, &p->ask, hear, next_post, p, &p->cancel, &e);
		forget_posts(p);
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

static void name_topics(struct push *p, const struct push_conf *c)
{
	snprintf(p->device, sizeof p->device, "%s", c->device);
	snprintf(p->topic, sizeof p->topic, "%s/%s/wake", c->prefix, c->device);
	snprintf(p->presence, sizeof p->presence, "%s/%s/presence", c->prefix, c->device);
	if (c->posts)
		snprintf(p->acks, sizeof p->acks, TOPIC_ACK "%s", c->device);
	snprintf(p->posts[PUSH_TELEMETRY], LISTEN_TOPIC_MAX, TOPIC_TELEMETRY "%s", c->device);
	snprintf(p->posts[PUSH_REPORT], LISTEN_TOPIC_MAX, TOPIC_REPORT "%s", c->device);
}

static int open_fds(struct push *p, struct err *e)
{
	int *const fds[] = {&p->news, &p->end, &p->post};

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if ((*fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
			return err_sys(e, errno, "eventfd");
	return 0;
}

int push_open(const struct push_conf *c, struct push **out, struct err *e)
{
	struct push *p = mem_new(sizeof *p);
	int rc;

	*p = (struct push){.worker = c->worker, .news = -1, .end = -1, .post = -1};
	pthread_mutex_init(&p->lock, NULL);
	name_topics(p, c);
	rc = read_url(c->url, p->url, e);
	if (rc == 0)
		rc = open_fds(p, e);
	p->ask = (struct listen_ask){.url = p->url,
		.client = p->device,
		.topic = p->topic,
		.presence = p->presence,
		.acks = p->acks,
		.post_fd = p->post};
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
	if (p->post >= 0)
		close(p->post);
	for (unsigned i = 0; i < PUSH_TOPIC_MAX; i++)
		buf_fini(&p->out[i]);
	buf_fini(&p->going);
	pthread_mutex_destroy(&p->lock);
	mem_free(pp);
	*pp = NULL;
}

int push_fd(const struct push *p)
{
	return p->news;
}

bool push_take(struct push *p)
{
	eventfd_t ignored;
	bool woken;

	(void)!eventfd_read(p->news, &ignored);
	pthread_mutex_lock(&p->lock);
	woken = p->woken;
	p->woken = false;
	pthread_mutex_unlock(&p->lock);
	return woken;
}

bool push_post(struct push *p, enum push_topic topic, struct str bytes)
{
	bool ok;

	pthread_mutex_lock(&p->lock);
	ok = p->acks[0] && p->view.connected && p->out[topic].n == 0 && bytes.n > 0 &&
	     bytes.n <= PUSH_BYTES_MAX;
	if (ok)
		buf_add(&p->out[topic], bytes.p, bytes.n);
	pthread_mutex_unlock(&p->lock);
	if (ok)
		(void)!eventfd_write(p->post, 1);
	return ok;
}

bool push_next_ack(struct push *p, struct telemetry_ack *out)
{
	bool any;

	pthread_mutex_lock(&p->lock);
	any = p->n_acks > 0;
	if (any) {
		*out = p->ack[0];
		memmove(&p->ack[0], &p->ack[1], --p->n_acks * sizeof p->ack[0]);
	}
	pthread_mutex_unlock(&p->lock);
	return any;
}

void push_look(struct push *p, struct push_view *out)
{
	pthread_mutex_lock(&p->lock);
	*out = p->view;
	pthread_mutex_unlock(&p->lock);
}
