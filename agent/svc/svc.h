/* Starts, restarts, reloads and looks at the workload. Calls block, with deadlines, in job threads;
 * one at a time. */
#ifndef AGENT_SVC_SVC_H
#define AGENT_SVC_SVC_H

#include <stdatomic.h>

#include "agent/core/facts.h"
#include "agent/net/http.h"
#include "proto/wire/release.h"

/* In run_dir: where a workload gives its inputs away while another version is compared with it
 * (agent/shadow). exec tells it by BACKSTAY_SHADOW_SOCKET; a unit must be told by its own file. */
#define SVC_SHADOW_SOCKET "shadow.sock"

struct svc_conf {
	char kind[16];        /* "systemd", "exec", "http_reload", "reboot", "none" */
	char base[16];        /* http_reload: who restarts: "systemd", "exec", "none"; reboot: whose
				 workload is watched: "systemd", "none" */
	char unit[128];       /* systemd: name of the unit; its WorkingDirectory is HOME/current */
	char command[1024];   /* exec: words split at blanks, run in the slot's folder */
	char reload_url[256]; /* http_reload: POST {"slot_dir": ...} */
	char health_url[256]; /* any: 200 means healthy; "": alive is enough */
	char home[256];       /* absolute */
	char run_dir[256];    /* absolute: who runs, and the logs of exec */
	ms_t stop_timeout;    /* exec: between SIGTERM and SIGKILL; 0: 10 s */
	unsigned booted;      /* reboot: the slot that the machine was started from */
	/* reboot: restarts the machine when nobody can be asked to; NULL: that is not tried. */
	int (*restart_machine)(struct err *);
};

struct svc; /* opaque */

struct svc_driver {
	const char *kind;
	const char *help;
	ms_t patience; /* how much longer than its start the way to it may take */
	int (*open)(const struct svc_conf *, void **out_self, struct err *) MUST_CHECK;
	void (*close)(void *self);
	/* Brings the workload to run from `slot`, by restart or reload, and returns when the
	 * supervisor says it was done (not yet healthy) or the deadline is over. `how` RELOAD falls
	 * back to RESTART where the workload does not run, or cannot be reloaded. */
	int (*apply)(void *self, unsigned slot, enum activation how, ms_t timeout,
		struct err *) MUST_CHECK;
	/* Observes; changes nothing. exec is the supervisor itself: as systemd would, it starts
	 * what `current` names when nothing runs (with a pause that grows from crash to crash).
	 * `ended` never goes down while the machine is up. */
	int (*look)(void *self, struct svc_view *out, struct err *) MUST_CHECK;
	/* The running process serves from `slot` since it was told to (http_reload's base is called
	 * after the workload agreed): look says so from now on, until another process runs. */
	int (*moved)(void *self, unsigned slot, struct err *) MUST_CHECK;
	/* It stays down until the next apply. */
	int (*stop)(void *self, struct err *) MUST_CHECK;
	/* The last `max` bytes it logged, for the dossier. */
	int (*log_tail)(void *self, size_t max, struct buf *out, struct err *) MUST_CHECK;
};

const struct svc_driver *svc_driver_find(const char *kind);

int svc_open(const struct svc_conf *c, struct svc **out, struct err *e) MUST_CHECK;
void svc_close(struct svc **s);

/* apply, then ask health_url until it answers 200 (without one: until it has been alive for half a
 * second) or `timeout`, with the driver's patience, is over; ERR_START_FAILED with what was last
 * seen, at once when the workload ended three times meanwhile. `cancel` ends it early with
 * ERR_CANCELLED. */
int svc_start(struct svc *s, unsigned slot, enum activation how, ms_t timeout,
	const atomic_bool *cancel, struct err *e) MUST_CHECK;
/* It stays down until the next start. */
int svc_stop(struct svc *s, struct err *e) MUST_CHECK;
int svc_look(struct svc *s, struct svc_view *out, struct err *e) MUST_CHECK;
/* One health check: 0 when healthy. */
int svc_healthy(struct svc *s, ms_t timeout, struct err *e) MUST_CHECK;
int svc_log_tail(struct svc *s, size_t max, struct buf *out, struct err *e) MUST_CHECK;

#endif
