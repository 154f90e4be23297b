#include "server/hook/letter.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/mac.h"
#include "proto/wire/base64.h"
#include "proto/wire/json.h"
#include "proto/wire/time.h"

#define ALERTS_PATH "/api/v2/alerts"

void letter_out_fini(struct letter_out *l)
{
	buf_fini(&l->body);
}

/* What is kept of the event besides the columns; an object in any case. */
static json_t *data_of(const struct hook_event_row *ev)
{
	json_t *data = NULL;

	if (ev->data.n && json_read(buf_str(&ev->data), ev->data.n, &data, NULL) == 0)
		return data;
	return json_object();
}

static void set_text(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, json_string(text));
}

static json_t *time_of(ms_t at)
{
	char text[21];

	time_format(at / 1000, text);
	return json_string(text);
}

/* ---- webhook ---- */

static json_t *cloud_event(const struct hook_event_row *ev, const char *source)
{
	JSON_AUTO *data = data_of(ev);
	char type[96];
	json_t *o;

	snprintf(type, sizeof type, LETTER_TYPE_PREFIX "%s", hook_event_name(ev->type));
	json_object_set_new(
		data, "gravity", json_string(hook_gravity_name(hook_event_gravity(ev->type))));
	set_text(data, "campaign", ev->campaign);
	set_text(data, "device", ev->device);
	set_text(data, "text", ev->text);
	json_object_set_new(data, "at_ms", json_integer(ev->at));
	if (ev->audit)
		json_object_set_new(data, "audit_row", json_integer((json_int_t)ev->audit));
	o = json_pack("{s:s, s:s, s:s, s:s, s:o}", "specversion", "1.0", "id", ev->id, "source",
		source, "type", type, "time", time_of(ev->at));
	set_text(o, "subject", *ev->device ? ev->device : ev->campaign);
	json_object_set_new(o, "datacontenttype", json_string("application/json"));
	json_object_set(o, "data", data);
	return o;
}

static void sign_with(const uint8_t secret[HOOK_SECRET], struct str said, struct buf *out)
{
	struct sha256 mac;

	mac_of((struct str){(const char *)secret, HOOK_SECRET}, said, &mac);
	buf_addf(out, "%sv1,", out->n ? " " : "");
	base64_encode((struct str){(const char *)mac.b, sizeof mac.b}, out);
}

/* The newest secret comes first: who looks at the first signature only has changed over. */
static void sign(const struct hook_row *h, const char *id, ms_t now, struct letter_out *out)
{
	BUF_AUTO said = {0}, text = {0};

	buf_addf(&said, "%s.%lld.", id, (long long)now / 1000);
	buf_add(&said, out->body.p, out->body.n);
	sign_with(h->secret, buf_str(&said), &text);
	for (unsigned i = 0; now < h->old_until && i < h->n_old; i++)
		sign_with(h->old[i], buf_str(&said), &text);
	snprintf(out->headers[1], sizeof out->headers[1], "webhook-id: %s", id);
	snprintf(out->headers[2], sizeof out->headers[2], "webhook-timestamp: %lld",
		(long long)now / 1000);
	snprintf(out->headers[3], sizeof out->headers[3], "webhook-signature: %s", buf_cstr(&text));
}

static void encode_webhook(const struct hook_row *h, const struct hook_event_row *ev,
	const char *source, ms_t now, struct letter_out *out)
{
	JSON_AUTO *body = cloud_event(ev, source);

	json_write(body, &out->body);
	snprintf(out->url, sizeof out->url, "%s", h->url);
	snprintf(out->headers[0], sizeof out->headers[0],
		"Content-Type: application/cloudevents+json; charset=UTF-8");
	sign(h, ev->id, now, out);
}

/* ---- Alertmanager ---- */

/* "device.certificate_ending" as alerts are named: BackstayDeviceCertificateEnding. */
static void alert_name(const char *name, char *out, size_t cap)
{
	size_t n = (size_t)snprintf(out, cap, "Backstay");
	bool begins = true;

	for (; *name && n + 1 < cap; name++) {
		bool is_letter = *name >= 'a' && *name <= 'z';

		if (is_letter)
			out[n++] = begins ? (char)(*name - 'a' + 'A') : *name;
		begins = !is_letter;
	}
	out[n] = 0;
}

static ms_t life_of(enum hook_gravity g)
{
	static const ms_t lives[] = {
#define X(id, name, minutes) MINUTE(minutes),
		HOOK_GRAVITY_TABLE(X)
#undef X
	};

	return lives[g];
}

/* By these an Alertmanager groups, silences, and knows an alert again. */
static json_t *labels_of(const struct hook_event_row *ev, const json_t *data, const char *source)
{
	static const char *const more[] = {"release", "metric", "role", "trigger"};
	char name[96];
	json_t *o;

	alert_name(hook_event_name(ev->type), name, sizeof name);
	o = json_pack("{s:s, s:s, s:s}", "alertname", name, "severity",
		hook_gravity_name(hook_event_gravity(ev->type)), "source", source);
	set_text(o, "campaign", ev->campaign);
	set_text(o, "device", ev->device);
	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		const char *value = json_string_value(json_object_get(data, more[i]));

		set_text(o, more[i], value ? value : "");
	}
	return o;
}

static void encode_alert(const struct hook_row *h, const struct hook_event_row *ev,
	const char *source, ms_t now, struct letter_out *out)
{
	JSON_AUTO *data = data_of(ev), *body = NULL;
	ms_t end = now + life_of(hook_event_gravity(ev->type));
	size_t n = strlen(h->url);
	char row[24];

	snprintf(row, sizeof row, "%llu", (unsigned long long)ev->audit);
	body = json_pack("[{s:o, s:{s:s, s:s, s:s}, s:o, s:o}]", "labels",
		labels_of(ev, data, source), "annotations", "summary", ev->text, "description",
		hook_event_text(ev->type), "audit_row", row, "startsAt", time_of(ev->at), "endsAt",
		time_of(end));
	json_write(body, &out->body);
	while (n && h->url[n - 1] == '/')
		n--;
	snprintf(out->url, sizeof out->url, "%.*s%s", (int)n, h->url,
		strstr(h->url, ALERTS_PATH) ? "" : ALERTS_PATH);
	snprintf(out->headers[0], sizeof out->headers[0], "Content-Type: application/json");
}

void letter_encode(const struct hook_row *h, const struct hook_event_row *ev, const char *source,
	ms_t now, struct letter_out *out)
{
	memset(out, 0, sizeof *out);
	if (h->kind == HOOK_KIND_ALERTMANAGER)
		encode_alert(h, ev, source, now, out);
	else
		encode_webhook(h, ev, source, now, out);
}
