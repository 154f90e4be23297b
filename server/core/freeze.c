#include "server/core/freeze.h"

#define DAY      MINUTE(24 * 60)
#define WEEK_DAY 7

static void see(ms_t from, ms_t until, ms_t now, unsigned which, struct freeze_view *v)
{
	if (until <= now) {
		v->ended = MAX(v->ended, until);
	} else if (from <= now && (!v->frozen || until > v->until)) {
		v->frozen = true;
		v->which = which;
		v->until = until;
	}
}

/* 1970-01-01 was a Thursday; Monday is 0. */
static unsigned week_day(ms_t day)
{
	return (unsigned)((day + 3) % WEEK_DAY + WEEK_DAY) % WEEK_DAY;
}

/* Those that began within the last week; one lasts two days at most. */
static void see_weekly(
	const struct policy_freeze *f, ms_t now, unsigned which, struct freeze_view *v)
{
	ms_t offset = MINUTE(f->offset_min), today = (now + offset) / DAY;
	ms_t until_min = f->until_min > f->from_min ? f->until_min : f->until_min + 24 * 60;

	for (ms_t day = today - WEEK_DAY - 1; day <= today; day++)
		if (f->days & 1U << week_day(day))
			see(day * DAY + MINUTE(f->from_min) - offset,
				day * DAY + MINUTE(until_min) - offset, now, which, v);
}

void freeze_look(const struct policy *p, ms_t now, struct freeze_view *out)
{
	struct freeze_view v = {0};

	for (unsigned i = 0; i < p->n_freezes; i++)
		if (p->freezes[i].weekly)
			see_weekly(&p->freezes[i], now, i, &v);
		else
			see(p->freezes[i].from, p->freezes[i].until, now, i, &v);
	*out = v;
}
