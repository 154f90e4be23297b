/* The worker's side: one connection to an MQTT broker. What is in a message is not looked at: of
 * one on the topic of acks the bytes are handed on, of any other only that it came. */
#include <MQTTAsync.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/worker/worker_priv.h"

#define KEEP_ALIVE 30 /* seconds */
#define PATIENCE   10 /* seconds for connecting, and for leaving (ms: times 1000) */
#define LEAVE_MS   1000
#define AT_ONCE    8
#define ACKS       8 /* that wait to be handed on; more than are asked for at once */
#define QOS        1
#define ONLINE     "online"
#define OFFLINE    "offline"

struct ear {
	MQTTAsync client;
	int version; /* of the protocol, for this attempt */
	char url[256], name[64], topic[128], presence[128], acks[128];
	int news; /* eventfd: look at the flags */
	atomic_bool connected, acknowledged, ended;
	atomic_uint heard;
	_Atomic(const char *) why;
	pthread_mutex_t lock; /* of what follows */
	unsigned n_acks;
	struct {
		size_t n;
		char bytes[LIMIT_TELEMETRY_ACK];
	} ack[ACKS];
};

static void look(struct ear *r)
{
	(void)!eventfd_write(r->news, 1);
}

static void end(struct ear *r, const char *why)
{
	atomic_store(&r->why, why);
	atomic_store(&r->ended, true);
	look(r);
}

/* ---- the library's callbacks, in its threads ---- */

static void on_lost(void *self, char *cause UNUSED)
{
	end(self, "the connection was lost");
}

/* What there is no room for is lost, as any message may be. */
static void keep_ack(struct ear *r, const MQTTAsync_message *m)
{
	pthread_mutex_lock(&r->lock);
	if (m->payloadlen > 0 && (size_t)m->payloadlen <= sizeof r->ack[0].bytes &&
		r->n_acks < ACKS) {
		r->ack[r->n_acks].n = (size_t)m->payloadlen;
		memcpy(r->ack[r->n_acks++].bytes, m->payload, (size_t)m->payloadlen);
	}
	pthread_mutex_unlock(&r->lock);
}

/* The length of a topic need not be given where there is no NUL in it. */
static int on_message(void *self, char *topic, int n, MQTTAsync_message *m)
{
	struct ear *r = self;

	struct str at = {topic, n > 0 ? (size_t)n : strlen(topic)};

	if (r->acks[0] && str_is(at, r->acks))
		keep_ack(r, m);
	else
		atomic_fetch_add(&r->heard, 1);
	MQTTAsync_freeMessage(&m);
	MQTTAsync_free(topic);
	look(r);
	return 1;
}

static void on_connected(void *self, MQTTAsync_successData *d UNUSED)
{
	struct ear *r = self;

	atomic_store(&r->connected, true);
	look(r);
}

static void on_connected5(void *self, MQTTAsync_successData5 *d UNUSED)
{
	on_connected(self, NULL);
}

static void on_refused(void *self, MQTTAsync_failureData *d)
{
	end(self, d && d->code > 0 ? "the broker refuses" : "no connection");
}

static void on_refused5(void *self, MQTTAsync_failureData5 *d)
{
	end(self, d && d->reasonCode > 0 ? "the broker refuses" : "no connection");
}

static void on_acknowledged(void *self, MQTTAsync_successData *d UNUSED)
{
	struct ear *r = self;

	atomic_store(&r->acknowledged, true);
	look(r);
}

static void on_acknowledged5(void *self, MQTTAsync_successData5 *d UNUSED)
{
	on_acknowledged(self, NULL);
}

/* ---- what is asked of it ---- */

static int check(int rc, const char *what, struct err *e)
{
	if (rc == MQTTASYNC_SUCCESS)
		return 0;
	return err_set(e, ERR_NET, "%s: %s", what, MQTTAsync_strerror(rc));
}

static int create(struct ear *r, int version, struct err *e)
{
	MQTTAsync_createOptions o = MQTTAsync_createOptions_initializer;

	o.MQTTVersion = version;
	TRY(check(MQTTAsync_createWithOptions(
			  &r->client, r->url, r->name, MQTTCLIENT_PERSISTENCE_NONE, NULL, &o),
		"broker", e));
	return check(MQTTAsync_setCallbacks(r->client, r, on_lost, on_message, NULL), "broker", e);
}

