#include "proto/wire/promtext.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/prng.h"

/* One sample, as views into the page. */
struct sample_line {
	struct str name;
	uint64_t series; /* hash of its labels but `le`, in whatever order they stand */
	bool has_le;
	double le;
	double value;
};

/* What is left of a line. */
struct cursor {
	const char *p, *end;
};

static char peek(const struct cursor *c)
{
	return c->p < c->end ? *c->p : 0;
}

static bool take(struct cursor *c, char want)
{
	bool ok = c->p < c->end && *c->p == want;

	c->p += ok;
	return ok;
}

static void skip_blanks(struct cursor *c)
{
	while (peek(c) == ' ' || peek(c) == '\t')
		c->p++;
}

static bool name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

/* A metric's name may hold colons, a label's may not. */
static int take_name(struct cursor *c, bool colons, struct str *out, struct err *e)
{
	const char *from = c->p;

	while (name_char(peek(c), c->p == from) || (colons && peek(c) == ':'))
		c->p++;
	if (c->p == from)
		return err_set(e, ERR_BAD_INPUT, "a name is wanted");
	*out = (struct str){from, (size_t)(c->p - from)};
	return 0;
}

static struct str take_word(struct cursor *c)
{
	const char *from = c->p;

	while (c->p < c->end && *c->p != ' ' && *c->p != '\t')
		c->p++;
	return (struct str){from, (size_t)(c->p - from)};
}

static int number_parse(struct str s, double *out, struct err *e)
{
	char text[64], *end;
	size_t i;

	if (str_is(s, "+Inf") || str_is(s, "Inf") || str_is(s, "-Inf")) {
		*out = (double)(s.p[0] == '-' ? -INFINITY : INFINITY);
		return 0;
	}
	if (str_is(s, "NaN")) {
		*out = (double)NAN;
		return 0;
	}
	for (i = 0; i < s.n && str_has_char("0123456789+-.eE", s.p[i]); i++)
		;
	if (s.n == 0 || i < s.n || str_copy(s, text, sizeof text, NULL) < 0)
		return err_set(e, ERR_BAD_INPUT, "not a number");
	*out = strtod(text, &end);
	return *end == 0 ? 0 : err_set(e, ERR_BAD_INPUT, "not a number");
}

/* ---- labels ---- */

/* Up to the closing quote, with its escapes as they are. */
static int take_quoted(struct cursor *c, struct str *out, struct err *e)
{
	const char *from;

	if (!take(c, '"'))
		return err_set(e, ERR_BAD_INPUT, "a quoted label value is wanted");
	from = c->p;
	while (c->p < c->end && *c->p != '"') {
		if (*c->p == '\\' && (++c->p == c->end || !str_has_char("\\\"n", *c->p)))
			return err_set(e, ERR_BAD_INPUT, "an unknown escape in a label value");
		c->p++;
	}
	*out = (struct str){from, (size_t)(c->p - from)};
	return take(c, '"') ? 0 : err_set(e, ERR_BAD_INPUT, "a label value without an end");
}

static int take_label(struct cursor *c, struct sample_line *s, struct err *e)
{
	struct str key = {0}, value = {0};

	TRY(take_name(c, false, &key, e));
	skip_blanks(c);
	if (!take(c, '='))
		return err_set(e, ERR_BAD_INPUT, "a label without '='");
	skip_blanks(c);
	TRY(take_quoted(c, &value, e));
	skip_blanks(c);
	if (!str_is(key, "le")) {
		s->series += hash64(hash64(1, key.p, key.n), value.p, value.n);
		return 0;
	}
	s->has_le = true;
	TRY(number_parse(value, &s->le, e));
	return isnan(s->le) ? err_set(e, ERR_BAD_INPUT, "a bound that is no number") : 0;
}

static int take_labels(struct cursor *c, struct sample_line *s, struct err *e)
{
	if (!take(c, '{'))
		return 0;
	skip_blanks(c);
	while (!take(c, '}')) {
		TRY(take_label(c, s, e));
		if (!take(c, ',') && peek(c) != '}')
			return err_set(e, ERR_BAD_INPUT, "',' or '}' is wanted behind a label");
		skip_blanks(c);
	}
	return 0;
}

/* ---- lines ---- */

static int take_timestamp(struct cursor *c, struct err *e)
{
	uint64_t ms;

	skip_blanks(c);
	if (c->p == c->end)
		return 0;
	take(c, '-');
	TRY(str_to_u64(take_word(c), 0, INT64_MAX, &ms, e));
	skip_blanks(c);
	return c->p == c->end ? 0 : err_set(e, ERR_BAD_INPUT, "more than a value and a time");
}

static int sample_parse(struct cursor c, struct sample_line *out, struct err *e)
{
	struct sample_line s = {0};

	TRY(take_name(&c, true, &s.name, e));
	skip_blanks(&c);
	TRY(take_labels(&c, &s, e));
	skip_blanks(&c);
	TRY(number_parse(take_word(&c), &s.value, e));
	TRY(take_timestamp(&c, e));
	*out = s;
	return 0;
}

/* "# HELP" and "# TYPE" have a form, every other comment is free. */
static int comment_check(struct cursor c, struct err *e)
{
	static const char *const types[] = {"counter", "gauge", "histogram", "summary", "untyped"};
	struct str word, name;

	c.p++;
	skip_blanks(&c);
	word = take_word(&c);
	if (!str_is(word, "HELP") && !str_is(word, "TYPE"))
		return 0;
	skip_blanks(&c);
	TRY(take_name(&c, true, &name, e));
	skip_blanks(&c);
	if (str_is(word, "HELP"))
		return 0;
	word = take_word(&c);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_is(word, types[i]))
			return 0;
	return err_set(e, ERR_BAD_INPUT, "an unknown type of metric");
}

