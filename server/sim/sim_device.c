/* What devices do, with the release and without. Whatever is no fault of the release hits both arms
 * by the same draw and the same rule, for the same time: so that a difference is the release's. */
#include "server/sim/sim_priv.h"

#define PPM      1000000U
#define TRAIT(n) (0x5eed0000U + (n)) /* numbers of a device that stay */
#define SUDDEN   MINUTE(5)           /* within which a trouble makes a watch trip */

static bool has_trait(const struct sim *m, uint32_t i, uint32_t which, uint32_t ppm)
{
	const uint32_t key[] = {TRAIT(which), i};

	return ppm && hash64(m->c->seed, key, sizeof key) % PPM < ppm;
}

static bool is_sick(const struct sim *m, uint32_t i)
{
	return has_trait(m, i, 0, m->c->sick);
}

static bool is_hit(const struct sim *m, uint32_t i)
{
	return has_trait(m, i, 1, m->c->trouble.share);
}

static ms_t trouble_begin(const struct sim *m)
{
	return m->c->begin + m->c->trouble.at;
}

static ms_t trouble_end(const struct sim *m)
{
	return trouble_begin(m) + m->c->trouble.span;
}

/* Does the trouble trip what the device runs, while it is watched from .. to? */
static bool is_troubled(const struct sim *m, uint32_t i, ms_t from, ms_t to)
{
	return !m->c->trouble.away && from < trouble_end(m) && to > trouble_begin(m) &&
	       is_hit(m, i);
}

bool device_is_away(const struct sim *m, uint32_t i, ms_t *out_until)
{
	*out_until = trouble_end(m);
	return m->c->trouble.away && m->now >= trouble_begin(m) && m->now < trouble_end(m) &&
	       is_hit(m, i);
}

/* ---- an update ---- */

/* When and how an update ends. */
struct ending {
	ms_t at;
	bool bad, fault; /* the release's fault */
};

static struct ending draw_ending(struct sim *m, uint32_t i)
{
	ms_t end =
		m->now + m->c->update_min + sim_within(m, m->c->update_max - m->c->update_min + 1);
	ms_t from = end - m->c->watch;
	bool fault = sim_happens(m, m->c->fail);

	if (fault || is_sick(m, i) || sim_happens(m, m->c->usual))
		return (struct ending){end - sim_within(m, m->c->watch), true, fault};
	if (is_troubled(m, i, from, end))
		return (struct ending){
			MIN(end, MAX(from, trouble_begin(m)) + sim_within(m, SUDDEN)), true, false};
	return (struct ending){end, false, false};
}

/* Whoever cannot be reached tells of it later, and may be taken for silent before. */
static void tell(struct sim *m, uint32_t i, ms_t end, enum what what)
{
	ms_t from = MAX(m->now, trouble_begin(m)), until = trouble_end(m);

	if (m->c->trouble.away && is_hit(m, i) && end >= from && end < until) {
		if (from + m->c->policy->silence < until)
			sim_at(m, from + m->c->policy->silence, i, FALLS_SILENT);
		end = until + sim_within(m, m->c->poll);
	}
	sim_at(m, end, i, what);
}

void device_begin(struct sim *m, uint32_t i)
{
	struct ending x = draw_ending(m, i);

	m->v[i].state = RECIPIENT_ADMITTED;
	m->r.had_it++;
	if (x.fault && sim_happens(m, m->c->silent))
		sim_at(m, m->now + m->c->policy->silence, i, FALLS_SILENT);
	else
		tell(m, i, x.at, x.bad ? GOES_BACK : COMMITS);
}

/* ---- the steady watch ---- */

/* Watches of different devices end at different times. */
static void watch(struct sim *m, uint32_t i)
{
	if (m->v[i].watching || m->v[i].state != RECIPIENT_WAITING)
		return;
	m->v[i].watching = true;
	sim_at(m, m->now + 1 + sim_within(m, m->c->watch), i, WATCHES);
}

void device_watch_all(struct sim *m)
{
	for (uint32_t i = m->s.control_from; i < m->s.control_to && wave_is_control(&m->s, i); i++)
		watch(m, i);
}

static bool trips(struct sim *m, uint32_t i)
{
	return is_sick(m, i) || sim_happens(m, m->c->usual) ||
	       is_troubled(m, i, m->now - m->c->watch, m->now);
}

/* One span follows on the other; each device counts once a turn. */
int device_watched(struct sim *m, uint32_t i, struct err *e)
{
	struct wave_event ev = {.kind = WEV_CONTROL, .position = i, .who = "device"};
	ms_t until;

	m->v[i].watching = wave_is_control(&m->s, i);
	if (!m->v[i].watching)
		return 0;
	if (device_is_away(m, i, &until)) {
		sim_at(m, until + sim_within(m, m->c->poll), i, WATCHES);
		return 0;
	}
	sim_at(m, m->now + m->c->watch, i, WATCHES);
	ev.bad = trips(m, i);
	if (m->v[i].turn == m->s.turn)
		return 0;
	m->v[i].turn = m->s.turn;
	m->r.compared++;
	m->r.compared_bad += ev.bad;
	return sim_step(m, ev, e);
}