static void fill_ssl(const struct serve_call *c, MQTTAsync_SSLOptions *s)
{
	const struct serve_files *f = c->files;

	s->trustStore = f->ca[0] ? f->ca : NULL;
	s->CApath = f->ca[0] ? NULL : "/etc/ssl/certs";
	s->keyStore = f->cert[0] ? f->cert : NULL;
	s->privateKey = f->key[0] ? f->key : NULL;
	s->enableServerCertAuth = 1;
	s->verify = 1;
	s->sslVersion = MQTT_SSL_VERSION_TLS_1_2;
}

static int connect_to(struct ear *r, const struct serve_call *c, int version, struct err *e)
{
	MQTTAsync_connectOptions o = MQTTAsync_connectOptions_initializer;
	MQTTAsync_connectOptions o5 = MQTTAsync_connectOptions_initializer5;
	MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
	MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;

	if (version == MQTTVERSION_5) {
		o = o5;
		o.cleanstart = 1;
		o.onSuccess5 = on_connected5;
		o.onFailure5 = on_refused5;
	} else {
		o.MQTTVersion = MQTTVERSION_3_1_1;
		o.cleansession = 1;
		o.onSuccess = on_connected;
		o.onFailure = on_refused;
	}
	will.topicName = r->presence;
	will.message = OFFLINE;
	will.retained = 1;
	will.qos = QOS;
	fill_ssl(c, &ssl);
	o.context = r;
	o.keepAliveInterval = KEEP_ALIVE;
	o.connectTimeout = PATIENCE;
	o.maxInflight = AT_ONCE;
	o.will = &will;
	o.ssl = strncmp(r->url, "ssl://", 6) == 0 ? &ssl : NULL;
	return check(MQTTAsync_connect(r->client, &o), "connecting", e);
}

static int subscribe(struct ear *r, struct err *e)
{
	MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;

	o.context = r;
	if (r->version == MQTTVERSION_5) {
		o.onSuccess5 = on_acknowledged5;
		o.onFailure5 = on_refused5;
	} else {
		o.onSuccess = on_acknowledged;
		o.onFailure = on_refused;
	}
	return check(MQTTAsync_subscribe(r->client, r->topic, QOS, &o), "subscribing", e);
}

/* Nothing depends on it: without acks the installer takes the other way. */
static void subscribe_acks(struct ear *r)
{
	MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;

	if (r->acks[0])
		(void)!MQTTAsync_subscribe(r->client, r->acks, QOS, &o);
}

/* Nor on whether it arrives. */
static void post(struct ear *r, const struct priv_msg *m)
{
	MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;
	char topic[128];

	if (str_copy(m->text[0], topic, sizeof topic, NULL) == 0)
		(void)!MQTTAsync_send(r->client, topic, (int)m->bytes.n, m->bytes.p, QOS, 0, &o);
}

static int say_presence(
	struct ear *r, const char *what, MQTTAsync_responseOptions *o, struct err *e)
{
	return check(MQTTAsync_send(r->client, r->presence, (int)strlen(what), what, QOS, 1, o),
		"presence", e);
}

static int appear(struct ear *r, struct err *e)
{
	MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;

	return say_presence(r, ONLINE, &o, e);
}

/* Whoever leaves in order has no last will carried out, and says so himself. One that is killed
 * before it was heard has left without order. */
static void leave(struct ear *r)
{
	MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;
	struct pollfd p = {.fd = r->news, .events = POLLIN};
	eventfd_t ignored;
	struct err e;

	o.context = r;
	if (r->version == MQTTVERSION_5)
		o.onSuccess5 = on_acknowledged5;
	else
		o.onSuccess = on_acknowledged;
	atomic_store(&r->acknowledged, false);
	if (say_presence(r, OFFLINE, &o, &e) < 0)
		return;
	while (!atomic_load(&r->acknowledged) && !atomic_load(&r->ended) &&
		poll(&p, 1, LEAVE_MS) > 0)
		(void)!eventfd_read(r->news, &ignored);
}

/* ---- the call ---- */

static int take_order(struct ear *r, struct serve_call *c, struct err *e)
{
	struct priv_msg m;

	if (atomic_load(&c->cancel) || chan_hear(c->chan, &m, e) < 0)
		return err_set(e, ERR_CANCELLED, "hung up");
	if (m.verb != PRIV_POST)
		return err_set(e, ERR_BAD_INPUT, "\"%s\" while it listens", priv_name(m.verb));
	post(r, &m);
	return 0;
}

