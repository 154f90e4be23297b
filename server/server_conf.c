#include "server/server_conf.h"

#include <string.h>

#define AT(sec, key)   offsetof(struct server_conf, sec.key)
#define SIZE(sec, key) sizeof(((struct server_conf *)0)->sec.key)
#define HOURS(n)       MINUTE((n)*60)
#define DAYS(n)        HOURS((n)*24)

#define TEXT(sec, key, def, help)                                                                  \
	{                                                                                          \
#sec, #key, CONF_TEXT, AT(sec, key), SIZE(sec, key), 0, 0, def, help               \
	}
#define NUMBER(sec, key, min, max, def, help)                                                      \
	{                                                                                          \
#sec, #key, CONF_UINT, AT(sec, key), 0, min, max, def, help                        \
	}
#define SPAN(sec, key, min, max, def, help)                                                        \
	{                                                                                          \
#sec, #key, CONF_SPAN, AT(sec, key), 0, (uint64_t)(min), (uint64_t)(max), def,     \
			help                                                                       \
	}

#define BOOL(sec, key, def, help)                                                                  \
	{                                                                                          \
#sec, #key, CONF_BOOL, AT(sec, key), 0, 0, 0, def, help                            \
	}

static const struct conf_row rows[] = {
	TEXT(server, bind, "127.0.0.1", "Numeric address to listen on; 0.0.0.0 or :: for all."),
	NUMBER(server, port, 0, 65535, "8080", "TCP port; 0: a free one, see --port-file."),
	TEXT(server, data, "/var/lib/backstay-server",
		"Store, artifacts and the first administrator's token. Made when it is missing."),

	TEXT(trust, repo, "/etc/backstay/keys/repo",
		"First files of both repositories, as backstay keys init made them."),
	TEXT(trust, keys, "/etc/backstay/keys/online",
		"Private keys for the signer that is started here, see [signer]; never the offline ones."),
	TEXT(trust, device_ca, "",
		"Folder of the authority that devices enrol with; empty: no device enrols."),
	SPAN(trust, director_expiry, MINUTE(1), DAYS(365), "168h",
		"How long a device may act on its desired state without hearing anew."),
	SPAN(trust, timestamp_expiry, MINUTE(1), DAYS(365), "24h",
		"How old news may be; everything is signed again after half of it."),
	SPAN(trust, snapshot_expiry, MINUTE(1), DAYS(365), "168h",
		"Life of the image repository's snapshot."),
	BOOL(trust, four_eyes, "no",
		"Publish nothing that users other than the publisher, one for each party, have not approved."),

	TEXT(http, tls_cert, "", "PEM file with the certificate chain; empty: plain HTTP."),
	TEXT(http, tls_key, "", "PEM file with its private key."),
	NUMBER(http, max_connections, 1, 100000, "4096",
		"Connections that are served at once; further devices are told to come back later."),
	SPAN(http, busy_after, 100, MINUTE(1), "2s",
		"Devices are told to come back later, once those before them have waited so long."),

	TEXT(signer, socket, "",
		"Socket of a backstay-signer that runs by itself; empty: one is started, with "
		"trust.keys and trust.repo, and keeps what it must in DATA/signer."),
	TEXT(signer, program, "", "What is started; empty: backstay-signer beside this program."),
	SPAN(signer, timeout, 100, MINUTE(1), "2s",
		"How long one answer of it is waited for; meanwhile nobody else is answered."),

	SPAN(device, poll_after, 0, DAYS(7), "0s",
		"Asks devices to poll again after this long; 0: as they are configured."),
	TEXT(device, identity, "optional",
		"required: every device must show its certificate; optional: those that have "
		"enrolled."),
	SPAN(device, certificate_life, SEC(1), DAYS(3650), "90d",
		"How long a device's certificate is good; it is renewed after two thirds."),
	SPAN(device, certificate_grace, 0, DAYS(3650), "365d",
		"How long after its end a certificate may still be renewed, and nothing else."),

	TEXT(mqtt, url, "",
		"Broker through which devices are woken, mqtt://host:1883 or mqtts://host:8883; empty: "
		"none, they poll."),
	TEXT(mqtt, prefix, "backstay/1", "Topics are PREFIX/DEVICE/wake."),
	TEXT(mqtt, ca, "",
		"PEM file that the broker's certificate must lead to; empty: the system's."),
	TEXT(mqtt, cert, "",
		"PEM file with the server's certificate for the broker; empty: none is shown."),
	TEXT(mqtt, key, "", "PEM file with its private key."),
	TEXT(mqtt, user, "", "Name towards the broker; empty: none."),
	TEXT(mqtt, password, "", "Its password."),
	TEXT(mqtt, devices, "untrusted",
		"trusted: the broker lets each device speak under its own name only (see "
		"packaging/monitoring), so telemetry and reports are taken from it; untrusted: "
		"presence alone."),

	TEXT(hook, source, "/backstay", "What CloudEvents and alerts call this server."),
	TEXT(hook, ca, "",
		"PEM file that the certificates of receivers must lead to; empty: the system's."),
	SPAN(hook, timeout, 100, MINUTE(1), "10s", "How long one attempt to tell a hook may take."),
	NUMBER(hook, tries, 1, 100, "12", "Attempts, then a letter is dead: backstay hook dead."),
	SPAN(hook, first_wait, 1, HOURS(1), "5s",
		"Wait after the first attempt that failed, tripled each time, with jitter."),
	SPAN(hook, longest_wait, 1, HOURS(24), "6h", "And not longer than this."),
	BOOL(hook, private, "yes",
		"Hooks may go to loopback and private networks. To link-local addresses they never go."),
	SPAN(hook, drift_gather, 0, HOURS(24), "10min",
		"How long devices that see drift are gathered before one event tells of them."),
	SPAN(hook, drift_window, SEC(1), DAYS(30), "24h",
		"What devices say within this, from the first, belongs to one event."),
	SPAN(telemetry, window_keep, MINUTE(1), DAYS(365), "24h",
		"How long windows are kept as devices sent them; their sums are kept longer."),
	NUMBER(telemetry, window_rows, 0, 100000000, "500000",
		"Windows that are kept at most, of all devices together; the oldest go first."),
	SPAN(telemetry, event_keep, MINUTE(1), DAYS(3650), "30d",
		"How long watches, marks and drift are kept."),
	NUMBER(telemetry, event_rows, 0, 100000000, "100000",
		"Watches, marks and drift that are kept at most."),
	SPAN(telemetry, fine_keep, HOURS(1), DAYS(30), "48h",
		"How long sums are kept by ten minutes; then they are folded into days."),
	SPAN(telemetry, coarse_keep, DAYS(1), DAYS(3650), "90d", "How long sums are kept by days."),
	TEXT(telemetry, stratum, "",
		"Label by which devices of the same hardware are summed apart; empty: by hardware "
		"alone."),

	TEXT(otlp, url, "",
		"Where an OpenTelemetry collector takes metrics: http://host:4318/v1/metrics; empty: "
		"nobody is told."),
	TEXT(otlp, token, "", "Sent as Authorization: Bearer; empty: none."),
	TEXT(otlp, ca, "",
		"PEM file that the collector's certificate must lead to; empty: the system's."),
	SPAN(otlp, interval, SEC(1), HOURS(24), "60s", "How often it is told."),
	SPAN(otlp, timeout, 100, MINUTE(1), "10s", "How long one attempt may take."),

	NUMBER(limits, peer_rate, 0, 1000, "1000",
		"Requests a second of one address; 0: any number. Devices behind one router share "
		"it."),
	NUMBER(limits, peer_burst, 1, 1000000, "5000", "Requests of one address at once."),
	NUMBER(limits, device_rate, 0, 1000, "20",
		"Requests a second of one device; 0: any number."),
	NUMBER(limits, device_burst, 1, 1000000, "200", "Requests of one device at once."),
};

