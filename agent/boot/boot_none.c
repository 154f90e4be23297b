/* One place that is never switched: slot a, for ever. */
#include "agent/boot/boot_priv.h"

static int none_look(struct boot *b, struct boot_view *out, struct err *e)
{
	(void)b;
	(void)e;
	*out = (struct boot_view){.active = 0, .confirmed = 0};
	return 0;
}

static int only_a(unsigned slot, struct err *e)
{
	if (slot == 0)
		return 0;
	return err_set(e, ERR_CONFLICT, "this device has one slot, which is never switched");
}

static int none_try_next(struct boot *b, unsigned slot, unsigned tries, struct err *e)
{
	(void)b;
	(void)tries;
	return only_a(slot, e);
}

static int none_set(struct boot *b, unsigned slot, struct err *e)
{
	(void)b;
	return only_a(slot, e);
}

const struct boot_adapter boot_none = {
	.kind = "none",
	.help = "one slot for ever",
	.open = boot_open_nothing,
	.close = boot_close_nothing,
	.look = none_look,
	.try_next = none_try_next,
	.confirm = none_set,
	.go_back = none_set,
};
