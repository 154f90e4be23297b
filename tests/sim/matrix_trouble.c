/* What happens around a device. */
#include "tests/sim/matrix_priv.h"

/* How long one lasts, and how long after it the next begins. */
static const struct trouble_row {
	ms_t least, most;     /* 0: a moment */
	ms_t calm, mean_calm; /* at least, and on average beyond that */
} rows[TROUBLE_MAX] = {
	[TROUBLE_NETWORK] = {MINUTE(1), MINUTE(20), MINUTE(1), MINUTE(12)},
	[TROUBLE_OFFLINE] = {MINUTE(30), MINUTE(300), MINUTE(5), MINUTE(40)},
	[TROUBLE_SERVER] = {MINUTE(1), MINUTE(20), MINUTE(1), MINUTE(12)},
	[TROUBLE_AWAY] = {MINUTE(40), MINUTE(300), 0, MINUTE(40)},
	[TROUBLE_CLOUD] = {MINUTE(1), MINUTE(20), MINUTE(1), MINUTE(12)},
	[TROUBLE_POWER] = {0, 0, MINUTE(4), MINUTE(10)},
	[TROUBLE_REBOOTS] = {0, 0, MINUTE(3), MINUTE(15)},
	[TROUBLE_RUSH] = {MINUTE(2), MINUTE(20), MINUTE(1), MINUTE(12)},
	[TROUBLE_CLOCK] = {0, 0, MINUTE(1), MINUTE(8)},
	[TROUBLE_BLIND] = {MINUTE(1), MINUTE(15), MINUTE(1), MINUTE(8)},
};

/* In the row of all troubles each is one of these. */
static const enum trouble any[] = {TROUBLE_NETWORK, TROUBLE_OFFLINE, TROUBLE_SERVER, TROUBLE_CLOUD,
	TROUBLE_POWER, TROUBLE_REBOOTS, TROUBLE_RUSH, TROUBLE_CLOCK, TROUBLE_BLIND};

static void wait_for_next(struct device *d, enum trouble last)
{
	struct trouble_state *t = &d->trouble;
	const struct trouble_row *row = &rows[last];

	t->now = TROUBLE_NONE;
	t->until = d->total + row->calm + draw_wait(&d->r, row->mean_calm);
}

void trouble_begin(struct device *d)
{
	enum trouble kind = d->trouble.kind;

	if (kind == TROUBLE_ALL)
		kind = TROUBLE_RUSH;
	wait_for_next(d, kind);
	if (rows[kind].mean_calm == 0)
		d->trouble.until = INT64_MAX;
	if (kind == TROUBLE_AWAY) /* it is away when the update comes */
		d->trouble.until = 0;
}

static void end(struct device *d)
{
	struct load *l = &d->load;

	l->link = l->carrier = l->cloud = l->server = true;
	l->blind = false;
	l->rush = 1;
	wait_for_next(d, d->trouble.now);
}

/* The clock is set, to any day within a year; or the machine sleeps, and only then time goes on. */
static void disturb_clock(struct device *d, ms_t *span)
{
	if (prng_below(&d->r, 2))
		d->wall += (ms_t)draw_uniform(&d->r, -3e10, 3e10);
	else
		*span += (ms_t)draw_uniform(&d->r, 60e3, 30 * 60e3);
}

static void begin(struct device *d, enum trouble kind)
{
	struct load *l = &d->load;
	const struct trouble_row *row = &rows[kind];

	d->trouble.now = kind;
	d->trouble.until =
		d->total + (ms_t)draw_uniform(&d->r, (double)row->least, (double)row->most);
	l->link = kind != TROUBLE_NETWORK && kind != TROUBLE_OFFLINE;
	l->carrier = l->link || (kind == TROUBLE_NETWORK && prng_below(&d->r, 2));
	l->server = kind != TROUBLE_SERVER && kind != TROUBLE_AWAY;
	l->cloud = kind != TROUBLE_CLOUD;
	l->blind = kind == TROUBLE_BLIND;
	l->rush = kind == TROUBLE_RUSH ? draw_uniform(&d->r, 1.2, 2.4) : 1;
}

bool trouble_pass(struct device *d, ms_t *span)
{
	struct trouble_state *t = &d->trouble;
	enum trouble kind = t->kind;

	if (d->total < t->until)
		return false;
	if (t->now != TROUBLE_NONE) {
		end(d);
		return false;
	}
	if (kind == TROUBLE_ALL)
		kind = any[prng_below(&d->r, ARRAY_LEN(any))];
	begin(d, kind);
	if (kind == TROUBLE_CLOCK)
		disturb_clock(d, span);
	if (kind == TROUBLE_POWER || kind == TROUBLE_REBOOTS)
		d->wall += (ms_t)draw_uniform(&d->r, 5e3, 180e3);
	if (rows[kind].most == 0) {
		end(d);
		t->until += *span;
	}
	return kind == TROUBLE_POWER || kind == TROUBLE_REBOOTS;
}
