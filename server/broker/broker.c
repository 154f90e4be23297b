#include "server/broker/broker.h"

#include <MQTTAsync.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/log.h"
#include "proto/wire/limits.h"
#include "proto/wire/telemetry.h"
#include "server/broker/inbox.h"
#include "server/broker/topic.h"

#define KEEP_ALIVE  30 /* seconds */
#define PATIENCE    10
#define PAUSE_MIN   1
#define PAUSE_MAX   30
#define WAITING_MAX 20000 /* messages; the oldest are dropped: devices poll */
#define AT_ONCE     200
#define LEAVE_MS    1000
#define QOS         1
#define NEWS        "1"
#define PACKET_MAX                                                                                 \
	(LIMIT_REPORT_BYTES + 1024) /* that the broker may send: a report and its topic */

static const char *const kind_names[] = {
#define X(id, name, text) name,
	BROKER_KIND_TABLE(X)
#undef X
};

/* What a body of each kind can have at most. */
static const size_t body_max[] = {
	[BROKER_PRESENCE] = 16,
	[BROKER_TELEMETRY] = LIMIT_TELEMETRY_BYTES,
	[BROKER_REPORT] = LIMIT_REPORT_BYTES,
};

struct broker {
	MQTTAsync client;
	char url[256], prefix[64], name[64];
	char ca[256], cert[256], key[256], user[128], password[128];
	bool trusted;
	struct inbox *inbox;
	atomic_ullong sent, failed, dropped, heard[BROKER_KIND_MAX];
};

const char *broker_kind_name(enum broker_kind k)
{
	return kind_names[k];
}

/* ---- hearing ---- */

static void on_refused(void *self, MQTTAsync_failureData5 *d)
{
	struct broker *b = self;
	struct err e;

	(void)err_set(&e, ERR_DENIED, "a subscription was refused: %s",
		d && d->message ? d->message : "no reason was given");
	log_err(LOG_ID_BUS_LOST, &e, "broker=%s", b->url);
}

static void subscribe(struct broker *b, enum broker_kind kind)
{
	MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;
	char filter[TOPIC_TEXT];
	struct err e;

	o.context = b;
	o.onFailure5 = on_refused;
	if (topic_filter(kind, b->prefix, filter, &e) < 0 ||
		MQTTAsync_subscribe(b->client, filter, QOS, &o) != MQTTASYNC_SUCCESS)
		on_refused(b, NULL);
}

/* The broker has forgotten what was subscribed when the connection was lost. */
static void on_connected(void *self, char *cause UNUSED)
{
	struct broker *b = self;

	log_ev(LOG_ID_BUS, "broker=%s", b->url);
	for (enum broker_kind k = 0; k < BROKER_KIND_MAX; k++)
		if (k == BROKER_PRESENCE || b->trusted)
			subscribe(b, k);
}

static void on_lost(void *self, char *cause UNUSED)
{
	struct broker *b = self;
	struct err e;

	(void)err_set(&e, ERR_NET, "the connection was lost");
	log_err(LOG_ID_BUS_LOST, &e, "broker=%s", b->url);
}

static bool hear(struct broker *b, struct str topic, const MQTTAsync_message *m)
{
	struct broker_message heard = {.kind = BROKER_KIND_MAX};

	if (!topic_read(topic, b->prefix, &heard.kind, heard.device) || m->payloadlen < 0 ||
		(size_t)m->payloadlen > body_max[heard.kind])
		return false;
	if (heard.kind != BROKER_PRESENCE && !b->trusted)
		return false;
	buf_add(&heard.body, m->payload, (size_t)m->payloadlen);
	if (!inbox_put(b->inbox, &heard))
		return false;
	atomic_fetch_add(&b->heard[heard.kind], 1);
	return true;
}

/* In the library's thread. What is not heard is not acknowledged either, and comes again. */
static int on_message(void *self, char *topic, int n, MQTTAsync_message *m)
{
	struct broker *b = self;

	if (!hear(b, n ? (struct str){topic, (size_t)n} : str_of(topic), m))
		atomic_fetch_add(&b->dropped, 1);
	MQTTAsync_freeMessage(&m);
	MQTTAsync_free(topic);
	return 1;
}

static void on_sent(void *self, MQTTAsync_successData5 *d UNUSED)
{
	struct broker *b = self;

	atomic_fetch_add(&b->sent, 1);
}

static void on_failed(void *self, MQTTAsync_failureData5 *d UNUSED)
{
	struct broker *b = self;

	atomic_fetch_add(&b->failed, 1);
}

static int check(int rc, struct err *e)
{
	if (rc == MQTTASYNC_SUCCESS)
		return 0;
	return err_set(e, ERR_CONFIG, "mqtt: %s", MQTTAsync_strerror(rc));
}

static int fill(struct broker *b, const struct broker_conf *c, struct err *e)
{
	const bool is_tls = strncmp(c->url, "mqtts://", 8) == 0;

	if (!is_tls && strncmp(c->url, "mqtt://", 7) != 0)
		return err_set(
			e, ERR_CONFIG, "mqtt.url: '%s' is neither mqtt:// nor mqtts://", c->url);
	if (snprintf(b->url, sizeof b->url, "%s%s", is_tls ? "ssl://" : "tcp://",
		    strchr(c->url, '/') + 2) >= (int)sizeof b->url)
		return err_set(e, ERR_CONFIG, "mqtt.url is too long");
	b->trusted = c->trusted;
	snprintf(b->name, sizeof b->name, "backstay-server-%d", (int)getpid());
	TRY(str_copy(str_of(c->prefix), b->prefix, sizeof b->prefix, e));
	TRY(str_copy(str_of(c->ca), b->ca, sizeof b->ca, e));
	TRY(str_copy(str_of(c->cert), b->cert, sizeof b->cert, e));
	TRY(str_copy(str_of(c->key), b->key, sizeof b->key, e));
	TRY(str_copy(str_of(c->user), b->user, sizeof b->user, e));
	return str_copy(str_of(c->password), b->password, sizeof b->password, e);
}

