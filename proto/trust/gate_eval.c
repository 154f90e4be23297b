#include "proto/trust/gate_eval.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

/* One requirement under judgement. */
struct judging {
	const struct gate_requirement *r;
	const struct statement *statements;
	unsigned n;
	int64_t now_s;
	struct gate_table *out;
};

static bool fits(const struct gate_requirement *r, const struct statement *s)
{
	return strcmp(predicate_name(s->kind), r->predicate) == 0 &&
	       (!r->suite[0] || strcmp(statement_suite(s), r->suite) == 0) &&
	       (!r->device_class[0] || strcmp(statement_device_class(s), r->device_class) == 0);
}

/* The next row; whoever adds it fills `wanted` and `seen`. */
static struct gate_row *row_add(struct judging *j)
{
	struct gate_row *row = &j->out->rows[j->out->n++];

	*row = (struct gate_row){.met = true};
	snprintf(row->requirement, sizeof row->requirement, "%s", j->r->name);
	return row;
}

/* What one statement says to one row: true when it is as wanted; `seen` is what stands there. */
typedef bool look_f(const struct judging *j, const void *what, const struct statement *s,
	char seen[LIMIT_TEXT]);

/* Every statement that fits must say yes; the first that does not is shown. */
static void judge(struct judging *j, struct gate_row *row, look_f *look, const void *what)
{
	for (unsigned i = 0; i < j->n; i++)
		if (row->met && fits(j->r, &j->statements[i]))
			row->met = look(j, what, &j->statements[i], row->seen);
}

/* ---- conditions ---- */

static bool op_holds(enum gate_op op, int compared)
{
	switch (op) {
	case GATE_EQ:
		return compared == 0;
	case GATE_NE:
		return compared != 0;
	case GATE_LE:
		return compared <= 0;
	case GATE_LT:
		return compared < 0;
	case GATE_GE:
		return compared >= 0;
	case GATE_GT:
		return compared > 0;
	case GATE_OP_MAX:
		break;
	}
	return false;
}

/* A number's text, from a whole number or from what json_read_foreign kept. */
static const char *number_of(const json_t *j, char text[32])
{
	if (json_is_integer(j)) {
		snprintf(text, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
		return text;
	}
	return json_string_value(json_object_get(j, "x-decimal"));
}

static bool number_holds(const struct gate_condition *c, const json_t *j, char seen[LIMIT_TEXT])
{
	char text[32];
	const char *is = number_of(j, text);
	struct decimal d;

	if (!is) {
		snprintf(seen, LIMIT_TEXT, "no number");
		return false;
	}
	if (decimal_parse(str_of(is), &d, NULL) < 0) {
		snprintf(seen, LIMIT_TEXT, "a number of too many digits");
		return false;
	}
	snprintf(seen, LIMIT_TEXT, "%s", is);
	return op_holds(c->op, decimal_compare(&d, &c->number));
}

static bool flag_holds(const struct gate_condition *c, const json_t *j, char seen[LIMIT_TEXT])
{
	snprintf(seen, LIMIT_TEXT, "%s",
		json_is_true(j)    ? "true"
		: json_is_false(j) ? "false"
				   : "neither true nor false");
	return json_is_boolean(j) && op_holds(c->op, json_is_true(j) != c->flag);
}

static bool text_holds(const struct gate_condition *c, const json_t *j, char seen[LIMIT_TEXT])
{
	const char *is = json_string_value(j);

	if (is)
		str_printable(str_of(is), seen, LIMIT_TEXT);
	else
		snprintf(seen, LIMIT_TEXT, "no text");
	return is && op_holds(c->op, strcmp(is, c->text) != 0);
}

static bool look_condition(
	const struct judging *j, const void *what, const struct statement *s, char seen[LIMIT_TEXT])
{
	static bool (*const holds[])(const struct gate_condition *, const json_t *, char *) = {
		[GATE_NUMBER] = number_holds,
		[GATE_FLAG] = flag_holds,
		[GATE_TEXT] = text_holds,
	};
	const struct gate_condition *c = what;
	const json_t *field = statement_field(s, c->field);

	(void)j;
	if (field)
		return holds[c->kind](c, field, seen);
	snprintf(seen, LIMIT_TEXT, "missing");
	return false;
}

/* ---- the rest of a requirement ---- */

static bool look_age(
	const struct judging *j, const void *what, const struct statement *s, char seen[LIMIT_TEXT])
{
	int64_t age = j->now_s - s->made_s;

	(void)what;
	if (s->made_s == 0)
		snprintf(seen, LIMIT_TEXT, "it does not say when it was made");
	else if (age < -GATE_SKEW_S)
		snprintf(seen, LIMIT_TEXT, "made in the future");
	else
		snprintf(seen, LIMIT_TEXT, "%lld days", (long long)(age / DAY_S));
	return s->made_s != 0 && age >= -GATE_SKEW_S && age <= j->r->max_age / 1000;
}

static bool look_verdict(
	const struct judging *j, const void *what, const struct statement *s, char seen[LIMIT_TEXT])
{
	(void)j, (void)what;
	return statement_says_yes(s, seen, LIMIT_TEXT);
}

static bool has_text(const json_t *list, const char *text)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *is = json_string_value(one);

		if (is && strcmp(is, text) == 0)
			return true;
	}
	return false;
}

