/* Slots that the machine is started from: to bring the other one to run is to restart the machine.
 * apply only asks for that; who waits for it (svc_start) is cancelled when the agent is told to
 * end, and after the restart the boot loader has decided what runs. */
#include "agent/svc/svc_priv.h"

#include <string.h>

#define PATIENCE MINUTE(5) /* until everything has stopped */

struct reboot {
	unsigned booted;
	const struct svc_driver *base;
	void *self; /* the base's */
	int (*restart_machine)(struct err *);
};

static int reboot_open(const struct svc_conf *c, void **out_self, struct err *e)
{
	const struct svc_driver *base = svc_driver_find(c->base);
	struct reboot *x;
	int rc;

	if (base != &svc_systemd && base != &svc_none)
		return err_set(e, ERR_CONFIG, "reboot: \"%s\" cannot be its base", c->base);
	x = mem_new(sizeof *x);
	*x = (struct reboot){
		.booted = c->booted, .base = base, .restart_machine = c->restart_machine};
	rc = base->open(c, &x->self, e);
	if (rc < 0)
		mem_free(&x);
	else
		*out_self = x;
	return rc;
}

static void reboot_close(void *self)
{
	struct reboot *x = self;

	x->base->close(x->self);
	mem_free(&x);
}

/* logind says it to everybody who wants to know and stops nothing by force; where there is none,
 * the service manager goes the same way. */
static const struct ask {
	const char *name, *path, *face, *verb, *types, *text[2];
} asks[] = {
	{"org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
		"Reboot", "b", {NULL}},
	{"org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "StartUnit", "ss",
		{"reboot.target", "replace-irreversibly"}},
};

static int ask_one(sd_bus *bus, const struct ask *a, struct err *e)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	int rc = a->text[0] ? sd_bus_call_method(bus, a->name, a->path, a->face, a->verb, &why,
				      NULL, a->types, a->text[0], a->text[1])
			    : sd_bus_call_method(bus, a->name, a->path, a->face, a->verb, &why,
				      NULL, a->types, 0);

	return rc < 0 ? svc_bus_refused(a->verb, rc, &why, e) : 0;
}

static int ask_somebody(struct err *e)
{
	CLEANUP(svc_bus_close) sd_bus *bus = NULL;
	int rc = 0;

	TRY(svc_bus_open(&bus, e));
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		rc = ask_one(bus, &asks[i], e);
		if (rc == 0)
			break;
	}
	return rc;
}

static int reboot_apply(
	void *self, unsigned slot, enum activation how UNUSED, ms_t timeout UNUSED, struct err *e)
{
	struct reboot *x = self;
	int rc;

	if (slot == x->booted)
		return 0;
	rc = ask_somebody(e);
	if (rc < 0 && x->restart_machine)
		rc = x->restart_machine(e);
	return rc < 0 ? err_wrap(e, "restart the machine") : 0;
}

/* The slot is known while the workload is not up yet: nothing else can run here. */
static int reboot_look(void *self, struct svc_view *out, struct err *e)
{
	struct reboot *x = self;
	struct svc_view v;

	TRY(x->base->look(x->self, &v, e));
	v.slot = x->booted;
	*out = v;
	return 0;
}

static int reboot_moved(void *self UNUSED, unsigned slot UNUSED, struct err *e UNUSED)
{
	return 0;
}

static int reboot_stop(void *self, struct err *e)
{
	struct reboot *x = self;

	return x->base->stop(x->self, e);
}

static int reboot_log_tail(void *self, size_t max, struct buf *out, struct err *e)
{
	struct reboot *x = self;

	return x->base->log_tail(x->self, max, out, e);
}

const struct svc_driver svc_reboot = {
	.kind = "reboot",
	.help = "Restarts the machine into the other slot, by the boot loader; another driver says "
		"whether the workload runs there.",
	.patience = PATIENCE,
	.open = reboot_open,
	.close = reboot_close,
	.apply = reboot_apply,
	.look = reboot_look,
	.moved = reboot_moved,
	.stop = reboot_stop,
	.log_tail = reboot_log_tail,
};
