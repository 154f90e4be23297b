/* What the files of the machine's world share. */
#ifndef AGENT_WORLD_PRIV_H
#define AGENT_WORLD_PRIV_H

#include <systemd/sd-event.h>

#include "agent/access.h"
#include "agent/account.h"
#include "agent/medium.h"
#include "agent/svc/beside.h"
#include "agent/svc/svc.h"
#include "agent/world.h"

struct world {
	const struct agent_conf *conf;
	struct agent_world ports;
	struct fs fs, devices;
	bool has_fs;
	int lock;
	struct access *access;
	struct push *push; /* NULL: nobody wakes it */
	struct medium *medium;
	struct svc *svc;
	struct account smoke;
	struct agent *agent;
	sd_event *loop;
	sd_event_source *timer, *endings, *wakes;
	ms_t wake_at;
	bool once, settled;
};

/* The functions of a world; what a device has (file systems, clock, start of the machine) is filled
 * in by whoever opens it. */
extern const struct agent_world world_port_table;

/* What the service driver is to know. */
void world_svc_conf(const struct world *w, struct svc_conf *out);

#endif
