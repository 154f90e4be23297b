#include "server/broker/broker.h"

#include <MQTTAsync.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/sys/log.h"

#define KEEP_ALIVE  30 /* seconds */
#define PATIENCE    10
#define PAUSE_MIN   1
#define PAUSE_MAX   30
#define WAITING_MAX 20000 /* messages; the oldest are dropped: devices poll */
#define AT_ONCE     200
#define LEAVE_MS    1000
#define QOS         1
#define NEWS        "1"

struct broker {
	MQTTAsync client;
	char url[256], prefix[64], name[64];
	char ca[256], cert[256], key[256], user[128], password[128];
	atomic_ullong sent, failed;
};

static void on_connected(void *self, char *cause UNUSED)
{
	struct broker *b = self;

	log_ev(LOG_ID_BUS, "broker=%s", b->url);
}

static void on_lost(void *self, char *cause UNUSED)
{
	struct broker *b = self;
	struct err e;

	(void)err_set(&e, ERR_NET, "the connection was lost");
	log_err(LOG_ID_BUS_LOST, &e, "broker=%s", b->url);
}

static int on_message(void *self UNUSED, char *topic, int n UNUSED, MQTTAsync_message *m)
{
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
	return check(MQTTAsync_connect(b->client, &o), e);
}

int broker_open(const struct broker_conf *c, struct broker **out, struct err *e)
{
	struct broker *b = mem_new(sizeof *b);
	int rc;

	memset(b, 0, sizeof *b);
	rc = fill(b, c, e);
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
	mem_free(pb);
	*pb = NULL;
}

void broker_wake(struct broker *b, const char *device)
{
	MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;
	char topic[160];

	snprintf(topic, sizeof topic, "%s/%s/wake", b->prefix, device);
	o.context = b;
	o.onSuccess5 = on_sent;
	o.onFailure5 = on_failed;
	if (MQTTAsync_send(b->client, topic, (int)strlen(NEWS), NEWS, QOS, 1, &o) !=
		MQTTASYNC_SUCCESS)
		atomic_fetch_add(&b->failed, 1);
}

void broker_look(struct broker *b, struct broker_view *out)
{
	*out = (struct broker_view){.connected = MQTTAsync_isConnected(b->client),
		.sent = atomic_load(&b->sent),
		.failed = atomic_load(&b->failed)};
}
