/* A private message bus with a service manager's and a login manager's D-Bus face on it, which says
 * and does what a test tells it: for what a real manager does only once in a while.
 * tests/system/25-systemd.sh runs the same driver against the real one. */
#ifndef TESTS_LIB_MANAGER_H
#define TESTS_LIB_MANAGER_H

#include <stdatomic.h>

#include "lib/buf.h"

struct manager;

/* What it answers; may be changed between calls. */
struct manager_says {
	const char *_Atomic result;    /* of a job; NULL: the job never ends */
	const char *_Atomic error;     /* D-Bus error of every job verb, or NULL */
	const char *_Atomic no_reboot; /* D-Bus error of the login manager's Reboot, or NULL */
	const char *_Atomic state;     /* ActiveState */
	atomic_uint pid;               /* MainPID */
	atomic_uint restarts;          /* NRestarts */
	atomic_uint pid_after;         /* MainPID after a job; 0: as before */
};

/* Starts the bus and the manager, and points DBUS_SYSTEM_BUS_ADDRESS there. */
struct manager *manager_open(struct manager_says *says);
void manager_close(struct manager **m);
/* The verbs that were called, "Subscribe RestartUnit(x.service,replace) ...", without LoadUnit; the
 * caller's to free. */
char *manager_heard(struct manager *m);

#endif
