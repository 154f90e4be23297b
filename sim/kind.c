/* Devices that are alike: to which group of the scenario they belong, which faults and which
 * weather may hit them. */
#include <string.h>

#include "proto/wire/report.h"
#include "sim/course_priv.h"

bool kind_is_where(const char *labels, const char *where)
{
	return !*where || labels_have(str_of(labels), where);
}

static const struct scenario_group *group_of(const struct scenario *s, const char *labels)
{
	for (unsigned i = 0; i + 1 < s->n_groups; i++)
		if (kind_is_where(labels, s->groups[i].labels))
			return &s->groups[i];
	return &s->groups[s->n_groups - 1];
}

static void fill(const struct course *m, struct kind *k)
{
	const struct scenario *s = m->sc;

	for (unsigned i = 0; i < s->n_faults; i++)
		k->faults |= kind_is_where(k->labels, s->faults[i].where) ? 1U << i : 0;
	for (unsigned i = 0; i < s->n_weather; i++)
		k->weather |= kind_is_where(k->labels, s->weather[i].where) ? 1U << i : 0;
}

/* ---- a fleet that the scenario describes ---- */

static void from_groups(struct course *m)
{
	const struct scenario *s = m->sc;

	m->n_kinds = s->n_groups;
	m->kinds = mem_new(m->n_kinds * sizeof *m->kinds);
	for (unsigned i = 0; i < s->n_groups; i++) {
		m->kinds[i] = (struct kind){.labels = s->groups[i].labels, .group = &s->groups[i]};
		fill(m, &m->kinds[i]);
	}
}

static uint32_t drawn(const struct course *m, uint32_t device)
{
	uint64_t all = m->sc->groups[0].parts, at;
	uint32_t i = 0;

	for (unsigned k = 1; k < m->sc->n_groups; k++)
		all += m->sc->groups[k].parts;
	at = course_trait(m, device, TRAIT_GROUP) % all;
	while (at >= m->sc->groups[i].parts)
		at -= m->sc->groups[i++].parts;
	return i;
}

/* ---- a fleet that there is ---- */

struct table {
	uint32_t *v, size; /* number of the kind + 1 */
};

static uint32_t *place(const struct course *m, struct table *t, const char *labels)
{
	uint32_t i = (uint32_t)hash64(0, labels, strlen(labels)) & (t->size - 1);

	while (t->v[i] && strcmp(m->kinds[t->v[i] - 1].labels, labels) != 0)
		i = (i + 1) & (t->size - 1);
	return &t->v[i];
}

static uint32_t kind_of(struct course *m, struct table *t, const char *labels)
{
	uint32_t *at = place(m, t, labels);

	if (!*at) {
		m->kinds[m->n_kinds] =
			(struct kind){.labels = labels, .group = group_of(m->sc, labels)};
		fill(m, &m->kinds[m->n_kinds]);
		*at = ++m->n_kinds;
	}
	return *at - 1;
}

static void from_labels(struct course *m)
{
	struct table t = {.size = 64};

	while (t.size < 2 * m->c->devices)
		t.size *= 2;
	t.v = mem_new(t.size * sizeof *t.v);
	memset(t.v, 0, t.size * sizeof *t.v);
	m->kinds = mem_new(m->c->devices * sizeof *m->kinds);
	for (uint32_t i = 0; i < m->c->devices; i++)
		m->v[i].kind = kind_of(m, &t, m->c->labels[i]);
	mem_free(&t.v);
}

/* ---- both ---- */

static uint32_t faults_of(const struct course *m, uint32_t device)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < m->sc->n_faults; i++)
		if (m->kinds[m->v[device].kind].faults & 1U << i &&
			course_trait(m, device, TRAIT_FAULT + i) % PPM < m->sc->faults[i].share)
			mask |= 1U << i;
	return mask;
}

void kind_all(struct course *m)
{
	if (m->c->labels)
		from_labels(m);
	else
		from_groups(m);
	for (uint32_t i = 0; i < m->n && !m->c->labels; i++)
		m->v[i].kind = drawn(m, i);
}

void kind_faults(struct course *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		m->v[i].faults = faults_of(m, i);
		m->r.bad += m->v[i].faults != 0;
	}
}

void kind_fini(struct course *m)
{
	mem_free(&m->kinds);
}

bool kind_is_hit(const struct course *m, uint32_t device, unsigned weather)
{
	return m->kinds[m->v[device].kind].weather & 1U << weather &&
	       course_trait(m, device, TRAIT_WEATHER + weather) % PPM <
		       m->sc->weather[weather].share;
}