/* Something has changed, or the installer has something to say, or has hung up. */
static int wait_for_news(struct ear *r, struct serve_call *c, struct err *e)
{
	struct pollfd p[] = {
		{.fd = r->news, .events = POLLIN}, {.fd = chan_fd(c->chan), .events = POLLIN}};
	eventfd_t ignored;

	if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
		return err_sys(e, errno, "poll");
	if (p[1].revents || atomic_load(&c->cancel))
		TRY(take_order(r, c, e));
	(void)!eventfd_read(r->news, &ignored);
	if (atomic_load(&r->ended))
		return err_set(e, ERR_NET, "broker: %s", atomic_load(&r->why));
	return 0;
}

static int wait_until(struct ear *r, const atomic_bool *flag, struct serve_call *c, struct err *e)
{
	while (!atomic_load(flag))
		TRY(wait_for_news(r, c, e));
	return 0;
}

static int say(struct serve_call *c, enum listen_news news, struct err *e)
{
	struct priv_msg m = {.verb = PRIV_WAKE, .num = {news == LISTEN_WAKE}};

	return chan_say(c->chan, &m, e);
}

static int hand_on(struct ear *r, struct serve_call *c, struct err *e)
{
	struct priv_msg m = {.verb = PRIV_ACK};
	char bytes[LIMIT_TELEMETRY_ACK];

	for (;;) {
		pthread_mutex_lock(&r->lock);
		m.bytes = (struct str){bytes, r->n_acks ? r->ack[0].n : 0};
		memcpy(bytes, r->ack[0].bytes, m.bytes.n);
		if (r->n_acks)
			memmove(&r->ack[0], &r->ack[1], --r->n_acks * sizeof r->ack[0]);
		pthread_mutex_unlock(&r->lock);
		if (m.bytes.n == 0)
			return 0;
		TRY(chan_say(c->chan, &m, e));
	}
}

/* Many wakes that came together are one. */
static int listen_to(struct ear *r, struct serve_call *c, struct err *e)
{
	TRY(wait_until(r, &r->connected, c, e));
	TRY(subscribe(r, e));
	TRY(wait_until(r, &r->acknowledged, c, e));
	subscribe_acks(r);
	TRY(appear(r, e));
	TRY(say(c, LISTEN_CONNECTED, e));
	for (;;) {
		if (atomic_exchange(&r->heard, 0))
			TRY(say(c, LISTEN_WAKE, e));
		TRY(hand_on(r, c, e));
		TRY(wait_for_news(r, c, e));
	}
}

static int attempt(struct ear *r, struct serve_call *c, int version, struct err *e)
{
	r->version = version;
	atomic_store(&r->ended, false);
	int rc = create(r, version, e);

	if (rc == 0)
		rc = connect_to(r, c, version, e);
	if (rc == 0)
		rc = listen_to(r, c, e);
	if (atomic_load(&r->connected) && !atomic_load(&r->ended))
		leave(r);
	MQTTAsync_destroy(&r->client);
	return rc;
}

static int fill(struct ear *r, const struct priv_msg *ask, struct err *e)
{
	TRY(str_copy(ask->text[0], r->url, sizeof r->url, e));
	TRY(str_copy(ask->text[1], r->name, sizeof r->name, e));
	TRY(str_copy(ask->text[2], r->topic, sizeof r->topic, e));
	TRY(str_copy(ask->text[3], r->presence, sizeof r->presence, e));
	return str_copy(ask->text[4], r->acks, sizeof r->acks, e);
}

/* MQTT 5, and 3.1.1 for a broker that does not speak it. */
int serve_listen(struct serve_call *c, const struct priv_msg *ask, struct err *e)
{
	struct ear r = {
		.news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .lock = PTHREAD_MUTEX_INITIALIZER};

	if (r.news < 0)
		return err_sys(e, errno, "eventfd");
	int rc = fill(&r, ask, e);

	if (rc == 0)
		rc = attempt(&r, c, MQTTVERSION_5, e);
	if (rc == -(int)ERR_NET && !atomic_load(&r.connected))
		rc = attempt(&r, c, MQTTVERSION_3_1_1, e);
	close(r.news);
	return rc;
}
