/* What a server works out before a campaign starts: which device belongs to which wave, where waves
 * end, in which strata devices are judged by themselves. */
#include <string.h>

#include "proto/wire/report.h"
#include "sim/course_priv.h"

#define VALUES_MAX 64 /* of the label that strata are made of; the others are one */

/* ---- waves ---- */

static bool selects(const struct policy *p)
{
	for (unsigned w = 0; w < p->n_waves; w++)
		if (*p->waves[w].labels)
			return true;
	return false;
}

static uint16_t fits(const struct course *m, uint32_t device)
{
	const char *labels = m->kinds[m->v[device].kind].labels;
	uint16_t bits = 0;

	for (unsigned w = 0; w < m->p->n_waves; w++)
		if (kind_is_where(labels, m->p->waves[w].labels))
			bits |= (uint16_t)(1U << w);
	return bits;
}

/* Positions go wave by wave; whoever no wave takes is no recipient. */
static void reorder(struct course *m, const uint8_t *wave)
{
	uint32_t *kind CLEANUP(mem_free) = mem_new(m->n * sizeof *kind), n = 0;

	for (unsigned w = 0; w < m->p->n_waves; w++)
		for (uint32_t i = 0; i < m->n; i++)
			if (wave[i] == w)
				kind[n++] = m->v[i].kind;
	m->n = n;
	for (uint32_t i = 0; i < n; i++)
		m->v[i].kind = kind[i];
}

static void allot(struct course *m, struct wave_event *start)
{
	uint16_t *fit CLEANUP(mem_free) = mem_new(m->n * sizeof *fit);
	uint8_t *wave CLEANUP(mem_free) = mem_new(m->n);

	if (!selects(m->p))
		return;
	for (uint32_t i = 0; i < m->n; i++)
		fit[i] = fits(m, i);
	wave_allot(m->p, fit, m->n, wave, start->end);
	start->n_ends = m->p->n_waves;
	memcpy(m->end, start->end, sizeof m->end);
	m->selected = true;
	reorder(m, wave);
}

/* ---- strata ---- */

struct values {
	struct str v[VALUES_MAX];
	uint32_t devices[VALUES_MAX];
	unsigned n, rank[VALUES_MAX];
};

static unsigned value_of(struct values *s, const char *labels, const char *label)
{
	struct str value = STR("");
	unsigned i = 0;

	(void)labels_find(str_of(labels), str_of(label), &value);
	while (i < s->n && !str_eq(s->v[i], value))
		i++;
	if (i == s->n && s->n < VALUES_MAX)
		s->v[s->n++] = value;
	return MIN(i, VALUES_MAX - 1);
}

/* The most frequent first; those that there is no stratum for share the last one. */
static void rank(struct values *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		s->rank[i] = 0;
		for (unsigned k = 0; k < s->n; k++)
			s->rank[i] += s->devices[k] > s->devices[i] ||
				      (k < i && s->devices[k] == s->devices[i]);
		s->rank[i] = MIN(s->rank[i], JUDGE_STRATA - 1);
	}
}

static void stratify(struct course *m, struct wave_event *start)
{
	const char *label = m->p->judge.strata;
	struct values *s CLEANUP(mem_free) = mem_new(sizeof *s);

	if (!*label)
		return;
	memset(s, 0, sizeof *s);
	for (uint32_t i = 0; i < m->n; i++)
		s->devices[value_of(s, m->kinds[m->v[i].kind].labels, label)]++;
	rank(s);
	for (uint32_t i = 0; i < m->n_kinds; i++)
		m->kinds[i].stratum = s->rank[value_of(s, m->kinds[i].labels, label)];
	start->strata = MIN(s->n, JUDGE_STRATA);
}

void plan_all(struct course *m, struct wave_event *start)
{
	allot(m, start);
	stratify(m, start);
	start->recipients = m->n;
}