static int create(struct broker *b, struct err *e)
{
	MQTTAsync_createOptions o = MQTTAsync_createOptions_initializer5;

	o.sendWhileDisconnected = 1;
	o.allowDisconnectedSendAtAnyTime = 1;
	o.maxBufferedMessages = WAITING_MAX;
	o.deleteOldestMessages = 1;
	TRY(check(MQTTAsync_createWithOptions(
			  &b->client, b->url, b->name, MQTTCLIENT_PERSISTENCE_NONE, NULL, &o),
		e));
	TRY(check(MQTTAsync_setConnected(b->client, b, on_connected), e));
	return check(MQTTAsync_setCallbacks(b->client, b, on_lost, on_message, NULL), e);
}

static const char *or_none(const char *text)
{
	return *text ? text : NULL;
}

static int begin(struct broker *b, struct err *e)
{
	MQTTAsync_connectOptions o = MQTTAsync_connectOptions_initializer5;
	MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
	MQTTProperty largest = {
		.identifier = MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, .value.integer4 = PACKET_MAX};
	MQTTProperties properties = MQTTProperties_initializer;
	int rc;

	ssl.trustStore = or_none(b->ca);
	ssl.CApath = *b->ca ? NULL : "/etc/ssl/certs";
	ssl.keyStore = or_none(b->cert);
	ssl.privateKey = or_none(b->key);
	ssl.enableServerCertAuth = 1;
	ssl.verify = 1;
	ssl.sslVersion = MQTT_SSL_VERSION_TLS_1_2;
	o.keepAliveInterval = KEEP_ALIVE;
	o.connectTimeout = PATIENCE;
	o.cleanstart = 1;
	o.maxInflight = AT_ONCE;
	o.automaticReconnect = 1;
	o.minRetryInterval = PAUSE_MIN;
	o.maxRetryInterval = PAUSE_MAX;
	o.username = or_none(b->user);
	o.password = or_none(b->password);
	o.ssl = strncmp(b->url, "ssl://", 6) == 0 ? &ssl : NULL;
	(void)MQTTProperties_add(&properties, &largest);
	o.connectProperties = &properties;
	rc = check(MQTTAsync_connect(b->client, &o), e);
	MQTTProperties_free(&properties);
	return rc;
}

int broker_open(const struct broker_conf *c, struct broker **out, struct err *e)
{
	struct broker *b = mem_new(sizeof *b);
	int rc;

	memset(b, 0, sizeof *b);
	rc = fill(b, c, e);
	if (rc == 0)
		rc = inbox_open(&b->inbox, e);
	if (rc == 0)
		rc = create(b, e);
	if (rc == 0)
		rc = begin(b, e);
	if (rc < 0)
		broker_close(&b);
	else
		*out = b;
	return rc;
}

void broker_close(struct broker **pb)
{
	MQTTAsync_disconnectOptions o = MQTTAsync_disconnectOptions_initializer5;
	struct broker *b = *pb;

	if (!b)
		return;
	if (b->client) {
		o.timeout = LEAVE_MS;
		(void)MQTTAsync_disconnect(b->client, &o);
		MQTTAsync_destroy(&b->client);
	}
	inbox_close(&b->inbox);
	mem_free(pb);
	*pb = NULL;
}

static void say(struct broker *b, const char *topic, struct str body, bool retained)
{
	MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;

	o.context = b;
	o.onSuccess5 = on_sent;
	o.onFailure5 = on_failed;
	if (MQTTAsync_send(b->client, topic, (int)body.n, body.p, QOS, retained, &o) !=
		MQTTASYNC_SUCCESS)
		atomic_fetch_add(&b->failed, 1);
}

void broker_wake(struct broker *b, const char *device)
{
	char topic[TOPIC_TEXT];

	snprintf(topic, sizeof topic, "%s/%s/wake", b->prefix, device);
	say(b, topic, STR(NEWS), true);
}

void broker_ack(struct broker *b, const char *device, struct str ack)
{
	char topic[TOPIC_TEXT];

	snprintf(topic, sizeof topic, TOPIC_ACK "%s", device);
	say(b, topic, ack, false);
}

int broker_fd(const struct broker *b)
{
	return inbox_fd(b->inbox);
}

unsigned broker_take(struct broker *b, struct broker_message *out, unsigned max)
{
	return inbox_take(b->inbox, out, max);
}

void broker_look(struct broker *b, struct broker_view *out)
{
	*out = (struct broker_view){.connected = MQTTAsync_isConnected(b->client),
		.sent = atomic_load(&b->sent),
		.failed = atomic_load(&b->failed),
		.dropped = atomic_load(&b->dropped),
		.waiting = inbox_count(b->inbox)};
	for (enum broker_kind k = 0; k < BROKER_KIND_MAX; k++)
		out->heard[k] = atomic_load(&b->heard[k]);
}
