#include <assert.h>
#include <string.h>

#include "lib/sys/conf_priv.h"

#define COMMENT_WIDTH 100

struct unit {
	const char *name;
	uint64_t factor;
};

/* Greatest first, so that a dump finds the shortest form. */
static const struct unit spans[] = {
	{"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {
	{"T", 1ULL << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}};

static int number_with_unit(
	struct str s, const struct unit *units, size_t n_units, uint64_t *out, struct err *e)
{
	struct str digits = {s.p, 0}, unit;
	uint64_t v;

	while (digits.n < s.n && s.p[digits.n] >= '0' && s.p[digits.n] <= '9')
		digits.n++;
	unit = str_trim((struct str){s.p + digits.n, s.n - digits.n});
	TRY(str_to_u64(digits, 0, INT64_MAX, &v, e));
	if (v == 0 && unit.n == 0) {
		*out = 0;
		return 0;
	}
	for (size_t i = 0; i < n_units; i++) {
		if (!str_is(unit, units[i].name))
			continue;
		if (__builtin_mul_overflow(v, units[i].factor, &v) || v > INT64_MAX)
			return err_set(e, ERR_BAD_INPUT, "too large");
		*out = v;
		return 0;
	}
	return err_set(e, ERR_BAD_INPUT, "the unit is one of %s",
		units == spans ? "ms, s, min, h, d" : "K, M, G, T, or none for bytes");
}

static int bool_parse(struct str s, bool *out, struct err *e)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		if (str_is(s, words[i])) {
			*out = i % 2;
			return 0;
		}
	}
	return err_set(e, ERR_BAD_INPUT, "yes or no is wanted");
}

static int bound_check(const struct conf_row *row, uint64_t v, struct err *e)
{
	if ((row->min || row->max) && (v < row->min || v > row->max))
		return err_set(e, ERR_BAD_INPUT, "not between %llu and %llu%s",
			(unsigned long long)row->min, (unsigned long long)row->max,
			row->type == CONF_SPAN ? " ms" : "");
	return 0;
}

static int number_parse(const struct conf_row *row, struct str s, uint64_t *out, struct err *e)
{
	switch (row->type) {
	case CONF_SPAN:
		return number_with_unit(s, spans, ARRAY_LEN(spans), out, e);
	case CONF_SIZE:
		return number_with_unit(s, sizes, ARRAY_LEN(sizes), out, e);
	default:
		return str_to_u64(s, 0, UINT64_MAX, out, e);
	}
}

int conf_value_parse(const struct conf_row *row, struct str s, char *values, struct err *e)
{
	void *at = values + row->offset;
	uint64_t v = 0;
	bool flag = false;

	if (row->type == CONF_TEXT)
		return str_copy(s, at, row->size, e);
	if (row->type == CONF_BOOL) {
		TRY(bool_parse(s, &flag, e));
		memcpy(at, &flag, sizeof flag);
		return 0;
	}
	TRY(number_parse(row, s, &v, e));
	TRY(bound_check(row, v, e));
	memcpy(at, &v, sizeof v); /* ms_t has the same size, and v fits */
	return 0;
}

size_t conf_row_end(const struct conf_row *row)
{
	static const size_t sizes_of[] = {[CONF_UINT] = sizeof(uint64_t),
		[CONF_BOOL] = sizeof(bool),
		[CONF_SPAN] = sizeof(ms_t),
		[CONF_SIZE] = sizeof(uint64_t)};

	return row->offset + (row->type == CONF_TEXT ? row->size : sizes_of[row->type]);
}

/* ---- writing ---- */

/* In the greatest unit that leaves a whole number. */
static void add_with_unit(struct buf *out, uint64_t v, const struct unit *units, size_t n_units)
{
	size_t i = 0;

	while (i + 1 < n_units && (v == 0 || v % units[i].factor))
		i++;
	buf_addf(out, " %llu%s", (unsigned long long)(v / units[i].factor), units[i].name);
}

static void add_value(struct buf *out, const struct conf_row *row, const char *values)
{
	const char *at = values + row->offset;
	uint64_t v = 0;
	bool flag = false;

	switch (row->type) {
	case CONF_TEXT:
		/* Behind a blank, ';' would begin a comment. */
		buf_addf(out, "%s%s", at[0] == ';' ? "" : " ", at);
		return;
	case CONF_BOOL:
		memcpy(&flag, at, sizeof flag);
		buf_add_str(out, flag ? " yes" : " no");
		return;
	case CONF_UINT:
		memcpy(&v, at, sizeof v);
		buf_addf(out, " %llu", (unsigned long long)v);
		return;
	case CONF_SPAN:
		memcpy(&v, at, sizeof v);
		add_with_unit(out, v, spans, ARRAY_LEN(spans));
		return;
	case CONF_SIZE:
		memcpy(&v, at, sizeof v);
		add_with_unit(out, v, sizes, ARRAY_LEN(sizes));
		return;
	}
}

/* In lines that the reader takes, however much there is to say. */
static void add_help(struct buf *out, const char *help)
{
	struct str rest = str_of(help), word;
	size_t width = 0;

	while (str_split(&rest, ' ', &word)) {
		bool begins = width == 0 || width + 1 + word.n > COMMENT_WIDTH;

		if (begins && width)
			buf_add_char(out, '\n');
		if (begins)
			width = 1;
		buf_addf(out, begins ? "# %.*s" : " %.*s", (int)word.n, word.p);
		width += 1 + word.n;
	}
	buf_add_char(out, '\n');
}

void conf_dump(const struct conf_row *rows, size_t n_rows, const void *values,
	const struct conf_trace *trace, struct buf *out)
{
	const char *section = "";

	for (size_t i = 0; i < n_rows; i++) {
		if (strcmp(section, rows[i].section) != 0)
			buf_addf(out, "%s[%s]\n", i ? "\n" : "", rows[i].section);
		section = rows[i].section;
		add_help(out, rows[i].help);
		if (trace && trace->said[i])
			buf_addf(out, "# (%s)\n", trace->said[i]);
		buf_addf(out, "%s =", rows[i].key);
		add_value(out, &rows[i], values);
		buf_add_char(out, '\n');
	}
}
