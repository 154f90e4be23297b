#include "agent/core/trigger.h"

#include <math.h>
#include <stdio.h>

#include "lib/buf.h"

void trig_init(struct trig_state *s, struct trig_window *w)
{
	*s = (struct trig_state){.baseline = (double)NAN, .last = (double)NAN};
	*w = (struct trig_window){0};
}

/* ---- what a window says ---- */

static uint64_t slid(const struct trig_window *w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TRIG_SLIDES; i++)
		sum += w->slide[i];
	return sum;
}

static uint64_t samples(const struct trig_rule *r, const struct trig_window *w)
{
	return trig_type_unit(r->type) == TRIG_UNIT_SECONDS ? hist_total(&w->hist) : w->n;
}

/* Beyond the last finite bucket nobody knows how slow it was: slower than any limit, then. */
static double quantile(const struct trig_rule *r, const struct hist *h)
{
	double q = r->quantile / 1000.0, total = (double)hist_total(h);

	if (h->n >= 2 && q * total > total - (double)h->count[h->n - 1])
		return (double)INFINITY;
	return hist_quantile(h, q);
}

double trig_value(const struct trig_rule *r, const struct trig_window *w)
{
	switch (trig_type_unit(r->type)) {
	case TRIG_UNIT_COUNT:
		return w->open ? (double)slid(w) : (double)NAN;
	case TRIG_UNIT_SECONDS:
		return quantile(r, &w->hist);
	case TRIG_UNIT_SHARE:
		return w->n > 0 ? (double)w->bad / (double)w->n : (double)NAN;
	case TRIG_UNIT_NONE:
		break;
	}
	return (double)NAN;
}

double trig_limit(const struct trig_rule *r, const struct trig_state *s)
{
	double base = s->baseline;

	if (r->comparator == TRIG_CMP_ABSOLUTE)
		return r->threshold;
	if (s->baseline_n == 0)
		return (double)NAN;
	if (trig_type_unit(r->type) == TRIG_UNIT_SHARE)
		base = MAX(base, 3.0 / (double)s->baseline_n);
	return r->threshold * base;
}

bool trig_baseline(
	const struct trig_rule *r, const struct trig_window *gathered, struct trig_state *s)
{
	uint64_t n = samples(r, gathered);
	double value = trig_value(r, gathered);

	if (n == 0 || n < r->min_samples || !isfinite(value))
		return false;
	s->baseline = value;
	s->baseline_n = n;
	return true;
}

/* ---- windows that start anew ---- */

static void begin(struct trig_window *w, ms_t at)
{
	*w = (struct trig_window){.open = true, .since = at, .newest_since = at};
}

static void add(struct trig_window *w, const struct sample *x)
{
	if (x->blind) {
		w->blind_looks++;
		return;
	}
	w->n += x->n;
	w->bad += x->bad;
	if (x->hist.n > 0)
		hist_add(&w->hist, &x->hist);
}

static void note(struct trig_state *s, bool bad)
{
	s->history = s->history << 1 | bad;
}

static void judge(const struct trig_rule *r, struct trig_state *s, const struct trig_window *w)
{
	uint64_t n = samples(r, w);
	double value = trig_value(r, w), limit = trig_limit(r, s);
	bool blind = n < r->min_samples || isnan(value);

	s->windows++;
	s->last_n = n;
	s->last = blind || isnan(limit) ? (double)NAN : value;
	if (isnan(limit))
		return;
	if (!blind)
		note(s, value > limit);
	else if (r->on_blind == TRIG_BLIND_TRIP)
		note(s, true);
}

static void feed_window(const struct trig_rule *r, struct trig_state *s, struct trig_window *w,
	const struct sample *x)
{
	add(w, x);
	if (x->at - w->since < r->window)
		return;
	judge(r, s, w);
	begin(w, x->at);
}

/* ---- the window that slides ---- */

static void slide_to(const struct trig_rule *r, struct trig_window *w, ms_t at)
{
	ms_t step = MAX(r->window / TRIG_SLIDES, 1);

	for (unsigned i = 0; i < TRIG_SLIDES && at - w->newest_since >= step; i++) {
		w->newest = (w->newest + 1) % TRIG_SLIDES;
		w->slide[w->newest] = 0;
		w->newest_since += step;
	}
	if (at - w->newest_since >= step) /* a long sleep: all of it has slid out */
		w->newest_since = at;
}

/* Nobody could see the supervisor for a whole window: by then silence may count. */
static bool is_blind_for_long(const struct trig_rule *r, struct trig_window *w, ms_t at)
{
	return r->on_blind == TRIG_BLIND_TRIP && at - w->since >= r->window;
}

static void feed_slide(const struct trig_rule *r, struct trig_state *s, struct trig_window *w,
	const struct sample *x)
{
	slide_to(r, w, x->at);
	s->windows++;
	if (x->blind) {
		w->blind_looks++;
		s->last = (double)NAN;
		note(s, is_blind_for_long(r, w, x->at));
		return;
	}
	w->since = x->at;
	w->blind_looks = 0;
	w->slide[w->newest] += (uint32_t)MIN(x->n, UINT32_MAX / TRIG_SLIDES);
	w->n += x->n;
	s->last = (double)slid(w);
	s->last_n = slid(w);
	note(s, s->last >= trig_limit(r, s));
}

