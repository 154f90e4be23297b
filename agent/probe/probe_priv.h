/* The sources. */
#ifndef AGENT_PROBE_PROBE_PRIV_H
#define AGENT_PROBE_PROBE_PRIV_H

#include "agent/probe/probe.h"

extern const struct probe_source probe_svc, probe_health, probe_metrics, probe_smoke, probe_order,
	probe_self, probe_usage, probe_thermal, probe_server;

/* ---- small files of the kernel (probe_file.c) ---- */

#define PROBE_PATH_MAX  512
#define PROBE_FILE_MAX  (64 * 1024)
#define PROBE_PROCESSES 256 /* of a workload that has no control group of its own */

/* A whole one, at most PROBE_FILE_MAX. Never waits. */
int probe_read(const char *path, struct buf *out, struct err *e) MUST_CHECK;
/* Its first line as a whole number; may be negative. */
int probe_read_number(const char *path, int64_t *out, struct err *e) MUST_CHECK;
/* The number behind `key` at the beginning of a line: "MemAvailable:   123 kB", "inactive_file 7".
 */
bool probe_find_number(struct str text, const char *key, uint64_t *out);

/* ---- what a process and what it started need (probe_memory.c) ---- */

/* Bytes of memory of the control group of `pid`, without what the kernel could take back at once
 * (as kubelet counts a working set), or, where it shares the agent's group or there is none, of
 * `pid` and its descendants: what is theirs alone or shared memory. */
int probe_memory(const struct probe_in *in, uint32_t pid, uint64_t *out, struct err *e) MUST_CHECK;
/* The folder of the control group of `pid`; ERR_NOT_FOUND when it is the agent's own. */
int probe_group(const struct probe_in *in, uint32_t pid, char out[PROBE_PATH_MAX],
	struct err *e) MUST_CHECK;

#endif
