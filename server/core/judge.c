#include "server/core/judge.h"

#include <math.h>

#include "server/core/evalue.h"

#define MILLION   1000000U
#define COUNT_MAX 200000000LL /* so that the sum over strata fits */

static double share_of(uint32_t ppm)
{
	return ppm / (double)MILLION;
}

static int64_t micro(double v)
{
	return (int64_t)floor(v * MILLION + 0.5);
}

void judge_init(struct judge_state *s)
{
	*s = (struct judge_state){.share = MILLION};
}

/* ---- evidence ---- */

static bool is_compared(const struct judge_state *s)
{
	return s->share < MILLION;
}

/* Canaries that have begun, ended or not: those that fail end first. */
static uint32_t exposed(const struct judge_tally *t)
{
	return MAX(t->begun, t->canary);
}

static double two_arm(const struct judge_state *s, const struct judge_tally *t)
{
	uint32_t canary = s->asked ? MIN(t->due, t->canary_bad) : t->canary_bad;

	return evalue_two_arm(
		canary, (uint64_t)canary + MAX(t->control_bad, t->least), share_of(s->share));
}

static double abort_evidence(const struct judge_rule *r, const struct judge_state *s,
	unsigned metric, const struct judge_tally *t)
{
	if (is_compared(s))
		return two_arm(s, t);
	return evalue_one_arm(t->canary_bad, exposed(t), share_of(r->base[metric]));
}

static struct judge_tally sum_of(const struct judge_rule *r, const struct judge_tally *t)
{
	struct judge_tally sum = {0};

	for (unsigned i = 0; i < r->strata; i++) {
		sum.canary += t[i].canary;
		sum.canary_bad += t[i].canary_bad;
		sum.control += t[i].control;
		sum.control_bad += t[i].control_bad;
		sum.begun += t[i].begun;
		sum.due += t[i].due;
		sum.least += t[i].least;
	}
	return sum;
}

bool judge_in_step(const struct judge_rule *r, const struct judge_state *s, unsigned stratum)
{
	bool one = stratum < MIN(r->strata, JUDGE_STRATA);
	struct judge_tally t = one ? s->wave[0][stratum] : sum_of(r, s->wave[0]);

	return !is_compared(s) ||
	       (uint64_t)t.control * s->share >= (uint64_t)t.begun * (MILLION - s->share);
}

int64_t judge_pooled(const struct judge_rule *r, const struct judge_state *s, unsigned metric)
{
	struct judge_tally sum = sum_of(r, s->wave[metric]);

	return s->pooled[metric].carried + micro(abort_evidence(r, s, metric, &sum));
}

int64_t judge_stratum(
	const struct judge_rule *r, const struct judge_state *s, unsigned metric, unsigned stratum)
{
	return s->stratum[metric][stratum].carried +
	       micro(abort_evidence(r, s, metric, &s->wave[metric][stratum]));
}

int64_t judge_promote(const struct judge_rule *r, const struct judge_state *s)
{
	return micro(evalue_promote(s->failures, s->devices, share_of(r->bad)));
}

/* ---- limits: alpha is shared by the metrics, and by the pool and all strata ---- */

static int64_t limit_of(uint32_t alpha, unsigned parts)
{
	return micro(log(parts / share_of(alpha)));
}

int64_t judge_pooled_limit(const struct judge_rule *r)
{
	return limit_of(r->abort_alpha, r->metrics * (r->strata > 1 ? 2 : 1));
}

int64_t judge_stratum_limit(const struct judge_rule *r)
{
	return limit_of(r->abort_alpha, r->metrics * 2 * r->strata);
}

int64_t judge_promote_limit(const struct judge_rule *r)
{
	return limit_of(r->promote_alpha, 1);
}

/* ---- verdicts ---- */

/* Failures are known later than successes: a device that is silent counts when its deadline is
 * over. So proof of the contrary still counts after a promotion. */
static void decide(struct judge_state *s, enum judge_verdict v, enum judge_test by, unsigned metric,
	unsigned stratum)
{
	if (s->verdict == JUDGE_ABORT || (s->verdict == JUDGE_PROMOTE && v != JUDGE_ABORT))
		return;
	s->verdict = v;
	s->by = by;
	s->by_metric = metric;
	s->by_stratum = stratum;
}

static bool reaches(struct judge_evidence *e, int64_t now, int64_t limit)
{
	if (now > e->peak)
		e->peak = now;
	return e->peak >= limit;
}

/* When the arms are in step: is it enough? If not, the next wave will take it over. */
static bool weighs(struct judge_evidence *e, int64_t now, int64_t limit)
{
	if (now > e->peak)
		e->peak = now;
	if (now < limit)
		e->last = now;
	return now >= limit;
}

/* Which test would abort? False: none. */
struct finding {
	enum judge_test by;
	unsigned metric, stratum;
};

static bool find_in_strata(
	const struct judge_rule *r, struct judge_state *s, unsigned metric, struct finding *out)
{
	int64_t limit = judge_stratum_limit(r);
	bool found = false;

	for (unsigned i = 0; i < r->strata; i++)
		if (judge_in_step(r, s, i) &&
			weighs(&s->stratum[metric][i], judge_stratum(r, s, metric, i), limit)) {
			*out = (struct finding){JUDGE_BY_STRATUM, metric, i};
			found = true;
		}
	return found;
}

