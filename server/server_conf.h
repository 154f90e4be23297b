/* The server's configuration: a row per key, which is also its page in the manual. */
#ifndef SERVER_SERVER_CONF_H
#define SERVER_SERVER_CONF_H

#include "lib/sys/conf.h"
#include "server/run/telemetry.h"

#define SERVER_CONF_NAME "server.conf"

struct server_conf {
	struct {
		char bind[64], data[256];
		uint64_t port;
	} server;
	struct {
		char repo[256], keys[256], device_ca[256];
		ms_t director_expiry, timestamp_expiry, snapshot_expiry;
		bool four_eyes;
	} trust;
	struct {
		char tls_cert[256], tls_key[256];
		uint64_t max_connections;
		ms_t busy_after;
	} http;
	struct {
		ms_t poll_after;
		char identity[16];
		ms_t certificate_life, certificate_grace;
	} device;
	struct {
		char socket[108], program[256];
		ms_t timeout;
	} signer;
	struct {
		char url[256], prefix[64], ca[256], cert[256], key[256], user[128], password[128];
		char devices[16];
	} mqtt;
	struct telemetry_conf telemetry;
	struct {
		char url[512], token[128], ca[256];
		ms_t interval, timeout;
	} otlp;
	struct {
		char source[128], ca[256];
		ms_t timeout, first_wait, longest_wait, drift_gather, drift_window;
		uint64_t tries;
		bool private;
	} hook;
	struct {
		uint64_t peer_rate, peer_burst, device_rate, device_burst;
	} limits;
};

/* The rows, for the manual. */
const struct conf_row *server_conf_rows(size_t *out_n);

/* conf_find with these rows (path NULL: in the roots), and what no single row can say. One line in
 * *problems per mistake. `trace` may be NULL. */
int server_conf_load(const char *path, struct server_conf *out, struct conf_trace *trace,
	struct buf *problems, struct err *e) MUST_CHECK;

#endif
