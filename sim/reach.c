/* When a device can be reached. Nothing of it is stored: its own gaps follow from its number and
 * the seed, one in each period, and the weather is the scenario's. */
#include "sim/course_priv.h"

#define CAUSES_MAX 200 /* gaps that follow on each other without a moment between */

struct span {
	ms_t from, to;
};

static const struct scenario_group *group_of(const struct course *m, uint32_t device)
{
	return m->kinds[m->v[device].kind].group;
}

/* The gap of the period that `t` lies in. */
static struct span own_gap(const struct course *m, uint32_t device, ms_t t)
{
	const struct scenario_group *g = group_of(m, device);
	ms_t every = g->offline_every, phase, cycle, from;

	phase = (ms_t)(course_trait(m, device, TRAIT_LINK) % (uint64_t)every);
	cycle = (t + phase) / every;
	from = cycle * every - phase +
	       (ms_t)(course_trait(m, device, TRAIT_GAP + (uint32_t)cycle) %
		       (uint64_t)(every - g->offline_for + 1));
	return (struct span){from, from + g->offline_for};
}

static bool is_in(struct span s, ms_t t)
{
	return t >= s.from && t < s.to;
}

static bool takes_link(unsigned what)
{
	return what == WEATHER_OFFLINE || what == WEATHER_POWER;
}

static struct span weather_span(const struct course *m, unsigned i)
{
	const struct scenario_weather *w = &m->sc->weather[i];

	return (struct span){m->sc->begin + w->at, m->sc->begin + w->at + w->span};
}

/* What keeps the device from being reached at this time; false: nothing. */
static bool find_cause(const struct course *m, uint32_t device, ms_t t, struct span *out)
{
	for (unsigned i = 0; i < m->sc->n_weather; i++) {
		*out = weather_span(m, i);
		if (takes_link(m->sc->weather[i].what) && is_in(*out, t) &&
			kind_is_hit(m, device, i))
			return true;
	}
	if (!group_of(m, device)->offline_every)
		return false;
	*out = own_gap(m, device, t);
	return is_in(*out, t);
}

/* The network that the new version has spoilt comes back with the old one. */
static bool is_mute(const struct course *m, uint32_t device)
{
	return twin_runs_new(&m->v[device]) && twin_fault(m, device, FAULT_MUTE) != NULL;
}

bool reach_is_up(const struct course *m, uint32_t device, ms_t t)
{
	struct span cause;

	return !is_mute(m, device) && !find_cause(m, device, t, &cause);
}

ms_t reach_next_up(const struct course *m, uint32_t device, ms_t t)
{
	struct span cause;

	if (is_mute(m, device))
		return t + MINUTE(60);
	for (unsigned i = 0; i < CAUSES_MAX && find_cause(m, device, t, &cause); i++)
		t = cause.to;
	return t;
}

ms_t reach_next_down(const struct course *m, uint32_t device, ms_t t)
{
	const struct scenario_group *g = group_of(m, device);
	ms_t next = NEVER;

	for (unsigned i = 0; i < m->sc->n_weather; i++) {
		struct span s = weather_span(m, i);

		if (takes_link(m->sc->weather[i].what) && s.from > t && kind_is_hit(m, device, i))
			next = MIN(next, s.from);
	}
	if (g->offline_every) {
		struct span own = own_gap(m, device, t);

		if (own.from <= t)
			own = own_gap(m, device, own.to + g->offline_every);
		next = MIN(next, MAX(own.from, t + 1));
	}
	return next;
}

ms_t reach_last_up(const struct course *m, uint32_t device, ms_t t)
{
	struct span cause;

	if (is_mute(m, device))
		return 0;
	for (unsigned i = 0; i < CAUSES_MAX && find_cause(m, device, t, &cause); i++)
		t = cause.from - 1;
	return t;
}

ms_t reach_power_back(const struct course *m, uint32_t device, ms_t t)
{
	for (unsigned i = 0; i < m->sc->n_weather; i++) {
		struct span s = weather_span(m, i);

		if (m->sc->weather[i].what == WEATHER_POWER && is_in(s, t) &&
			kind_is_hit(m, device, i))
			t = s.to;
	}
	return t;
}