static bool find_reason(const struct judge_rule *r, struct judge_state *s, struct finding *out)
{
	int64_t limit = judge_pooled_limit(r);
	bool found = false;

	for (unsigned m = r->metrics; m-- > 0;) {
		found |= r->strata > 1 && find_in_strata(r, s, m, out);
		if (judge_in_step(r, s, JUDGE_STRATA) &&
			weighs(&s->pooled[m], judge_pooled(r, s, m), limit)) {
			*out = (struct finding){JUDGE_BY_POOLED, m, 0};
			found = true;
		}
	}
	return found;
}

/* The control group is asked anew. */
static void begin_turn(const struct judge_rule *r, struct judge_state *s, const struct finding *x)
{
	s->asked = true;
	s->scope = x->by == JUDGE_BY_STRATUM ? x->stratum : JUDGE_STRATA;
	s->turns++;
	for (unsigned m = 0; m < r->metrics; m++)
		for (unsigned i = 0; i < r->strata; i++) {
			struct judge_tally *t = &s->wave[m][i];

			t->due = t->canary_bad;
			t->least = MAX(t->least, t->control_bad);
			t->control = t->control_bad = 0;
		}
}

/* A turn is over when those whose failures began it are in step. */
static void look_for_abort(const struct judge_rule *r, struct judge_state *s)
{
	struct finding x = {0};
	bool found = find_reason(r, s, &x);

	if (found && (s->asked || !is_compared(s))) {
		decide(s, JUDGE_ABORT, x.by, x.metric, x.stratum);
		return;
	}
	if (s->asked && judge_in_step(r, s, s->scope)) {
		s->asked = false;
		found = find_reason(r, s, &x);
	}
	if (found && s->verdict != JUDGE_ABORT)
		begin_turn(r, s, &x);
}

/* All canaries that have begun, in all waves. */
static uint64_t begun_ever(const struct judge_rule *r, const struct judge_state *s)
{
	struct judge_tally sum = sum_of(r, s->wave[0]);

	return (uint64_t)s->devices - MIN(s->devices, sum.canary) + exposed(&sum);
}

/* Of those that begin together, the ones that fail end first. So it is a share of all that have
 * begun. */
static bool guard_trips(const struct judge_rule *r, const struct judge_state *s)
{
	return r->guard_k && s->failures >= r->guard_k && s->devices <= r->guard_n &&
	       (uint64_t)s->failures * r->guard_n >= r->guard_k * begun_ever(r, s);
}

/* Whoever aborts is asked before whoever promotes. */
static void look(const struct judge_rule *r, struct judge_state *s)
{
	if (guard_trips(r, s))
		decide(s, JUDGE_ABORT, JUDGE_BY_GUARD, 0, 0);
	if (r->abort_alpha)
		look_for_abort(r, s);
	if (r->promote_alpha && reaches(&s->promote, judge_promote(r, s), judge_promote_limit(r)))
		decide(s, JUDGE_PROMOTE, JUDGE_BY_PROMOTE, 0, 0);
}

/* ---- events ---- */

static void carry(const struct judge_rule *r, struct judge_state *s, uint32_t share)
{
	for (unsigned m = 0; m < r->metrics; m++) {
		s->pooled[m].carried = s->pooled[m].last;
		for (unsigned i = 0; i < r->strata; i++)
			s->stratum[m][i].carried = s->stratum[m][i].last;
		for (unsigned i = 0; i < r->strata; i++)
			s->wave[m][i] = (struct judge_tally){0};
	}
	s->share = share;
	s->asked = false;
	if (s->verdict == JUDGE_INCONCLUSIVE)
		s->verdict = JUDGE_OPEN;
}

/* What an earlier wave has counted cannot be taken back from this one. */
static void add(uint32_t *n, uint32_t *bad, const struct judge_event *ev)
{
	int64_t all = MAX(0, (int64_t)*n + ev->n);

	*bad = (uint32_t)MIN(all, MAX(0, (int64_t)*bad + ev->bad));
	*n = (uint32_t)all;
}

static void count(struct judge_state *s, const struct judge_event *ev)
{
	struct judge_tally *t = &s->wave[ev->metric][ev->stratum];

	if (ev->arm == JUDGE_CONTROL) {
		add(&t->control, &t->control_bad, ev);
		return;
	}
	add(&t->canary, &t->canary_bad, ev);
	if (ev->metric == 0)
		add(&s->devices, &s->failures, ev);
}

static void begin(struct judge_state *s, const struct judge_event *ev)
{
	struct judge_tally *t = &s->wave[0][ev->stratum];

	t->begun = (uint32_t)MAX(0, (int64_t)t->begun + ev->n);
}

static bool is_share(uint32_t ppm)
{
	return ppm > 0 && ppm < MILLION;
}

