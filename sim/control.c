/* The control group: devices that keep what they run, and say after each span of their steady watch
 * whether it tripped. The triggers are those of the release, fed with what the old version does. */
#include <stdlib.h>
#include <string.h>

#include "sim/course_priv.h"

#define SPAN_LEAST     SEC(10)
#define SPAN_MOST      MINUTE(60)
#define BASELINE_LOOKS 40

/* One span of one device's steady watch. */
struct steady {
	ms_t until;
	bool bad;
	uint32_t turn;                           /* in which it was told of last */
	struct trig_state fresh[LIMIT_TRIGGERS]; /* with its baseline, and nothing else */
	struct trig_state state[LIMIT_TRIGGERS];
	struct trig_window window[];
};

static ms_t span(const struct course *m)
{
	return MAX(SPAN_LEAST, MIN(SPAN_MOST, m->sc->soak));
}

/* What it measured before its own last update, in fair weather. */
static void remember_baseline(struct course *m, uint32_t device, struct steady *s)
{
	uint32_t weather = m->weather;
	ms_t now = m->now;
	struct sample x[LIMIT_TRIGGERS];

	m->weather = 0;
	for (unsigned k = 0; k < BASELINE_LOOKS; k++, m->now += m->sc->look) {
		load_look(m, device, m->sc->look, x);
		for (unsigned i = 0; i < m->sc->n_triggers; i++)
			trig_gather(&m->sc->triggers[i], &s->window[i], &x[i]);
	}
	m->weather = weather;
	m->now = now;
	for (unsigned i = 0; i < m->sc->n_triggers; i++) {
		(void)trig_baseline(&m->sc->triggers[i], &s->window[i], &s->fresh[i]);
	}
}

static void begin_span(struct course *m, struct steady *s, ms_t span)
{
	s->until = m->now + span;
	s->bad = false;
	memcpy(s->state, s->fresh, sizeof s->state);
	for (unsigned i = 0; i < m->sc->n_triggers; i++)
		s->window[i] = (struct trig_window){0};
}

/* It has watched for long; its first span is cut short, so that not all end together. */
static void begin(struct course *m, uint32_t device)
{
	struct twin *w = &m->v[device];
	size_t size = sizeof *w->steady + m->sc->n_triggers * sizeof(struct trig_window);

	if (w->trial || w->dead || w->steady)
		return;
	w->steady = mem_new(size);
	memset(w->steady, 0, size);
	for (unsigned i = 0; i < m->sc->n_triggers; i++)
		trig_init(&w->steady->fresh[i], &w->steady->window[i]);
	remember_baseline(m, device, w->steady);
	begin_span(m, w->steady, 1 + course_within(m, span(m)));
	course_at(m, m->now + m->sc->look, device, AT_WATCH, 0);
}

void control_begin(struct course *m)
{
	for (uint32_t i = m->s.control_from; i < m->s.control_to; i++)
		if (wave_is_control(&m->s, i) && m->v[i].state == RECIPIENT_WAITING)
			begin(m, i);
}

void control_fini(struct twin *w)
{
	free(w->steady);
	w->steady = NULL;
}

static void look(struct course *m, uint32_t device)
{
	struct steady *s = m->v[device].steady;
	struct sample x[LIMIT_TRIGGERS];

	load_look(m, device, m->sc->look, x);
	for (unsigned i = 0; i < m->sc->n_triggers; i++) {
		trig_feed(&m->sc->triggers[i], &s->state[i], &s->window[i], &x[i]);
		s->bad |= trig_eval(&m->sc->triggers[i], &s->state[i]) == TRIG_FIRE;
	}
}

static int tell(struct course *m, uint32_t device, struct err *e)
{
	struct steady *s = m->v[device].steady;
	struct wave_event ev = {.kind = WEV_CONTROL,
		.position = device,
		.stratum = m->kinds[m->v[device].kind].stratum,
		.bad = s->bad,
		.who = "device"};

	begin_span(m, s, span(m));
	if (s->turn == m->s.turn)
		return 0;
	s->turn = m->s.turn;
	m->r.watched++;
	m->r.watched_bad += ev.bad;
	return office_step(m, ev, e);
}

/* One span follows on the other; each device counts once a turn. */
int control_look(struct course *m, uint32_t device, struct err *e)
{
	struct twin *w = &m->v[device];

	if (!w->steady)
		return 0;
	if (!wave_is_control(&m->s, device) || m->over) {
		control_fini(w);
		return 0;
	}
	look(m, device);
	course_at(m, m->now + m->sc->look, device, AT_WATCH, 0);
	if (m->now >= w->steady->until && reach_is_up(m, device, m->now))
		return tell(m, device, e);
	return 0;
}
