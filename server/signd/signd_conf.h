/* The configuration of backstay-signer: a row per key, which is also its page in the manual. */
#ifndef SERVER_SIGND_SIGND_CONF_H
#define SERVER_SIGND_SIGND_CONF_H

#include "lib/sys/conf.h"

#define SIGND_CONF_NAME "signer.conf"

struct signd_settings {
	struct {
		char socket[108], data[256], user[64];
	} signer;
	struct {
		char repo[256], keys[256];
		ms_t director_expiry, timestamp_expiry, snapshot_expiry, offline_expiry;
	} trust;
	struct {
		uint64_t device_burst, device_per_hour;
		uint64_t newcomers_burst, newcomers_per_hour;
		uint64_t total_burst, total_per_hour;
		uint64_t image_burst, image_per_hour;
		uint64_t time_burst, time_per_hour;
		uint64_t audit_burst, audit_per_hour;
	} budget;
};

/* The rows, for the manual. */
const struct conf_row *signd_conf_rows(size_t *out_n);

/* conf_find with these rows; path NULL: in the roots; `trace` may be NULL. */
int signd_conf_load(const char *path, struct signd_settings *out, struct conf_trace *trace,
	struct buf *problems, struct err *e) MUST_CHECK;

#endif
