#include "agent/core/trigger_priv.h"

#include <math.h>

void trig_init(struct trig_state *s, struct trig_window *w)
{
	*s = (struct trig_state){.baseline = (double)NAN, .last = (double)NAN};
	*w = (struct trig_window){0};
}

/* ---- what a window says ---- */

static bool is_tally(const struct trig_rule *r)
{
	return trig_kind(r) == TRIG_KIND_TALLY;
}

static uint64_t slid(const struct trig_window *w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TRIG_SLIDES; i++)
		sum += w->slide[i];
	return sum;
}

uint64_t trig_samples(const struct trig_rule *r, const struct trig_window *w)
{
	return sums_samples(r, &w->own);
}

double trig_value(
	const struct trig_rule *r, const struct trig_state *s, const struct trig_window *w)
{
	if (is_tally(r))
		return w->open ? (double)slid(w) : (double)NAN;
	return sums_value(r, s, &w->own);
}

/* ---- windows that start anew ---- */

static void begin(struct trig_window *w, ms_t at)
{
	*w = (struct trig_window){.open = true,
		.since = at,
		.latest = at,
		.slice_since = at,
		.newest_since = at,
		.born = w->born,
		.settled = w->settled};
}

static void add(struct trig_window *w, const struct sample *x)
{
	w->latest = x->at;
	if (x->blind)
		w->blind_looks++;
	else
		sums_add(&w->own, x);
}

static void note(struct trig_state *s, bool bad)
{
	s->history = s->history << 1 | bad;
	s->judged++;
}

/* ---- a rush: was more asked of the version than of the old one, so that they cannot be compared?
 * ----
 */

#define SLICES 6 /* of a window: a rush that begins or ends within it fills some of them */
#define NOISE  2 /* standard deviations that a slice may have by chance */

/* How many events the old one would have had. */
static double expected(const struct trig_state *s, ms_t span)
{
	return (double)s->baseline_n * (double)span / (double)s->baseline_span;
}

static bool knows_rushes(const struct trig_rule *r, const struct trig_state *s)
{
	return r->busy > 0 && r->comparator == TRIG_CMP_BASELINE && s->baseline_span > 0;
}

static void add_slice(const struct trig_rule *r, const struct trig_state *s, struct trig_window *w,
	const struct sample *x)
{
	ms_t span = x->at - w->slice_since;
	double most;

	w->slice_n += x->blind ? 0 : x->n;
	if (span * SLICES < r->window || !knows_rushes(r, s))
		return;
	most = r->busy * expected(s, span);
	w->rushed |= (double)w->slice_n > most + NOISE * sqrt(most);
	w->slice_n = 0;
	w->slice_since = x->at;
}

static bool is_busy(
	const struct trig_rule *r, const struct trig_state *s, const struct trig_window *w)
{
	return w->rushed ||
	       (knows_rushes(r, s) &&
		       (double)s->last_n > r->busy * expected(s, w->latest - w->since));
}

static void note_blind(const struct trig_rule *r, struct trig_state *s)
{
	s->last = (double)NAN;
	s->blind++;
	if (r->on_blind == TRIG_BLIND_TRIP)
		note(s, true);
}

static void judge(const struct trig_rule *r, struct trig_state *s, const struct trig_window *w)
{
	if (r->comparator == TRIG_CMP_CHAMPION &&
		!sums_reference(r, &w->champion, w->latest - w->since, s))
		s->baseline_n = 0;
	s->windows++;
	s->last_n = trig_samples(r, w);
	s->last = trig_value(r, s, w);
	if (isnan(trig_limit(r, s))) {
		s->last = (double)NAN;
	} else if (s->last_n < r->min_samples || isnan(s->last)) {
		note_blind(r, s);
	} else if (is_busy(r, s, w) || is_disturbed(r, w->own.bad, &w->own.hist)) {
		s->last = (double)NAN;
		s->busy++;
		s->history <<= 1; /* what is bad before and after it does not add up */
	} else {
		s->blind = 0;
		note(s, !s->proven && is_beyond(r, s) && is_no_chance(r, s, &w->own));
	}
}