static bool look_scenarios(
	const struct judging *j, const void *what, const struct statement *s, char seen[LIMIT_TEXT])
{
	const json_t *passed = statement_field(s, "passedTests");

	(void)what;
	for (unsigned i = 0; i < j->r->n_scenarios; i++)
		if (!has_text(passed, j->r->scenarios[i])) {
			snprintf(seen, LIMIT_TEXT, "not passed: %s", j->r->scenarios[i]);
			return false;
		}
	snprintf(seen, LIMIT_TEXT, "all %u", j->r->n_scenarios);
	return true;
}

/* ---- all of it ---- */

static void want_statement(struct judging *j)
{
	const struct gate_requirement *r = j->r;
	struct gate_row *row = row_add(j);
	unsigned n = 0;

	for (unsigned i = 0; i < j->n; i++)
		n += fits(r, &j->statements[i]);
	snprintf(row->wanted, sizeof row->wanted, "a %s%s%s%s%s", r->predicate,
		r->suite[0] ? " of " : "", r->suite, r->device_class[0] ? " on " : "",
		r->device_class);
	row->met = n > 0;
	snprintf(row->seen, sizeof row->seen, n ? "%u" : "missing", n);
}

static bool has_verdict(const struct gate_requirement *r)
{
	static const enum predicate kinds[] = {
		PREDICATE_TEST_RESULT, PREDICATE_VSA, PREDICATE_LICENCES, PREDICATE_CONSENT};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (predicate_by_name(r->predicate) == kinds[i])
			return true;
	return false;
}

static void want_list(struct gate_row *row, const struct gate_requirement *r)
{
	BUF_AUTO list = {0};

	for (unsigned i = 0; i < r->n_scenarios; i++)
		buf_addf(&list, "%s%s", i ? ", " : "passed: ", r->scenarios[i]);
	str_printable(buf_str(&list), row->wanted, sizeof row->wanted);
}

static void want_conditions(struct judging *j)
{
	for (unsigned i = 0; i < j->r->n_conditions; i++) {
		const struct gate_condition *c = &j->r->conditions[i];
		struct gate_row *row = row_add(j);
		BUF_AUTO text = {0};

		buf_addf(&text, "%s %s %s", c->field, gate_op_name(c->op), c->shown);
		str_printable(buf_str(&text), row->wanted, sizeof row->wanted);
		judge(j, row, look_condition, c);
	}
}

static void requirement_eval(struct judging *j)
{
	struct gate_row *row;

	want_statement(j);
	if (!j->out->rows[j->out->n - 1].met)
		return;
	if (j->r->max_age) {
		row = row_add(j);
		snprintf(row->wanted, sizeof row->wanted, "not older than %lld days",
			(long long)(j->r->max_age / 1000 / DAY_S));
		judge(j, row, look_age, NULL);
	}
	if (has_verdict(j->r)) {
		row = row_add(j);
		snprintf(row->wanted, sizeof row->wanted, "a verdict of yes");
		judge(j, row, look_verdict, NULL);
	}
	if (j->r->n_scenarios) {
		row = row_add(j);
		want_list(row, j->r);
		judge(j, row, look_scenarios, NULL);
	}
	want_conditions(j);
}

void gate_eval(const struct gate *g, const struct statement *statements, unsigned n, int64_t now_s,
	struct gate_table *out)
{
	out->n = 0;
	out->met = g->n > 0;
	for (unsigned i = 0; i < g->n; i++) {
		struct judging j = {&g->require[i], statements, n, now_s, out};

		requirement_eval(&j);
	}
	for (unsigned i = 0; i < out->n; i++)
		out->met = out->met && out->rows[i].met;
}

void gate_missing(const struct gate_table *t, struct buf *out)
{
	size_t before = out->n;

	for (unsigned i = 0; i < t->n; i++)
		if (!t->rows[i].met)
			buf_addf(out, "%s%s: %s, seen %s", out->n > before ? "; " : "",
				t->rows[i].requirement, t->rows[i].wanted, t->rows[i].seen);
}
