#include "server/signd/signd_conf.h"

#include "proto/wire/limits.h"

#define AT(sec, key)   offsetof(struct signd_settings, sec.key)
#define SIZE(sec, key) sizeof(((struct signd_settings *)0)->sec.key)
#define HOURS(n)       MINUTE((n)*60)
#define DAYS(n)        HOURS((n)*24)

#define TEXT(sec, key, def, help)                                                                  \
	{                                                                                          \
#sec, #key, CONF_TEXT, AT(sec, key), SIZE(sec, key), 0, 0, def, help               \
	}
#define SPAN(sec, key, min, max, def, help)                                                        \
	{                                                                                          \
#sec, #key, CONF_SPAN, AT(sec, key), 0, (uint64_t)(min), (uint64_t)(max), def,     \
			help                                                                       \
	}
/* A budget: full at the beginning, and what comes back each hour. */
#define BUDGET(key, burst, per_hour, help)                                                         \
	{"budget", #key "_burst", CONF_UINT, AT(budget, key##_burst), 0, 1, 1000000, burst, help}, \
	{                                                                                          \
		"budget", #key "_per_hour", CONF_UINT, AT(budget, key##_per_hour), 0, 1,           \
			1000000000, per_hour, "What of it comes back each hour."                   \
	}

static const struct conf_row rows[] = {
	TEXT(signer, socket, "/run/backstay-signer/socket", "Unix socket to be asked on."),
	TEXT(signer, data, "/var/lib/backstay-signer",
		"What was signed last, and the log. Made when it is missing."),
	TEXT(signer, user, "",
		"The user that the server runs as, who may ask besides root and the own one."),

	TEXT(trust, repo, "/etc/backstay/keys/repo",
		"First files of the repositories; image/1.root.json in it is the root of trust."),
	TEXT(trust, keys, "/etc/backstay/keys/online",
		"Private keys that are signed with; never the offline ones."),
	SPAN(trust, director_expiry, MINUTE(1), DAYS(365), "168h",
		"Longest life of a device's targets and snapshot that is signed for."),
	SPAN(trust, timestamp_expiry, MINUTE(1), DAYS(365), "24h", "Longest life of a timestamp."),
	SPAN(trust, snapshot_expiry, MINUTE(1), DAYS(365), "168h",
		"Longest life of the image repository's snapshot."),
	SPAN(trust, offline_expiry, MINUTE(1), DAYS(LIMIT_CARRY_DAYS), "2160h",
		"Longest life of a device's files in a folder that is carried to it."),

	BUDGET(device, "60", "240", "Orders signed for one device at once."),
	BUDGET(newcomers, "20000", "5000", "Devices that nothing was signed for before."),
	BUDGET(total, "50000", "500000", "Orders for all devices together."),
	BUDGET(image, "200", "600", "Snapshots and timestamps of the image repository."),
	BUDGET(time, "20000", "200000", "Answers to devices that ask what time it is."),
	BUDGET(audit, "200", "600", "Checkpoints of the audit log."),
};

const struct conf_row *signd_conf_rows(size_t *out_n)
{
	*out_n = ARRAY_LEN(rows);
	return rows;
}

int signd_conf_load(const char *path, struct signd_settings *out, struct conf_trace *trace,
	struct buf *problems, struct err *e)
{
	struct conf_place place = {.path = path, .name = SIGND_CONF_NAME};

	return conf_find(&place, rows, ARRAY_LEN(rows), out, sizeof *out, trace, problems, e);
}
