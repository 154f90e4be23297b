#include "agent/svc/svc_priv.h"

#include <stdio.h>
#include <string.h>

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

static int order(struct svc_systemd *x, const char *verb, ms_t timeout, struct err *e)
{
	return svc_unit_order(verb, x->conf.unit, timeout, e);
}

/* ---- looking ---- */

/* systemd counts restarts since the unit was last started by hand, and does not count the end that
 * it leaves be. */
static int count_ends(struct svc_systemd *x, const struct svc_unit_view *v, struct err *e)
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
	struct svc_unit_view v;

	TRY(svc_unit_look(x->conf.unit, &v, e));
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
	struct svc_unit_view v;

	TRY(svc_unit_look(x->conf.unit, &v, e));
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
	struct svc_unit_view before = {0}, after = {0};

	if (how == ACTIVATE_RESTART)
		return order(x, "RestartUnit", timeout, e);
	TRY(svc_unit_look(x->conf.unit, &before, e));
	TRY(order(x, "ReloadOrRestartUnit", timeout, e));
	TRY(svc_unit_look(x->conf.unit, &after, e));
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
