/* What a campaign's state holds beyond the columns of its row, as a line of numbers. One walk over
 * the members serves both ways; new members come last. */
#include "server/core/wave.h"

typedef int visit_f(void *ctx, int64_t *number, struct err *e);

#define VISIT(member)                                                                              \
	do {                                                                                       \
		int64_t number_ = (int64_t)(member);                                               \
		TRY(f(ctx, &number_, e));                                                          \
		(member) = (__typeof__(member))number_;                                            \
		if ((int64_t)(member) != number_)                                                  \
			return err_set(                                                            \
				e, ERR_BAD_INPUT, "a number of a campaign is out of bounds");      \
	} while (0)

static int visit(const struct policy *p, struct wave_state *s, visit_f *f, void *ctx, struct err *e)
{
	VISIT(s->strata);
	for (unsigned w = 0; w < p->n_waves; w++)
		VISIT(s->end[w]);
	VISIT(s->opened);
	VISIT(s->admitted_before);
	VISIT(s->control_from);
	VISIT(s->control_to);
	VISIT(s->control_heard);
	VISIT(s->control_released);
	VISIT(s->heard_before);
	VISIT(s->rung);
	VISIT(s->forgiven);
	VISIT(s->resume);
	VISIT(s->passed);
	return 0;
}

/* What the line of an earlier release does not have. */
static int visit_newer(struct wave_state *s, visit_f *f, void *ctx, struct err *e)
{
	VISIT(s->turn);
	VISIT(s->asked);
	return 0;
}

/* The group was heard once a wave. */
static void fill_newer(struct wave_state *s)
{
	s->turn = s->phase == WAVE_DRAFT ? 0 : s->wave + 1;
	s->asked = s->opened;
}

static int write_number(void *ctx, int64_t *number, struct err *e UNUSED)
{
	struct buf *out = ctx;

	buf_addf(out, "%s%lld", out->n ? " " : "", (long long)*number);
	return 0;
}

void wave_more_encode(const struct policy *p, const struct wave_state *s, struct buf *out)
{
	struct wave_state copy = *s;
	BUF_AUTO line = {0};
	struct err e;
	int rc UNUSED = visit(p, &copy, write_number, &line, &e);

	rc = visit_newer(&copy, write_number, &line, &e);
	buf_add(out, line.p, line.n);
}

static int read_number(void *ctx, int64_t *number, struct err *e)
{
	struct str *text = ctx, field;
	uint64_t v;

	if (!str_split(text, ' ', &field))
		return err_set(e, ERR_BAD_INPUT, "a campaign's numbers are cut short");
	TRY(str_to_u64(field, 0, INT64_MAX, &v, e));
	*number = (int64_t)v;
	return 0;
}

static void fill_from_policy(const struct policy *p, struct wave_state *s)
{
	if (s->phase == WAVE_DRAFT)
		return;
	s->strata = 1;
	s->opened = s->since;
	for (unsigned w = 0; w < p->n_waves; w++)
		s->end[w] = wave_end(p, s->recipients, w);
	fill_newer(s);
}

int wave_more_decode(const struct policy *p, struct str text, struct wave_state *s, struct err *e)
{
	if (!text.n) {
		fill_from_policy(p, s);
		return 0;
	}
	TRY(visit(p, s, read_number, &text, e));
	if (text.p)
		TRY(visit_newer(s, read_number, &text, e));
	else
		fill_newer(s);
	if (text.p)
		return err_set(e, ERR_BAD_INPUT, "a campaign has more numbers than members");
	if (s->strata > JUDGE_STRATA || s->rung >= POLICY_RUNG_MAX || s->resume >= WAVE_PHASE_MAX)
		return err_set(e, ERR_BAD_INPUT, "a campaign of %u strata, on rung %u", s->strata,
			s->rung);
	return 0;
}
