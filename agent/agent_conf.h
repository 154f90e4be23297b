/* The agent's configuration: a row per key, which is also its page in the manual. */
#ifndef AGENT_AGENT_CONF_H
#define AGENT_AGENT_CONF_H

#include "agent/boot/boot.h"
#include "lib/id.h"
#include "lib/sys/conf.h"
#include "proto/wire/limits.h"
#include "proto/wire/precond.h"

#define AGENT_CONF_NAME "agent.conf"

struct agent_conf {
	struct {
		char id[ID_TEXT_MAX], hardware[ID_TEXT_MAX], labels[LIMIT_TEXT];
	} device;
	struct {
		char url[256]; /* without a '/' at its end; "": there is none */
		char ca[256], cert[256], key[256], token[128];
		bool insecure_http;
		ms_t poll_interval, fresh;
	} server;
	struct {
		char token_file[256];
	} identity;
	struct {
		char home[256], run_dir[256], socket[256]; /* absolute */
		char boot[16], slots[16], bus[16], worker_user[32], worker_socket[108];
		ms_t watch_interval, report_interval, quarantine, scrub_interval, lost;
	} agent;
	struct {
		char a[256], b[256];
		bool writable;
	} slot;
	struct {
		char name_a[LIMIT_BOOT_NAME], name_b[LIMIT_BOOT_NAME];
		char cmdline[256], pstore[256], pstore_kept[256], grub_env[256], fw_env_config[256],
			esp[256];
	} boot;
	struct {
		char kind[16], base[16], unit[128], command[1024];
		char reload_url[256], health_url[256], metrics_url[256];
		ms_t stop_timeout, probe_timeout;
	} service;
	struct {
		char dirs[512];
		ms_t interval, timeout, retry;
		uint64_t tries;
	} health;
	struct {
		uint64_t max_memory;
		char user[32];
	} smoke;
	struct {
		char proxy[256], no_proxy[256];
		uint64_t max_rate, low_speed;
		ms_t low_speed_time, connect_timeout, total_timeout, refresh_timeout;
	} net;
	struct {
		char url[256], prefix[64];
		bool posts;
	} mqtt;
	struct {
		bool enabled;
		uint64_t queue;
		ms_t interval, batch_interval, look_interval;
		char metrics[256], model[256];
	} telemetry;
	struct {
		char rule[PRECOND_TYPE_MAX][LIMIT_PRECOND_TEXT]; /* of each type; "": none */
		char parked_from[256], ignition_from[256], metered_from[256];
		char parked_when[128], ignition_when[128], metered_when[128];
		char zone[64], sys[128], proc[128];
		ms_t wait, look_interval;
		bool lease_offline;
	} precond;
};

/* The rows, for conf_find and the manual. */
const struct conf_row *agent_conf_rows(size_t *out_n);

/* conf_find with these rows (path NULL: in the roots), and `home` (NULL: none given) in place of
 * agent.home. What is there may still not be enough to run with. `trace` may be NULL. */
int agent_conf_read(const char *path, const char *home, struct agent_conf *out,
	struct conf_trace *trace, struct buf *problems, struct err *e) MUST_CHECK;
/* The same without a trace, and agent_conf_check. */
int agent_conf_load(const char *path, const char *home, struct agent_conf *out,
	struct buf *problems, struct err *e) MUST_CHECK;

/* What no single row can say: ids that are ids, absolute paths, known drivers, and the keys that
 * the service driver needs. Fills in what follows from other keys (the socket). One line in
 * *problems per mistake; ERR_CONFIG if there is any. */
int agent_conf_check(struct agent_conf *c, struct buf *problems, struct err *e) MUST_CHECK;

/* What the boot layer is to know. */
void agent_conf_boot(const struct agent_conf *c, struct boot_conf *out);

#endif
