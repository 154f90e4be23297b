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

struct svc_systemd {
	struct svc_conf conf;
	struct fs run;
	struct svc_record record; /* id and slot: set by `moved`, and good for that process only */
};

static int systemd_open(const struct svc_conf *c, void **out_self, struct err *e)
{
	struct svc_systemd *x;
	int rc;

	if (c->unit[0] == 0)
		return err_set(e, ERR_CONFIG, "no unit");
	x = mem_new(sizeof *x);
	x->conf = *c;
	rc = fs_posix_open(c->run_dir, &x->run, e);
	if (rc == 0)
		rc = svc_record_load(&x->run, &x->record, e);
	if (rc < 0) {
		if (x->run.ops)
			fs_posix_close(&x->run);
		mem_free(&x);
		return rc;
	}
	*out_self = x;
	return 0;
}

static void systemd_close(void *self)
{
	struct svc_systemd *x = self;

	fs_posix_close(&x->run);
	mem_free(&x);
}

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

static int queue_job(
	sd_bus *bus, const char *verb, const char *unit, struct job *job, struct err *e)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	const char *path;
	int rc;

	rc = sd_bus_call_method(
		bus, MANAGER, MANAGER_PATH, MANAGER_FACE, verb, &why, &m, "ss", unit, "replace");
	if (rc < 0)
		return svc_bus_refused(verb, rc, &why, e);
	rc = sd_bus_message_read(m, "o", &path);
	if (rc >= 0)
		snprintf(job->path, sizeof job->path, "%s", path);
	sd_bus_message_unref(m);
	return rc < 0 ? err_sys(e, -rc, "%s", verb) : 0;
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
static int run_job(sd_bus *bus, const char *verb, const char *unit, ms_t timeout, struct err *e)
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
		rc = queue_job(bus, verb, unit, &job, e);
	if (rc == 0)
		rc = wait_removed(bus, &job, deadline, e);
	sd_bus_slot_unref(slot);
	if (rc == 0 && strcmp(job.result, "done") != 0)
		rc = err_set(e, ERR_START_FAILED, "job %s", job.result);
	return rc < 0 ? err_wrap(e, "%s %s", verb, unit) : 0;
}

static int order(struct svc_systemd *x, const char *verb, ms_t timeout, struct err *e)
{
	CLEANUP(svc_bus_close) sd_bus *bus = NULL;

	TRY(svc_bus_open(&bus, e));
	return run_job(bus, verb, x->conf.unit, timeout, e);
}

/* ---- looking ---- */

struct unit_view {
	bool active, failed;
	uint32_t pid, restarts;
};

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

static int read_state(sd_bus *bus, const char *path, struct unit_view *out, struct err *e)
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

static int look_at_unit(const char *unit, struct unit_view *out, struct err *e)
{
	CLEANUP(svc_bus_close) sd_bus *bus = NULL;
	struct unit_view v = {0};
	char path[256];

	TRY(svc_bus_open(&bus, e));
	TRY(load_unit(bus, unit, path, sizeof path, e));
	TRY(read_state(bus, path, &v, e));
	TRY(read_number(bus, path, "MainPID", &v.pid, e));
	TRY(read_number(bus, path, "NRestarts", &v.restarts, e));
	*out = v;
	return 0;
}

/* systemd counts restarts since the unit was last started by hand, and does not count the end that
 * it leaves be. */
static int count_ends(struct svc_systemd *x, const struct unit_view *v, struct err *e)
{
	struct svc_record r = x->record;
	bool again = v->restarts < r.restarts;

	if (v->restarts == r.restarts && v->failed == r.failed)
		return 0;
	r.ended += again ? v->restarts : v->restarts - r.restarts;
	if (v->failed && !r.failed)
		r.ended++;
	r.restarts = v->restarts;
	r.failed = v->failed;
	TRY(svc_record_save(&x->run, &r, e));
	x->record = r;
	return 0;
}

static unsigned slot_of(const struct svc_systemd *x, uint32_t pid)
{
	struct proc_id id;
	char cwd[48];

	if (pid == 0 || proc_id_of((pid_t)pid, &id, NULL) < 0)
		return SLOT_NONE;
	if (id.pid == x->record.id.pid && id.start == x->record.id.start)
		return x->record.slot;
	snprintf(cwd, sizeof cwd, "/proc/%lu/cwd", (unsigned long)pid);
	return svc_place_slot(&x->conf, cwd);
}

static int systemd_look(void *self, struct svc_view *out, struct err *e)
{
	struct svc_systemd *x = self;
	struct unit_view v;

	TRY(look_at_unit(x->conf.unit, &v, e));
	TRY(count_ends(x, &v, e));
	*out = (struct svc_view){
		.alive = v.active,
		.slot = v.active ? slot_of(x, v.pid) : SLOT_NONE,
		.ended = x->record.ended,
		.pid = v.active ? v.pid : 0,
	};
	return 0;
}

static int systemd_moved(void *self, unsigned slot, struct err *e)
{
	struct svc_systemd *x = self;
	struct svc_record r = x->record;
	struct unit_view v;

	TRY(look_at_unit(x->conf.unit, &v, e));
	TRY(proc_id_of((pid_t)v.pid, &r.id, e));
	r.slot = slot;
	TRY(svc_record_save(&x->run, &r, e));
	x->record = r;
	return 0;
}

static int systemd_apply(
	void *self, unsigned slot, enum activation how, ms_t timeout, struct err *e)
{
	struct svc_systemd *x = self;
	struct unit_view before = {0}, after = {0};

	if (how == ACTIVATE_RESTART)
		return order(x, "RestartUnit", timeout, e);
	TRY(look_at_unit(x->conf.unit, &before, e));
	TRY(order(x, "ReloadOrRestartUnit", timeout, e));
	TRY(look_at_unit(x->conf.unit, &after, e));
	return after.pid && after.pid == before.pid ? systemd_moved(x, slot, e) : 0;
}

static int systemd_stop(void *self, struct err *e)
{
	struct svc_systemd *x = self;

	return order(x, "StopUnit", MINUTE(2), e);
}

static int systemd_log_tail(void *self, size_t max, struct buf *out, struct err *e)
{
	struct svc_systemd *x = self;

	return svc_journal_tail_of(x->conf.unit, max, out, e);
}

const struct svc_driver svc_systemd = {
	.kind = "systemd",
	.help = "A unit of the service manager, asked over D-Bus; its WorkingDirectory is "
		"HOME/current.",
	.open = systemd_open,
	.close = systemd_close,
	.apply = systemd_apply,
	.look = systemd_look,
	.moved = systemd_moved,
	.stop = systemd_stop,
	.log_tail = systemd_log_tail,
};
