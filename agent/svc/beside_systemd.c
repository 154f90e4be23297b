/* Beside a unit: a transient unit, UNIT-challenger.service, with limits that the kernel keeps. */
#include "agent/svc/beside_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

#define MARK              "unit" /* there while it may run */
#define START_WAIT        SEC(30)
#define STOP_WAIT         SEC(30)
#define TASKS_MAX         512ULL
#define WEIGHT_LEAST      1ULL /* of 1 to 10000; 100 is everybody's */
#define SCHED_IDLE_NUMBER 5

static int systemd_open(struct beside *b, struct err *e UNUSED)
{
	size_t n = strlen(b->conf.unit);
	const char *end = ".service";

	if (n > strlen(end) && strcmp(b->conf.unit + n - strlen(end), end) == 0)
		n -= strlen(end);
	snprintf(b->unit, sizeof b->unit, "%.*s-challenger.service", (int)n, b->conf.unit);
	return 0;
}

struct order {
	struct beside *b;
	const struct beside_spec *spec;
};

/* ExecStart is a(sasb): the program, its arguments, and whether it may fail. */
static int add_command(sd_bus_message *m, const struct beside_spec *spec)
{
	char path[SVC_PATH_MAX + LIMIT_ARG_BYTES];
	int rc;

	if (spec->argv[0][0] == '/' || !strchr(spec->argv[0], '/'))
		snprintf(path, sizeof path, "%s", spec->argv[0]);
	else
		snprintf(path, sizeof path, "%s/%s", spec->slot_dir, spec->argv[0]);
	if ((rc = sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
		(rc = sd_bus_message_append(m, "s", "ExecStart")) < 0 ||
		(rc = sd_bus_message_open_container(m, 'v', "a(sasb)")) < 0 ||
		(rc = sd_bus_message_open_container(m, 'a', "(sasb)")) < 0 ||
		(rc = sd_bus_message_open_container(m, 'r', "sasb")) < 0 ||
		(rc = sd_bus_message_append(m, "s", path)) < 0 ||
		(rc = sd_bus_message_append_strv(m, (char **)spec->argv)) < 0 ||
		(rc = sd_bus_message_append(m, "b", false)) < 0)
		return rc;
	for (int i = 0; i < 4; i++)
		if ((rc = sd_bus_message_close_container(m)) < 0)
			return rc;
	return 0;
}

static int add_environment(sd_bus_message *m, const struct beside_spec *spec)
{
	int rc;

	if ((rc = sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
		(rc = sd_bus_message_append(m, "s", "Environment")) < 0 ||
		(rc = sd_bus_message_open_container(m, 'v', "as")) < 0 ||
		(rc = sd_bus_message_append_strv(m, (char **)spec->env)) < 0 ||
		(rc = sd_bus_message_close_container(m)) < 0)
		return rc;
	return sd_bus_message_close_container(m);
}

/* The same standing for every challenger: it sees the machine and may change nothing of it. */
static int add_standing(sd_bus_message *m, const struct order *o)
{
	return sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s",
		"a challenger beside the workload", "Type", "s", "exec", "CollectMode", "s",
		"inactive-or-failed", "WorkingDirectory", "s", o->spec->slot_dir, "NoNewPrivileges",
		"b", true, "PrivateTmp", "b", true, "ProtectSystem", "s", "strict",
		"OOMScoreAdjust", "i", 1000, "CPUSchedulingPolicy", "i", SCHED_IDLE_NUMBER);
}

int beside_add_limits(sd_bus_message *m, const struct beside_spec *spec)
{
	int rc = sd_bus_message_append(m, "(sv)(sv)(sv)", "CPUWeight", "t", WEIGHT_LEAST,
		"IOWeight", "t", WEIGHT_LEAST, "TasksMax", "t", TASKS_MAX);

	if (rc >= 0 && spec->max_memory)
		rc = sd_bus_message_append(m, "(sv)(sv)", "MemoryMax", "t", spec->max_memory,
			"MemorySwapMax", "t", (uint64_t)0);
	if (rc >= 0 && spec->cpu_percent)
		rc = sd_bus_message_append(
			m, "(sv)", "CPUQuotaPerSecUSec", "t", (uint64_t)spec->cpu_percent * 10000);
	return rc;
}

static int add_user(sd_bus_message *m, const struct beside_spec *spec)
{
	char uid[16], gid[16];
	int rc = 0;

	snprintf(uid, sizeof uid, "%u", spec->uid);
	snprintf(gid, sizeof gid, "%u", spec->gid);
	if (spec->uid)
		rc = sd_bus_message_append(m, "(sv)", "User", "s", uid);
	if (rc >= 0 && spec->gid)
		rc = sd_bus_message_append(m, "(sv)", "Group", "s", gid);
	return rc;
}

static int fill(sd_bus_message *m, void *ctx)
{
	const struct order *o = ctx;
	int rc;

	if ((rc = sd_bus_message_open_container(m, 'a', "(sv)")) < 0 ||
		(rc = add_standing(m, o)) < 0 || (rc = add_command(m, o->spec)) < 0 ||
		(rc = add_environment(m, o->spec)) < 0 ||
		(rc = beside_add_limits(m, o->spec)) < 0 || (rc = add_user(m, o->spec)) < 0 ||
		(rc = sd_bus_message_close_container(m)) < 0)
		return rc;
	return sd_bus_message_append(m, "a(sa(sv))", 0);
}

/* Marked first: whoever is killed in between leaves a mark too many, never a unit too many. */
static int systemd_start(struct beside *b, const struct beside_spec *spec, struct err *e)
{
	struct order o = {b, spec};

	TRY(fs_write_file(&b->own, MARK, b->unit, strlen(b->unit), 0640, e));
	snprintf(b->limits, sizeof b->limits, "a unit of the service manager");
	return svc_unit_call(
		&(struct svc_unit_call){
			.verb = "StartTransientUnit", .unit = b->unit, .fill = fill, .ctx = &o},
		START_WAIT, e);
}

static int systemd_look(struct beside *b, bool *out_alive, struct err *e)
{
	struct svc_unit_view v;

	TRY(svc_unit_look(b->unit, &v, e));
	*out_alive = v.active;
	return 0;
}

static bool is_marked(struct beside *b)
{
	BUF_AUTO text = {0};

	return fs_read_file(&b->own, MARK, sizeof b->unit, &text, NULL) == 0;
}

/* A unit that has ended by itself is gone, and cannot be stopped. */
static int systemd_stop(struct beside *b, struct err *e)
{
	struct svc_unit_view v;

	if (!is_marked(b))
		return 0;
	TRY(svc_unit_look(b->unit, &v, e));
	if (v.active || v.pid)
		TRY(svc_unit_order("StopUnit", b->unit, STOP_WAIT, e));
	return fs_remove_tree(&b->own, MARK, e);
}

static int systemd_log_tail(struct beside *b, size_t max, struct buf *out, struct err *e)
{
	return svc_journal_tail_of(b->unit, max, out, e);
}

static bool systemd_is_workload(struct beside *b, pid_t pid)
{
	char *unit = NULL;
	bool is = sd_pid_get_unit(pid, &unit) >= 0 && strcmp(unit, b->conf.unit) == 0;

	free(unit);
	return is;
}

const struct beside_driver beside_systemd = {
	.kind = "systemd",
	.open = systemd_open,
	.start = systemd_start,
	.look = systemd_look,
	.stop = systemd_stop,
	.log_tail = systemd_log_tail,
	.is_workload = systemd_is_workload,
};
