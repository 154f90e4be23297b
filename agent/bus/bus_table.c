#include <string.h>

#include "agent/bus/bus_priv.h"

static int open_nothing(struct bus *b UNUSED, struct err *e UNUSED)
{
	return 0;
}

static void close_nothing(struct bus *b UNUSED)
{
}

const struct bus_driver bus_none = {
	.kind = "none",
	.help = "Nobody is served.",
	.open = open_nothing,
	.close = close_nothing,
};

static const struct bus_driver *const drivers[] = {&bus_none, &bus_system};

const struct bus_driver *bus_driver_find(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (strcmp(drivers[i]->kind, kind) == 0)
			return drivers[i];
	return NULL;
}

int bus_open(sd_event *loop, const struct bus_conf *c, struct bus **out, struct err *e)
{
	struct bus *b;
	const struct bus_driver *d = bus_driver_find(c->kind);

	if (!d)
		return err_set(e, ERR_CONFIG, "agent.bus: no driver is called '%s'", c->kind);
	b = mem_new(sizeof(*b));
	b->driver = d;
	b->conf = *c;
	b->loop = loop;
	if (d->open(b, e) < 0) {
		bus_close(&b);
		return -(int)e->code;
	}
	*out = b;
	return 0;
}

void bus_close(struct bus **pb)
{
	if (!*pb)
		return;
	(*pb)->driver->close(*pb);
	mem_free(pb);
}
