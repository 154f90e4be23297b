/* The agent on the system's message bus, for programs with a face. One file per kind of bus. */
#ifndef AGENT_BUS_BUS_H
#define AGENT_BUS_BUS_H

#include <systemd/sd-event.h>

#include "agent/ctl/ctl.h"

struct bus; /* opaque */

struct bus_conf {
	const char *kind;     /* "none"; "system": the bus that DBUS_SYSTEM_BUS_ADDRESS or the
				 machine names */
	ctl_answer_f *answer; /* called from the loop; must not block for long */
	unsigned (*state)(void *ctx); /* any number that changes with the state; cheap */
	void *ctx;
};

struct bus_driver {
	const char *kind;
	const char *help;
	/* A bus that is not there is no failure: it is tried again each minute. */
	int (*open)(struct bus *, struct err *) MUST_CHECK;
	void (*close)(struct bus *);
};

const struct bus_driver *bus_driver_find(const char *kind);

/* Serves org.backstay.Installer. ERR_IO when the loop cannot carry it, ERR_CONFIG for an unknown
 * kind. */
int bus_open(sd_event *loop, const struct bus_conf *c, struct bus **out, struct err *e) MUST_CHECK;
void bus_close(struct bus **b);

/* ---- what is said of the agent (view.c), from its answer to STATUS; pure ---- */

struct bus_view {
	bool busy; /* an update runs, or a folder is being read */
	bool well; /* the last one was accepted */
	int percent;
	char text[64];        /* what it does now */
	char last_error[256]; /* of the last update or folder; "" when it went well */
	char hardware[48], slot[4];
};

/* ERR_BAD_INPUT when it is no such answer. */
int bus_view_of(const json_t *status, struct bus_view *out, struct err *e) MUST_CHECK;

/* Which slot is meant by "booted", "other", or its name; ERR_NOT_FOUND. */
int bus_slot_of(const json_t *status, const char *said, char out[4], struct err *e) MUST_CHECK;

#endif
