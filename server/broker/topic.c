#include "server/broker/topic.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/telemetry.h"

#define SHARED   "$share/backstay/"
#define PRESENCE "presence"

int topic_filter(enum broker_kind kind, const char *prefix, char out[TOPIC_TEXT], struct err *e)
{
	BUF_AUTO b = {0};

	if (kind == BROKER_PRESENCE)
		buf_addf(&b, "%s/+/" PRESENCE, prefix);
	else
		buf_addf(&b, SHARED "%s+", kind == BROKER_REPORT ? TOPIC_REPORT : TOPIC_TELEMETRY);
	return str_copy(buf_str(&b), out, TOPIC_TEXT, e);
}

/* What is behind the beginning, if it begins so. */
static bool behind(struct str s, const char *start, struct str *out)
{
	size_t n = strlen(start);

	if (!str_has_prefix(s, start))
		return false;
	*out = (struct str){s.p + n, s.n - n};
	return true;
}

static bool presence_of(struct str topic, const char *prefix, struct str *out)
{
	struct str rest, device;

	if (!behind(topic, prefix, &rest) || !behind(rest, "/", &rest))
		return false;
	if (!str_split(&rest, '/', &device) || !str_is(rest, PRESENCE))
		return false;
	*out = device;
	return true;
}

bool topic_read(struct str topic, const char *prefix, enum broker_kind *out_kind,
	char out_device[ID_TEXT_MAX])
{
	struct str device;

	if (behind(topic, TOPIC_TELEMETRY, &device))
		*out_kind = BROKER_TELEMETRY;
	else if (behind(topic, TOPIC_REPORT, &device))
		*out_kind = BROKER_REPORT;
	else if (presence_of(topic, prefix, &device))
		*out_kind = BROKER_PRESENCE;
	else
		return false;
	return id_parse(device, "device", out_device, NULL) == 0;
}