static int line_check(struct str line, struct err *e)
{
	if (line.n > LIMIT_METRICS_LINE)
		return err_set(e, ERR_TOO_LARGE, "%zu bytes, at most %d are allowed", line.n,
			LIMIT_METRICS_LINE);
	for (size_t i = 0; i < line.n; i++)
		if (((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
			return err_set(e, ERR_BAD_INPUT, "a control character");
	return 0;
}

static int line_parse(struct str line, struct str want, struct buf *found, struct err *e)
{
	struct cursor c = {line.p, line.p + line.n};
	struct sample_line s;

	TRY(line_check(line, e));
	skip_blanks(&c);
	if (c.p == c.end)
		return 0;
	if (*c.p == '#')
		return comment_check(c, e);
	TRY(sample_parse(c, &s, e));
	if (str_eq(s.name, want))
		buf_add(found, &s, sizeof s);
	return 0;
}

/* Checks the whole page and gathers the samples named `want`. */
static int page_parse(struct str page, struct str want, struct buf *found, struct err *e)
{
	struct str line;
	size_t n = 0;

	if (page.n > LIMIT_METRICS_BYTES)
		return err_set(e, ERR_TOO_LARGE, "a page of %zu bytes, at most %d are allowed",
			page.n, LIMIT_METRICS_BYTES);
	/* "12" may be what is left of "1234". */
	if (page.n && page.p[page.n - 1] != '\n')
		return err_set(e, ERR_BAD_INPUT, "the last line is cut off");
	while (page.n && str_split(&page, '\n', &line)) {
		n++;
		if (line_parse(line, want, found, e) < 0)
			return err_wrap(e, "line %zu", n);
	}
	if (found->n == 0)
		return err_set(e, ERR_NOT_FOUND, "no samples of %.*s", (int)want.n, want.p);
	return 0;
}

/* ---- values ---- */

static int by_series(const void *a, const void *b)
{
	const struct sample_line *x = a, *y = b;

	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	if (x->has_le != y->has_le)
		return x->has_le ? 1 : -1;
	return (x->le > y->le) - (x->le < y->le);
}

/* Sorted by series and bound; a series that stands twice would be counted twice. */
static int sort_series(struct sample_line *s, size_t n, struct err *e)
{
	assert(s && n > 0);
	qsort(s, n, sizeof *s, by_series);
	for (size_t i = 1; i < n; i++)
		if (by_series(&s[i - 1], &s[i]) == 0)
			return err_set(e, ERR_BAD_INPUT, "a series of %.*s stands twice",
				(int)s->name.n, s->name.p);
	return 0;
}

int prom_value(struct str page, const char *name, double *out, struct err *e)
{
	BUF_AUTO found = {0};
	struct sample_line *s;
	double sum = 0;
	size_t n, seen = 0;

	TRY(page_parse(page, str_of(name), &found, e));
	s = (struct sample_line *)(void *)found.p;
	n = found.n / sizeof *s;
	TRY(sort_series(s, n, e));
	for (size_t i = 0; i < n; i++) {
		if (isnan(s[i].value))
			continue;
		sum += s[i].value;
		seen++;
	}
	*out = seen ? sum : (double)NAN;
	return 0;
}

static int count_parse(double value, double before, uint64_t *out, struct err *e)
{
	if (!(value >= 0 && value <= 9007199254740992.0) || floor(value) != value)
		return err_set(e, ERR_BAD_INPUT, "a bucket's count is not a whole number");
	if (value < before)
		return err_set(e, ERR_BAD_INPUT, "a bucket's count is below that of a lower bound");
	*out = (uint64_t)(value - before);
	return 0;
}

/* The buckets of one label set: n sorted samples. */
static int buckets_parse(const struct sample_line *s, size_t n, struct hist *out, struct err *e)
{
	struct hist h = {.n = (unsigned)n};
	double before = 0;

	if (n > LIMIT_HIST_BUCKETS)
		return err_set(e, ERR_TOO_LARGE, "more than %d buckets", LIMIT_HIST_BUCKETS);
	if (!s[0].has_le || s[n - 1].le != (double)INFINITY)
		return err_set(e, ERR_BAD_INPUT, "buckets without bounds up to +Inf");
	for (size_t i = 0; i < n; i++) {
		TRY(count_parse(s[i].value, before, &h.count[i], e));
		before = s[i].value;
		h.le[i] = s[i].le;
	}
	*out = h;
	return 0;
}

int prom_hist(struct str page, const char *name, struct hist *out, struct err *e)
{
	BUF_AUTO found = {0}, want = {0};
	struct hist sum = {0}, one;
	struct sample_line *s;
	size_t n, end;

	buf_addf(&want, "%s_bucket", name);
	TRY(page_parse(page, buf_str(&want), &found, e));
	s = (struct sample_line *)(void *)found.p;
	n = found.n / sizeof *s;
	TRY(sort_series(s, n, e));
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && s[end].series == s[i].series; end++)
			;
		TRY(buckets_parse(s + i, end - i, &one, e));
		if (sum.n && !hist_has_bounds(&sum, &one))
			return err_set(
				e, ERR_BAD_INPUT, "%s: label sets with different bounds", name);
		hist_add(&sum, &one);
	}
	*out = sum;
	return 0;
}
