#include "agent/svc/svc_priv.h"

static int none_open(const struct svc_conf *c, void **out_self, struct err *e)
{
	(void)c;
	(void)e;
	*out_self = NULL;
	return 0;
}

static void none_close(void *self)
{
	(void)self;
}

static int none_apply(void *self, unsigned slot, enum activation how, ms_t timeout, struct err *e)
{
	(void)self;
	(void)slot;
	(void)how;
	(void)timeout;
	(void)e;
	return 0;
}

static int none_look(void *self, struct svc_view *out, struct err *e)
{
	(void)self;
	(void)e;
	*out = (struct svc_view){.alive = true, .slot = SLOT_NONE};
	return 0;
}

static int none_moved(void *self, unsigned slot, struct err *e)
{
	(void)self;
	(void)slot;
	(void)e;
	return 0;
}

static int none_stop(void *self, struct err *e)
{
	(void)self;
	(void)e;
	return 0;
}

static int none_log_tail(void *self, size_t max, struct buf *out, struct err *e)
{
	(void)self;
	(void)max;
	(void)out;
	(void)e;
	return 0;
}

const struct svc_driver svc_none = {
	.kind = "none",
	.help = "Nothing is started or watched: the workload notices by itself that `current` moved.",
	.open = none_open,
	.close = none_close,
	.apply = none_apply,
	.look = none_look,
	.moved = none_moved,
	.stop = none_stop,
	.log_tail = none_log_tail,
};