/* A window that begins after others of its rule, because the agent or the machine was started anew.
 * What was counted before counts as if it were of now: nobody knows how long ago it was, and who
 * crashes with the agent must not begin at nought each time. */
static void begin_again(
	const struct trig_rule *r, const struct trig_state *s, struct trig_window *w, ms_t at)
{
	begin(w, at);
	if (trig_type_unit(r->type) == TRIG_UNIT_COUNT && s->windows > 0)
		w->slide[w->newest] = (uint32_t)MIN(s->last_n, UINT32_MAX / TRIG_SLIDES);
}

/* The clock only goes back when the machine was started anew; then the window is a new one, too. */
void trig_feed(const struct trig_rule *r, struct trig_state *s, struct trig_window *w,
	const struct sample *x)
{
	if (trig_type_unit(r->type) == TRIG_UNIT_NONE)
		return;
	if (!w->open || x->at < w->since)
		begin_again(r, s, w, x->at);
	if (trig_type_unit(r->type) == TRIG_UNIT_COUNT)
		feed_slide(r, s, w, x);
	else
		feed_window(r, s, w, x);
}

/* ---- verdict ---- */

static unsigned last_m(const struct trig_rule *r)
{
	if (trig_type_unit(r->type) == TRIG_UNIT_COUNT)
		return 1;
	return r->hold_m < 1 ? 1 : MIN(r->hold_m, 32);
}

static unsigned bad_windows(const struct trig_rule *r, const struct trig_state *s)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < last_m(r); i++)
		bad += s->history >> i & 1;
	return bad;
}

static unsigned wanted_bad(const struct trig_rule *r)
{
	return MIN(MAX(r->hold_k, 1), last_m(r));
}

enum trig_verdict trig_eval(const struct trig_rule *r, const struct trig_state *s)
{
	if (trig_type_unit(r->type) == TRIG_UNIT_NONE)
		return TRIG_QUIET;
	if (bad_windows(r, s) >= wanted_bad(r))
		return TRIG_FIRE;
	return s->windows > 0 && isnan(s->last) ? TRIG_BLIND : TRIG_QUIET;
}

/* ---- for people ---- */

static void say_value(struct buf *t, const struct trig_rule *r, double v)
{
	switch (trig_type_unit(r->type)) {
	case TRIG_UNIT_SECONDS:
		if (isinf(v))
			buf_addf(t, "beyond the last bucket,");
		else
			buf_addf(t, "%.3f s", v);
		return;
	case TRIG_UNIT_SHARE:
		buf_addf(t, "%.2f %%", v * 100);
		return;
	case TRIG_UNIT_COUNT:
	case TRIG_UNIT_NONE:
		buf_addf(t, "%.0f", v);
		return;
	}
}

static void say_limit(struct buf *t, const struct trig_rule *r, const struct trig_state *s)
{
	if (r->comparator == TRIG_CMP_ABSOLUTE) {
		say_value(t, r, r->threshold);
	} else if (s->baseline_n == 0) {
		buf_addf(t, "%g x own baseline, which was not measured", r->threshold);
	} else {
		say_value(t, r, trig_limit(r, s));
		buf_addf(t, " (%g x own baseline ", r->threshold);
		say_value(t, r, s->baseline);
		buf_addf(t, ")");
	}
}

static void say_what(struct buf *t, const struct trig_rule *r)
{
	if (r->type == TRIG_LATENCY)
		buf_addf(t, "p%g ", r->quantile / 10.0);
	else if (r->type == TRIG_ERROR_RATE)
		buf_addf(t, "share of failed requests ");
	else
		buf_addf(t, "share of failed checks ");
}

static void say_crashes(struct buf *t, const struct trig_rule *r, const struct trig_state *s)
{
	if (isnan(s->last))
		buf_addf(t, "how often the workload ended cannot be seen, limit ");
	else
		buf_addf(t, "the workload ended %.0f times within %lld s, limit ", s->last,
			(long long)(r->window / 1000));
	say_limit(t, r, s);
}

static void say_windows(struct buf *t, const struct trig_rule *r, const struct trig_state *s)
{
	bool over = s->last > trig_limit(r, s);

	say_what(t, r);
	if (isnan(s->last)) {
		buf_addf(t, "not measured, limit ");
	} else {
		say_value(t, r, s->last);
		buf_addf(t, over ? " over " : " within ");
	}
	say_limit(t, r, s);
	buf_addf(t, "%s in %u of %u windows, %llu samples in the last", over ? "" : ", bad",
		bad_windows(r, s), MIN(last_m(r), s->windows), (unsigned long long)s->last_n);
	if (s->last_n < r->min_samples)
		buf_addf(t, " where %llu are needed", (unsigned long long)r->min_samples);
}

void trig_explain(const struct trig_rule *r, const struct trig_state *s, char *out, size_t cap)
{
	BUF_AUTO t = {0};

	buf_addf(&t, "%s: ", trig_type_name(r->type));
	if (trig_type_unit(r->type) == TRIG_UNIT_NONE)
		buf_addf(&t, "%s", trig_type_text(r->type));
	else if (trig_type_unit(r->type) == TRIG_UNIT_COUNT)
		say_crashes(&t, r, s);
	else
		say_windows(&t, r, s);
	snprintf(out, cap, "%s", buf_cstr(&t));
}