/* A machine that was just started, or its agent, has not become healthy yet; whoever became so once
 * has had his time. */
static bool is_given_time(const struct trig_rule *r, struct trig_window *w, const struct sample *x)
{
	if (trig_source(r) != TRIG_SRC_HEALTH || w->settled)
		return false;
	w->settled = x->blind || x->n > x->bad || x->at - w->born >= r->grace;
	return !w->settled && x->n > 0;
}

static void feed_window(const struct trig_rule *r, struct trig_state *s, struct trig_window *w,
	const struct sample *x)
{
	if (is_given_time(r, w, x)) {
		begin(w, x->at);
		return;
	}
	if (trig_source(r) == TRIG_SRC_SERVER && !x->blind && x->n > x->bad)
		s->proven = 1;
	add(w, x);
	add_slice(r, s, w, x);
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
		s->blind++;
		s->last = (double)NAN;
		note(s, is_blind_for_long(r, w, x->at));
		return;
	}
	w->since = x->at;
	w->blind_looks = 0;
	s->blind = 0;
	w->slide[w->newest] += (uint32_t)MIN(x->n, UINT32_MAX / TRIG_SLIDES);
	w->own.n += x->n;
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
	*w = (struct trig_window){.born = at};
	begin(w, at);
	if (is_tally(r) && s->windows > 0)
		w->slide[w->newest] = (uint32_t)MIN(s->last_n, UINT32_MAX / TRIG_SLIDES);
}

/* The clock only goes back when the machine was started anew; then the window is a new one, too. */
static bool is_another_life(const struct trig_window *w, ms_t at)
{
	return !w->open || at < w->since;
}

void trig_feed(const struct trig_rule *r, struct trig_state *s, struct trig_window *w,
	const struct sample *x)
{
	if (trig_kind(r) == TRIG_KIND_EVENT)
		return;
	if (is_another_life(w, x->at))
		begin_again(r, s, w, x->at);
	if (is_tally(r))
		feed_slide(r, s, w, x);
	else
		feed_window(r, s, w, x);
}

void trig_feed_champion(const struct trig_rule *r, const struct trig_state *s,
	struct trig_window *w, const struct sample *x)
{
	if (r->comparator != TRIG_CMP_CHAMPION || x->blind)
		return;
	if (is_another_life(w, x->at))
		begin_again(r, s, w, x->at);
	sums_add(&w->champion, x);
}

void trig_excuse(struct trig_state *s)
{
	s->proven = 1;
}

/* ---- verdict ---- */

static unsigned last_m(const struct trig_rule *r)
{
	if (is_tally(r))
		return 1;
	return r->hold_m < 1 ? 1 : MIN(r->hold_m, 32);
}

unsigned trig_bad_windows(const struct trig_rule *r, const struct trig_state *s)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < last_m(r); i++)
		bad += s->history >> i & 1;
	return bad;
}

bool trig_stops_way_back(const struct trig_rule *r)
{
	switch (trig_source(r)) {
	case TRIG_SRC_METRICS:
	case TRIG_SRC_USAGE:
	case TRIG_SRC_THERMAL:
	case TRIG_SRC_SERVER:
		return false;
	default:
		return true;
	}
}

enum trig_verdict trig_eval(const struct trig_rule *r, const struct trig_state *s)
{
	if (trig_kind(r) == TRIG_KIND_EVENT)
		return TRIG_QUIET;
	if (trig_bad_windows(r, s) >= MIN(MAX(r->hold_k, 1), last_m(r)))
		return r->comparator == TRIG_CMP_TRAINING ? TRIG_ALARM : TRIG_FIRE;
	return s->windows > 0 && isnan(s->last) ? TRIG_BLIND : TRIG_QUIET;
}

bool trig_may_accept(const struct trig_rule *r, const struct trig_state *s)
{
	if (r->on_blind != TRIG_BLIND_WAIT || trig_kind(r) == TRIG_KIND_EVENT)
		return true;
	if (r->comparator == TRIG_CMP_BASELINE && s->baseline_n == 0)
		return true;
	return s->judged > 0 && s->blind == 0;
}
