/* Triggers in words. */
#include "agent/core/trigger_priv.h"

#include <math.h>
#include <stdio.h>

#include "lib/buf.h"

void trig_put_value(struct buf *t, const struct trig_rule *r, double v)
{
	enum trig_unit unit = trig_unit(r);

	if (isnan(v))
		buf_add_str(t, "nothing yet");
	else if (isinf(v))
		buf_add_str(t, "beyond the last bucket");
	else
		buf_addf(t, "%.*f%s", trig_unit_digits(unit), unit == TRIG_UNIT_SHARE ? v * 100 : v,
			trig_unit_suffix(unit));
}

void trig_put_name(struct buf *t, const struct trig_rule *r)
{
	const struct trig_measure *m = trig_measure_of(r);

	buf_addf(t, "%s%s%s", trig_type_name(r->type), m->of[0] ? " " : "", m->of);
	if (m->kind == TRIG_KIND_QUANTILE)
		buf_addf(t, " p%g", r->quantile / 10.0);
	else if (m->kind == TRIG_KIND_DISTANCE)
		buf_addf(t, " %s", trig_distance_name(r->distance));
}

/* ---- limits ---- */

static const char *whose(const struct trig_rule *r)
{
	return r->comparator == TRIG_CMP_CHAMPION   ? "the champion's"
	       : r->comparator == TRIG_CMP_TRAINING ? "training"
						    : "own baseline";
}

static void put_distance(struct buf *t, const struct trig_rule *r, const struct trig_state *s)
{
	trig_put_value(t, r, trig_limit(r, s));
	if (trig_limit(r, s) > r->threshold) {
		buf_add_str(t, " (chance; asked for is ");
		trig_put_value(t, r, r->threshold);
		buf_add_str(t, ")");
	}
	buf_addf(t, " from %s", whose(r));
	if (r->comparator != TRIG_CMP_TRAINING)
		buf_addf(t, " of %llu", (unsigned long long)s->baseline_n);
}

static void put_relative(struct buf *t, const struct trig_rule *r, const struct trig_state *s)
{
	trig_put_value(t, r, trig_limit(r, s));
	if (trig_kind(r) == TRIG_KIND_SHIFT)
		buf_addf(t, " (%s ", whose(r));
	else
		buf_addf(t, " (%g x %s ", r->threshold, whose(r));
	trig_put_value(t, r, s->baseline);
	buf_add_str(t, ")");
}

void trig_put_limit(struct buf *t, const struct trig_rule *r, const struct trig_state *s)
{
	if (r->comparator == TRIG_CMP_ABSOLUTE)
		trig_put_value(t, r, r->threshold);
	else if (isnan(trig_limit(r, s)))
		buf_addf(t, "%g x %s, which was not measured", r->threshold, whose(r));
	else if (trig_kind(r) == TRIG_KIND_DISTANCE)
		put_distance(t, r, s);
	else
		put_relative(t, r, s);
}

/* ---- the whole ---- */

static void say_what(struct buf *t, const struct trig_rule *r)
{
	const struct trig_measure *m = trig_measure_of(r);

	if (m->kind == TRIG_KIND_QUANTILE)
		buf_addf(t, "p%g ", r->quantile / 10.0);
	else if (m->kind == TRIG_KIND_DISTANCE)
		buf_addf(t, "%s of the scores ", trig_distance_name(r->distance));
	else
		buf_addf(t, "%s ", m->text);
}

static void say_crashes(struct buf *t, const struct trig_rule *r, const struct trig_state *s)
{
	if (isnan(s->last))
		buf_addf(t, "how often the workload ended cannot be seen, limit ");
	else
		buf_addf(t, "the workload ended %.0f times within %lld s, limit ", s->last,
			(long long)(r->window / 1000));
	trig_put_limit(t, r, s);
}

static const char *side(const struct trig_rule *r, const struct trig_state *s)
{
	bool down =
		trig_kind(r) == TRIG_KIND_SHIFT ? s->last < s->baseline : trig_measure_of(r)->below;

	if (!is_beyond(r, s))
		return "within";
	return down ? "under" : "over";
}

static void say_count(struct buf *t, const struct trig_rule *r, const struct trig_state *s)
{
	bool over = !isnan(s->last) && is_beyond(r, s);

	if (over && s->proven)
		buf_add_str(t, ", which is the network's doing,");
	else if (over && s->judged > 0 && !(s->history & 1))
		buf_add_str(t, ", which may be chance,");
	buf_addf(t, "%s in %u of %u windows, %llu samples in the last", over ? "" : ", bad",
		trig_bad_windows(r, s), MIN(r->hold_m < 1 ? 1 : r->hold_m, s->windows),
		(unsigned long long)s->last_n);
	if (s->last_n < r->min_samples)
		buf_addf(t, " where %llu are needed", (unsigned long long)r->min_samples);
	if (s->busy)
		buf_addf(t, "; %u in a rush or by others' fault do not count", s->busy);
}

static void say_windows(struct buf *t, const struct trig_rule *r, const struct trig_state *s)
{
	say_what(t, r);
	if (isnan(s->last)) {
		buf_add_str(t, "not measured, limit ");
	} else {
		trig_put_value(t, r, s->last);
		buf_addf(t, "%s %s ", isinf(s->last) ? "," : "", side(r, s));
	}
	trig_put_limit(t, r, s);
	say_count(t, r, s);
}

void trig_explain(const struct trig_rule *r, const struct trig_state *s, char *out, size_t cap)
{
	BUF_AUTO t = {0};

	buf_addf(&t, "%s: ", trig_type_name(r->type));
	if (trig_kind(r) == TRIG_KIND_EVENT)
		buf_addf(&t, "%s", trig_type_text(r->type));
	else if (trig_kind(r) == TRIG_KIND_TALLY)
		say_crashes(&t, r, s);
	else
		say_windows(&t, r, s);
	snprintf(out, cap, "%s", buf_cstr(&t));
}
