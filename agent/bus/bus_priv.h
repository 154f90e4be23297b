/* The inside of the system bus driver: connection (bus_system.c), object (object.c), permission
 * (allow.c). Everything belongs to the loop's thread. */
#ifndef AGENT_BUS_BUS_PRIV_H
#define AGENT_BUS_BUS_PRIV_H

#include <systemd/sd-bus.h>

#include "agent/bus/bus.h"
#include "agent/bus/bus.tbl.h"

#define BUS_NAME      "org.backstay"
#define BUS_PATH      "/org/backstay"
#define BUS_INTERFACE "org.backstay.Installer"

extern const struct bus_driver bus_none, bus_system;

struct bus {
	const struct bus_driver *driver;
	struct bus_conf conf;
	sd_event *loop;
	sd_event_source *timer, *post;
	sd_bus *conn; /* NULL: not there */
	sd_bus_slot *object;
	struct bus_view told; /* as the bus knows it */
	unsigned state;       /* when it was last looked at */
	unsigned asks;        /* that wait for polkit */
};

/* ---- bus_system.c ---- */

/* Tells again in a second: something is under way. */
void bus_wake(struct bus *b);

/* ---- object.c ---- */

int object_add(struct bus *b, struct err *e) MUST_CHECK;
/* Tells the bus what has changed since it was told last, and that an update has ended. */
void object_tell(struct bus *b);

/* ---- allow.c ---- */

enum bus_action {
#define X(id, ...) BUS_ACTION_##id,
	BUS_ACTIONS(X)
#undef X
		BUS_ACTION_MAX
};

/* Carries a call out that its sender may make; replies to it. */
typedef int allowed_f(struct bus *b, sd_bus_message *m, sd_bus_error *error);

/* Calls `then` now or when polkit has answered; or replies that it is not allowed. For sd-bus to
 * return. */
int allow(
	struct bus *b, sd_bus_message *m, enum bus_action a, allowed_f *then, sd_bus_error *error);

/* Who has sent it, as the bus vouches for it. */
bool bus_sender(sd_bus_message *m, uid_t *out);

/* The D-Bus error of a failure of ours: org.backstay.Error.NAME. For sd-bus to return. */
int bus_fail(sd_bus_error *error, const struct err *e);

#endif
