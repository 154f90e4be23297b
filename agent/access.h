/* How this device gets at its server: the worker that asks, and the identity that it shows. */
#ifndef AGENT_ACCESS_H
#define AGENT_ACCESS_H

#include "agent/agent_conf.h"
#include "agent/worker/worker.h"
#include "lib/sys/fs.h"

struct access;

/* `home` and `conf` must outlive it. ERR_CONFIG. */
int access_open(const struct agent_conf *conf, struct fs *home, struct access **out,
	struct err *e) MUST_CHECK;
void access_close(struct access **a);

/* Before each question: has the device an identity to show, if it is to have one? Enrols and renews
 * when it is time to. Called from one thread at a time. */
int access_ready(struct access *a, const atomic_bool *cancel, struct err *e) MUST_CHECK;
/* After each answer: what came of it (rc < 0: *e). */
void access_heard(struct access *a, int rc, const struct err *e);

const struct http_conf *access_http(const struct access *a);
struct worker *access_worker(const struct access *a);
/* Another worker that shows the same identity; the caller's to worker_free. */
struct worker *access_new_worker(const struct access *a);

#endif
