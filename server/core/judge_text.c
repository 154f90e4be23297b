/* The judge's state as a line of numbers. One walk over the members serves both ways. */
#include "server/core/judge.h"

typedef int visit_f(void *ctx, int64_t *number, struct err *e);

/* Hands the member out as a number and takes the number back, if it fits. */
#define VISIT(member)                                                                              \
	do {                                                                                       \
		int64_t number_ = (int64_t)(member);                                               \
		TRY(f(ctx, &number_, e));                                                          \
		(member) = (__typeof__(member))number_;                                            \
		if ((int64_t)(member) != number_)                                                  \
			return err_set(                                                            \
				e, ERR_BAD_INPUT, "a number of the judge is out of bounds");       \
	} while (0)

static int visit_cell(
	struct judge_tally *t, struct judge_evidence *v, visit_f *f, void *ctx, struct err *e)
{
	VISIT(t->canary);
	VISIT(t->canary_bad);
	VISIT(t->control);
	VISIT(t->control_bad);
	VISIT(v->carried);
	VISIT(v->peak);
	return 0;
}

static int visit(
	const struct judge_rule *r, struct judge_state *s, visit_f *f, void *ctx, struct err *e)
{
	VISIT(s->verdict);
	VISIT(s->by);
	VISIT(s->by_metric);
	VISIT(s->by_stratum);
	VISIT(s->share);
	VISIT(s->devices);
	VISIT(s->failures);
	VISIT(s->promote.peak);
	for (unsigned m = 0; m < r->metrics; m++) {
		VISIT(s->pooled[m].carried);
		VISIT(s->pooled[m].peak);
		for (unsigned i = 0; i < r->strata; i++)
			TRY(visit_cell(&s->wave[m][i], &s->stratum[m][i], f, ctx, e));
	}
	return 0;
}

/* What the line of an earlier release does not have. */
static int visit_newer(
	const struct judge_rule *r, struct judge_state *s, visit_f *f, void *ctx, struct err *e)
{
	for (unsigned m = 0; m < r->metrics; m++) {
		VISIT(s->pooled[m].last);
		for (unsigned i = 0; i < r->strata; i++) {
			VISIT(s->stratum[m][i].last);
			VISIT(s->wave[m][i].begun);
		}
	}
	return 0;
}

/* What came with turns. */
static int visit_turns(
	const struct judge_rule *r, struct judge_state *s, visit_f *f, void *ctx, struct err *e)
{
	VISIT(s->asked);
	VISIT(s->scope);
	VISIT(s->turns);
	for (unsigned m = 0; m < r->metrics; m++)
		for (unsigned i = 0; i < r->strata; i++) {
			VISIT(s->wave[m][i].due);
			VISIT(s->wave[m][i].least);
		}
	return 0;
}

/* It had one arm, which is always in step. */
static void fill_newer(const struct judge_rule *r, struct judge_state *s)
{
	for (unsigned m = 0; r->abort_alpha && m < r->metrics; m++) {
		s->pooled[m].last = judge_pooled(r, s, m);
		for (unsigned i = 0; i < r->strata; i++)
			s->stratum[m][i].last = judge_stratum(r, s, m, i);
	}
}

static int write_number(void *ctx, int64_t *number, struct err *e UNUSED)
{
	struct buf *out = ctx;

	buf_addf(out, "%s%lld", out->n ? " " : "", (long long)*number);
	return 0;
}

void judge_encode(const struct judge_rule *r, const struct judge_state *s, struct buf *out)
{
	struct judge_state copy = *s;
	BUF_AUTO line = {0};
	struct err e;
	int rc UNUSED = visit(r, &copy, write_number, &line, &e);

	rc = visit_newer(r, &copy, write_number, &line, &e);
	rc = visit_turns(r, &copy, write_number, &line, &e);
	buf_add(out, line.p, line.n);
}

static int read_number(void *ctx, int64_t *number, struct err *e)
{
	struct str *text = ctx, field;
	bool minus;
	uint64_t v;

	if (!str_split(text, ' ', &field))
		return err_set(e, ERR_BAD_INPUT, "the judge's state is cut short");
	minus = str_has_prefix(field, "-");
	if (minus)
		field = (struct str){field.p + 1, field.n - 1};
	TRY(str_to_u64(field, 0, INT64_MAX, &v, e));
	*number = minus ? -(int64_t)v : (int64_t)v;
	return 0;
}

int judge_decode(
	const struct judge_rule *r, struct str text, struct judge_state *out, struct err *e)
{
	struct judge_state s = {0};

	TRY(visit(r, &s, read_number, &text, e));
	if (text.p)
		TRY(visit_newer(r, &s, read_number, &text, e));
	else
		fill_newer(r, &s);
	if (text.p)
		TRY(visit_turns(r, &s, read_number, &text, e));
	if (text.p)
		return err_set(e, ERR_BAD_INPUT, "the judge's state has more numbers than members");
	if (s.verdict >= JUDGE_VERDICT_MAX || s.by >= JUDGE_TEST_MAX || s.by_metric >= r->metrics ||
		s.by_stratum >= r->strata || s.scope > JUDGE_STRATA)
		return err_set(e, ERR_BAD_INPUT, "the judge's state names what there is not");
	*out = s;
	return 0;
}
