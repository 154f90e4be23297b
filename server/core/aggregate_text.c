/* Aggregates as lines of text. The first is "a WINDOWS SPAN LEFT_OUT"; then one for each metric, in
 * order: "c NAME WINDOWS SUM", "g NAME WINDOWS SUM LEAST MOST", "h NAME WINDOWS MOVED N", N edges,
 * N + 1 counts. */
#include <stdlib.h>
#include <string.h>

#include "server/core/aggregate.h"

#define WHAT "aggregate"

static const char letters[] = {
#define X(id, letter) letter,
	AGG_KIND_TABLE(X)
#undef X
};

/* ---- writing ---- */

static void put_values(const struct agg_metric *m, struct buf *out)
{
	switch (m->kind) {
	case AGG_GAUGE:
		buf_addf(out, " %lld %lld %lld", (long long)m->sum, (long long)m->least,
			(long long)m->most);
		return;
	case AGG_HIST:
		buf_addf(out, " %llu %u", (unsigned long long)m->moved, m->n);
		for (unsigned i = 0; i < m->n; i++)
			buf_addf(out, " %lld", (long long)m->edge[i]);
		for (unsigned i = 0; i <= m->n; i++)
			buf_addf(out, " %llu", (unsigned long long)m->count[i]);
		return;
	default:
		buf_addf(out, " %lld", (long long)m->sum);
	}
}

void aggregate_encode(const struct aggregate *a, struct buf *out)
{
	buf_addf(out, "a %llu %lld %llu\n", (unsigned long long)a->windows, (long long)a->span,
		(unsigned long long)a->left_out);
	for (unsigned i = 0; i < a->n; i++) {
		const struct agg_metric *m = &a->v[i];

		buf_addf(out, "%c %s %llu", letters[m->kind], m->name,
			(unsigned long long)m->windows);
		put_values(m, out);
		buf_add_char(out, '\n');
	}
}

/* ---- reading ---- */

static int word(struct str *line, struct str *out, struct err *e)
{
	if (!str_split(line, ' ', out) || !out->n)
		return err_set(e, ERR_BAD_INPUT, WHAT ": a line ends too early");
	return 0;
}

static int whole(struct str *line, uint64_t max, uint64_t *out, struct err *e)
{
	struct str w;

	TRY(word(line, &w, e));
	return str_to_u64(w, 0, max, out, e);
}

static int with_sign(struct str *line, int64_t *out, struct err *e)
{
	struct str w;
	bool negative;
	uint64_t v;

	TRY(word(line, &w, e));
	negative = w.p[0] == '-';
	if (negative)
		w = (struct str){w.p + 1, w.n - 1};
	TRY(str_to_u64(w, 0, (uint64_t)INT64_MAX + negative, &v, e));
	*out = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

static int edges(struct str *line, struct agg_metric *m, struct err *e)
{
	for (unsigned i = 0; i < m->n; i++) {
		TRY(with_sign(line, &m->edge[i], e));
		if (m->edge[i] < -AGG_EDGE_MOST || m->edge[i] > AGG_EDGE_MOST)
			return err_set(e, ERR_BAD_INPUT, WHAT ": an edge is out of bounds");
		if (i && m->edge[i] <= m->edge[i - 1])
			return err_set(e, ERR_BAD_INPUT, WHAT ": edges do not ascend");
	}
	return 0;
}

static int hist(struct str *line, struct agg_metric *m, struct err *e)
{
	uint64_t n;

	TRY(whole(line, UINT64_MAX, &m->moved, e));
	TRY(whole(line, AGG_EDGES_MAX, &n, e));
	m->n = (unsigned)n;
	TRY(edges(line, m, e));
	for (unsigned i = 0; i <= m->n; i++)
		TRY(whole(line, UINT64_MAX, &m->count[i], e));
	return 0;
}

static int values(struct str *line, struct agg_metric *m, struct err *e)
{
	if (m->kind == AGG_HIST)
		return hist(line, m, e);
	TRY(with_sign(line, &m->sum, e));
	if (m->kind == AGG_COUNTER)
		return 0;
	TRY(with_sign(line, &m->least, e));
	return with_sign(line, &m->most, e);
}

static int kind_of(struct str letter, enum agg_kind *out, struct err *e)
{
	for (unsigned k = 0; k < AGG_KIND_MAX; k++)
		if (letter.n == 1 && letter.p[0] == letters[k]) {
			*out = (enum agg_kind)k;
			return 0;
		}
	return err_set(e, ERR_BAD_INPUT, WHAT ": no such kind of metric");
}

static int metric(struct str line, struct agg_metric *m, struct err *e)
{
	struct str letter, name;

	*m = (struct agg_metric){.least = INT64_MAX, .most = INT64_MIN};
	TRY(word(&line, &letter, e));
	TRY(kind_of(letter, &m->kind, e));
	TRY(word(&line, &name, e));
	TRY(str_copy(name, m->name, sizeof m->name, e));
	TRY(whole(&line, UINT64_MAX, &m->windows, e));
	TRY(values(&line, m, e));
	return line.n ? err_set(e, ERR_BAD_INPUT, WHAT ": a line goes on") : 0;
}

static int head(struct str line, struct aggregate *a, struct err *e)
{
	struct str letter;

	TRY(word(&line, &letter, e));
	if (!str_is(letter, "a"))
		return err_set(e, ERR_BAD_INPUT, WHAT ": it begins with no head");
	TRY(whole(&line, UINT64_MAX, &a->windows, e));
	TRY(with_sign(&line, &a->span, e));
	return whole(&line, UINT64_MAX, &a->left_out, e);
}

static bool is_after(const struct agg_metric *m, const struct agg_metric *before)
{
	return m->kind != before->kind ? m->kind > before->kind : strcmp(m->name, before->name) > 0;
}

static int decode(struct str text, struct aggregate *a, struct err *e)
{
	struct agg_metric m;
	struct str line;

	if (!str_split(&text, '\n', &line))
		return err_set(e, ERR_BAD_INPUT, WHAT ": it is empty");
	TRY(head(line, a, e));
	while (text.n && str_split(&text, '\n', &line)) {
		TRY(metric(line, &m, e));
		if (a->n == AGG_METRICS || (a->n && !is_after(&m, &a->v[a->n - 1])))
			return err_set(e, ERR_BAD_INPUT, WHAT ": too many metrics, or no order");
		a->v = mem_resize(a->v, (a->n + 1) * sizeof *a->v);
		a->v[a->n++] = m;
	}
	return 0;
}

int aggregate_decode(struct str text, struct aggregate *out, struct err *e)
{
	AGGREGATE_AUTO a = {0};

	TRY(decode(text, &a, e));
	*out = a;
	aggregate_init(&a);
	return 0;
}