static int check_rule(const struct judge_rule *r, struct err *e)
{
	if (r->metrics < 1 || r->metrics > JUDGE_METRICS || r->strata < 1 ||
		r->strata > JUDGE_STRATA)
		return err_set(e, ERR_BAD_INPUT, "a judge of %u metrics and %u strata", r->metrics,
			r->strata);
	for (unsigned m = 0; r->abort_alpha && m < r->metrics; m++)
		if (!is_share(r->base[m]) || !is_share(r->abort_alpha))
			return err_set(
				e, ERR_BAD_INPUT, "the usual rate of metric %u is no share", m);
	if (r->promote_alpha && (!is_share(r->bad) || !is_share(r->promote_alpha)))
		return err_set(e, ERR_BAD_INPUT, "what is called bad is no share");
	return 0;
}

static int check_event(const struct judge_rule *r, const struct judge_state *s,
	const struct judge_event *ev, struct err *e)
{
	if (ev->kind == JEV_WAVE && (!ev->share || ev->share > MILLION))
		return err_set(e, ERR_BAD_INPUT, "a canary with a share of %u", ev->share);
	if (ev->kind != JEV_OUTCOME && ev->kind != JEV_BEGUN)
		return 0;
	if (ev->metric >= r->metrics || ev->stratum >= r->strata ||
		(ev->n >= 0 && ev->bad > MAX(ev->n, 1)))
		return err_set(e, ERR_BAD_INPUT, "%d of %d in metric %u, stratum %u", ev->bad,
			ev->n, ev->metric, ev->stratum);
	if (ev->n > COUNT_MAX - (int64_t)s->devices || ev->bad > COUNT_MAX ||
		ev->n > COUNT_MAX - (int64_t)s->wave[ev->metric][ev->stratum].canary -
				(int64_t)s->wave[ev->metric][ev->stratum].control)
		return err_set(e, ERR_BAD_INPUT, "more units than a judge can count");
	return 0;
}

int judge_step(const struct judge_rule *r, const struct judge_state *now,
	const struct judge_event *ev, struct judge_state *next, struct err *e)
{
	struct judge_state s = *now;

	TRY(check_rule(r, e));
	TRY(check_event(r, now, ev, e));
	switch (ev->kind) {
	case JEV_WAVE:
		carry(r, &s, ev->share);
		break;
	case JEV_BEGUN:
		begin(&s, ev);
		look(r, &s);
		break;
	case JEV_OUTCOME:
		count(&s, ev);
		look(r, &s);
		break;
	case JEV_END:
		decide(&s, JUDGE_INCONCLUSIVE, JUDGE_BY_NONE, 0, 0);
		break;
	}
	*next = s;
	return 0;
}

/* ---- for people ---- */

static double times(int64_t evidence)
{
	return exp((double)evidence / MILLION);
}

static void format_abort(const struct judge_rule *r, const struct judge_state *s, struct buf *out)
{
	struct judge_tally sum = sum_of(r, s->wave[s->by_metric]);

	buf_addf(out, "%u of %u canaries failed", sum.canary_bad, sum.canary);
	if (sum.begun > sum.canary)
		buf_addf(out, " (%u have begun)", sum.begun);
	if (is_compared(s))
		buf_addf(out, ", %u of %u in the control group", sum.control_bad, sum.control);
	if (s->asked)
		buf_add_str(out, " (which is asked once more)");
	else if (!judge_in_step(r, s, JUDGE_STRATA))
		buf_add_str(out, " (not yet as many as can be compared)");
	buf_addf(out, "; evidence that it is worse: %.3g, %.3g would end it",
		times(judge_pooled(r, s, s->by_metric)), times(judge_pooled_limit(r)));
	if (s->by == JUDGE_BY_STRATUM)
		buf_addf(out, "; stratum %u: %.3g of %.3g", s->by_stratum,
			times(judge_stratum(r, s, s->by_metric, s->by_stratum)),
			times(judge_stratum_limit(r)));
}

void judge_format(const struct judge_rule *r, const struct judge_state *s, struct buf *out)
{
	buf_addf(out, "%s", judge_verdict_name(s->verdict));
	if (s->by != JUDGE_BY_NONE)
		buf_addf(out, " (%s)", judge_test_name(s->by));
	buf_add_str(out, ": ");
	if (r->abort_alpha)
		format_abort(r, s, out);
	else
		buf_addf(out, "%u of %u canaries failed", s->failures, s->devices);
	if (r->promote_alpha)
		buf_addf(out,
			"; evidence that fewer than %.3g %% fail: %.3g, %.3g would promote it",
			share_of(r->bad) * 100, times(judge_promote(r, s)),
			times(judge_promote_limit(r)));
}

const char *judge_verdict_name(enum judge_verdict v)
{
	static const char *const names[] = {
#define X(id, name, ...) name,
		JUDGE_VERDICT_TABLE(X)
#undef X
	};

	return v < JUDGE_VERDICT_MAX ? names[v] : "?";
}

const char *judge_test_name(enum judge_test t)
{
	static const char *const names[] = {
#define X(id, name) name,
		JUDGE_TEST_TABLE(X)
#undef X
	};

	return t < JUDGE_TEST_MAX ? names[t] : "?";
}
