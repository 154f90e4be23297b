/* A unit of the service manager: asked for jobs, and looked at. */
#include "agent/svc/svc_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/sys/clock.h"

#define MANAGER      "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_FACE "org.freedesktop.systemd1.Manager"
#define UNIT_FACE    "org.freedesktop.systemd1.Unit"
#define SERVICE_FACE "org.freedesktop.systemd1.Service"
#define UNIT_PATH    256 /* of a unit's object on the bus */

/* ---- jobs ---- */

struct job {
	char path[128];
	char result[32]; /* "": not removed yet */
};

static int job_removed(sd_bus_message *m, void *ctx, sd_bus_error *unused)
{
	const char *path, *unit, *result;
	struct job *job = ctx;
	uint32_t id;

	(void)unused;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0 &&
		strcmp(path, job->path) == 0)
		snprintf(job->result, sizeof job->result, "%s", result);
	return 0;
}

static int ask(sd_bus *bus, const struct svc_unit_call *c, sd_bus_message **out, struct err *e)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	sd_bus_message *q = NULL;
	int rc = sd_bus_message_new_method_call(
		bus, &q, MANAGER, MANAGER_PATH, MANAGER_FACE, c->verb);

	if (rc >= 0)
		rc = sd_bus_message_append(q, "ss", c->unit, "replace");
	if (rc >= 0 && c->fill)
		rc = c->fill(q, c->ctx);
	if (rc >= 0)
		rc = sd_bus_call(bus, q, 0, &why, out);
	sd_bus_message_unref(q);
	return rc < 0 ? svc_bus_refused(c->verb, rc, &why, e) : 0;
}

static int queue_job(sd_bus *bus, const struct svc_unit_call *c, struct job *job, struct err *e)
{
	sd_bus_message *m = NULL;
	const char *path;
	int rc;

	TRY(ask(bus, c, &m, e));
	rc = sd_bus_message_read(m, "o", &path);
	if (rc >= 0)
		snprintf(job->path, sizeof job->path, "%s", path);
	sd_bus_message_unref(m);
	return rc < 0 ? err_sys(e, -rc, "%s", c->verb) : 0;
}

static int wait_removed(sd_bus *bus, struct job *job, ms_t deadline, struct err *e)
{
	while (job->result[0] == 0) {
		ms_t left = deadline - clock_system.mono(clock_system.self);
		int rc = sd_bus_process(bus, NULL);

		if (rc == 0 && left <= 0)
			return err_set(e, ERR_TIMEOUT, "the job is not done in time");
		if (rc == 0)
			rc = sd_bus_wait(bus, (uint64_t)left * 1000);
		if (rc < 0 && rc != -EINTR)
			return err_sys(e, -rc, "wait for the job");
	}
	return 0;
}

/* The signal is asked for before the job is, so that it cannot be missed. */
static int run_job(sd_bus *bus, const struct svc_unit_call *c, ms_t timeout, struct err *e)
{
	ms_t deadline = clock_system.mono(clock_system.self) + timeout;
	sd_bus_error why = SD_BUS_ERROR_NULL;
	sd_bus_slot *slot = NULL;
	struct job job = {0};
	int rc;

	rc = sd_bus_match_signal(
		bus, &slot, MANAGER, MANAGER_PATH, MANAGER_FACE, "JobRemoved", job_removed, &job);
	if (rc < 0)
		return err_sys(e, -rc, "watch jobs");
	rc = sd_bus_call_method(
		bus, MANAGER, MANAGER_PATH, MANAGER_FACE, "Subscribe", &why, NULL, "");
	if (rc < 0)
		rc = svc_bus_refused("Subscribe", rc, &why, e);
	else
		rc = queue_job(bus, c, &job, e);
	if (rc == 0)
		rc = wait_removed(bus, &job, deadline, e);
	sd_bus_slot_unref(slot);
	if (rc == 0 && strcmp(job.result, "done") != 0)
		rc = err_set(e, ERR_START_FAILED, "job %s", job.result);
	return rc < 0 ? err_wrap(e, "%s %s", c->verb, c->unit) : 0;
}

int svc_unit_call(const struct svc_unit_call *c, ms_t timeout, struct err *e)
{
	CLEANUP(svc_bus_close) sd_bus *bus = NULL;

	TRY(svc_bus_open(&bus, e));
	return run_job(bus, c, timeout, e);
}

int svc_unit_order(const char *verb, const char *unit, ms_t timeout, struct err *e)
{
	return svc_unit_call(&(struct svc_unit_call){.verb = verb, .unit = unit}, timeout, e);
}

/* ---- looking ---- */

static int load_unit(sd_bus *bus, const char *unit, char *out, size_t cap, struct err *e)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	const char *path;
	int rc;

	rc = sd_bus_call_method(
		bus, MANAGER, MANAGER_PATH, MANAGER_FACE, "LoadUnit", &why, &m, "s", unit);
	if (rc < 0)
		return svc_bus_refused("LoadUnit", rc, &why, e);
	rc = sd_bus_message_read(m, "o", &path);
	if (rc >= 0)
		snprintf(out, cap, "%s", path);
	sd_bus_message_unref(m);
	return rc < 0 ? err_sys(e, -rc, "LoadUnit") : 0;
}

static int read_number(
	sd_bus *bus, const char *path, const char *name, uint32_t *out, struct err *e)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	int rc =
		sd_bus_get_property_trivial(bus, MANAGER, path, SERVICE_FACE, name, &why, 'u', out);

	return rc < 0 ? svc_bus_refused(name, rc, &why, e) : 0;
}

static int read_state(sd_bus *bus, const char *path, struct svc_unit_view *out, struct err *e)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	char *state = NULL;
	int rc = sd_bus_get_property_string(
		bus, MANAGER, path, UNIT_FACE, "ActiveState", &why, &state);

	if (rc < 0)
		return svc_bus_refused("ActiveState", rc, &why, e);
	out->active = strcmp(state, "active") == 0 || strcmp(state, "reloading") == 0;
	out->failed = strcmp(state, "failed") == 0;
	mem_free(&state);
	return 0;
}

/* Opens *bus, which the caller closes. */
static int look(sd_bus **bus, const char *unit, char path[UNIT_PATH], struct svc_unit_view *out,
	struct err *e)
{
	TRY(svc_bus_open(bus, e));
	TRY(load_unit(*bus, unit, path, UNIT_PATH, e));
	return read_state(*bus, path, out, e);
}

int svc_unit_is_there(const char *unit, bool *out, struct err *e)
{
	CLEANUP(svc_bus_close) sd_bus *bus = NULL;
	struct svc_unit_view v = {0};
	char path[UNIT_PATH];

	TRY(look(&bus, unit, path, &v, e));
	*out = v.active;
	return 0;
}

int svc_unit_look(const char *unit, struct svc_unit_view *out, struct err *e)
{
	CLEANUP(svc_bus_close) sd_bus *bus = NULL;
	struct svc_unit_view v = {0};
	char path[UNIT_PATH];

	TRY(look(&bus, unit, path, &v, e));
	TRY(read_number(bus, path, "MainPID", &v.pid, e));
	TRY(read_number(bus, path, "NRestarts", &v.restarts, e));
	*out = v;
	return 0;
}
