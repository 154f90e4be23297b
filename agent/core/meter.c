#include "agent/core/meter.h"

#include <math.h>
#include <string.h>

/* Does the pattern fit all of the text? A star is tried with ever more of it. */
static bool fits(struct str pattern, struct str text)
{
	while (pattern.n && pattern.p[0] != '*') {
		if (text.n == 0 || text.p[0] != pattern.p[0])
			return false;
		pattern = (struct str){pattern.p + 1, pattern.n - 1};
		text = (struct str){text.p + 1, text.n - 1};
	}
	if (pattern.n == 0)
		return text.n == 0;
	pattern = (struct str){pattern.p + 1, pattern.n - 1};
	for (size_t i = 0; i <= text.n; i++)
		if (fits(pattern, (struct str){text.p + i, text.n - i}))
			return true;
	return false;
}

bool meter_matches(const char *list, const char *name)
{
	struct str rest = str_of(list), pattern;

	while (str_split(&rest, ',', &pattern))
		if (fits(str_trim(pattern), str_of(name)))
			return true;
	return false;
}

/* The series of that name; a new one while there is room for its type. */
static struct meter_series *find(struct meter *m, const char *name, enum prom_type type)
{
	unsigned of_type = 0;

	for (unsigned i = 0; i < m->n; i++) {
		if (m->v[i].type == type && strcmp(m->v[i].name, name) == 0)
			return &m->v[i];
		of_type += m->v[i].type == type;
	}
	if (of_type == LIMIT_TELEMETRY_METRICS)
		return NULL;
	m->v[m->n] = (struct meter_series){.type = type};
	strcpy(m->v[m->n].name, name);
	return &m->v[m->n++];
}

static uint64_t grown(double now, double before)
{
	double v = floor((now >= before ? now - before : now) + 0.5);

	return v > 0 && v < (double)TELEMETRY_VALUE_MAX ? (uint64_t)v : 0;
}

static int take_counter(struct meter_series *s, const struct meter_rules *r UNUSED, struct str page,
	struct telemetry_window *w, struct err *e)
{
	double now;

	TRY(prom_value(page, s->name, &now, e));
	if (!isfinite(now))
		return 0;
	if (s->known)
		telemetry_add_counter(w, s->name, grown(now, s->value));
	s->value = now;
	s->known = true;
	return 0;
}

static int take_gauge(struct meter_series *s, const struct meter_rules *r UNUSED, struct str page,
	struct telemetry_window *w, struct err *e)
{
	double now;

	TRY(prom_value(page, s->name, &now, e));
	telemetry_add_gauge(w, s->name, now);
	return 0;
}

/* With the edges that the release was shipped with, what all devices say can be added. Where the
 * page does not have them, it is told as it stands there. */
static void fold(const struct meter_rules *r, const char *name, struct hist *h)
{
	for (unsigned i = 0; i < r->n_rules; i++)
		if (r->rule[i].n_edges && strcmp(r->rule[i].metric, name) == 0)
			(void)!hist_fold(h, r->rule[i].edge, r->rule[i].n_edges, h);
}

static int take_hist(struct meter_series *s, const struct meter_rules *r, struct str page,
	struct telemetry_window *w, struct err *e)
{
	struct hist now, more;

	TRY(prom_hist(page, s->name, &now, e));
	fold(r, s->name, &now);
	if (s->known) {
		hist_delta(&now, &s->hist, &more);
		telemetry_add_hist(w, s->name, &more);
	}
	s->hist = now;
	s->known = true;
	return 0;
}

static int (*const take[PROM_TYPE_MAX])(struct meter_series *, const struct meter_rules *,
	struct str, struct telemetry_window *, struct err *) = {
	[PROM_COUNTER] = take_counter,
	[PROM_GAUGE] = take_gauge,
	[PROM_HISTOGRAM] = take_hist,
};

/* A type line without a sample, or a histogram of more buckets than are taken, is no fault of the
 * page. */
static bool is_bearable(int rc)
{
	return rc == 0 || rc == -(int)ERR_NOT_FOUND || rc == -(int)ERR_TOO_LARGE;
}

int meter_take(struct meter *m, const struct meter_rules *r, struct str page,
	struct telemetry_window *inference, struct telemetry_window *model, struct err *e)
{
	struct str rest = page, name;
	enum prom_type type;

	while (prom_next_type(&rest, &name, &type)) {
		char text[TELEMETRY_NAME];
		struct meter_series *s;

		if (!telemetry_is_name(name) || str_copy(name, text, sizeof text, NULL) < 0 ||
			!meter_matches(r->metrics, text))
			continue;
		s = find(m, text, type);
		if (!s)
			continue;
		int rc = take[type](
			s, r, page, meter_matches(r->model, text) ? model : inference, e);

		if (!is_bearable(rc))
			return rc;
	}
	return 0;
}