const struct conf_row *server_conf_rows(size_t *out_n)
{
	*out_n = ARRAY_LEN(rows);
	return rows;
}

/* A certificate is shown by TLS: without it nobody could. */
static void check(const struct server_conf *c, const char *path, struct buf *problems)
{
	bool trusted = strcmp(c->mqtt.devices, "trusted") == 0;
	bool required = strcmp(c->device.identity, "required") == 0;

	if (!c->http.tls_cert[0] != !c->http.tls_key[0])
		buf_addf(problems, "%s: http.tls_cert and http.tls_key belong together\n", path);
	if (!required && strcmp(c->device.identity, "optional") != 0)
		buf_addf(problems, "%s: device.identity is optional or required\n", path);
	if (!trusted && strcmp(c->mqtt.devices, "untrusted") != 0)
		buf_addf(problems, "%s: mqtt.devices is trusted or untrusted\n", path);
	if (required && (!c->trust.device_ca[0] || !c->http.tls_cert[0]))
		buf_addf(problems,
			"%s: device.identity = required needs trust.device_ca and http.tls_cert\n",
			path);
}

int server_conf_load(const char *path, struct server_conf *out, struct conf_trace *trace,
	struct buf *problems, struct err *e)
{
	struct conf_place place = {.path = path, .name = SERVER_CONF_NAME};
	const char *name = path ? path : SERVER_CONF_NAME;
	struct server_conf c;

	TRY(conf_find(&place, rows, ARRAY_LEN(rows), &c, sizeof c, trace, problems, e));
	check(&c, name, problems);
	if (problems->n)
		return err_set(e, ERR_CONFIG, "%s: it contradicts itself", name);
	*out = c;
	return 0;
}
