#include "proto/wire/gate.h"

#include <stdio.h>
#include <string.h>

#define WHERE_MAX   64
#define MAX_AGE_MS  (10ULL * 365 * 24 * 3600 * 1000)
#define FIELD_PARTS 8

static const char *const op_names[] = {
	[GATE_EQ] = "==",
	[GATE_NE] = "!=",
	[GATE_LE] = "<=",
	[GATE_LT] = "<",
	[GATE_GE] = ">=",
	[GATE_GT] = ">",
};

const char *gate_op_name(enum gate_op op)
{
	return op < GATE_OP_MAX ? op_names[op] : "?";
}

/* ---- one condition ---- */

/* A whole number, or any number as text. */
static int number_parse(const json_t *j, const char *where, struct gate_condition *c, struct err *e)
{
	const json_t *v = json_object_get(j, "number");

	if (json_is_integer(v))
		snprintf(c->shown, sizeof c->shown, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else
		TRY(json_text(j, where, "number", c->shown, sizeof c->shown, e));
	if (decimal_parse(str_of(c->shown), &c->number, e) < 0)
		return err_wrap(e, "%s.number", where);
	return 0;
}

static int flag_parse(const json_t *j, const char *where, struct gate_condition *c, struct err *e)
{
	TRY(json_bool_opt(j, where, "flag", &c->flag, e));
	snprintf(c->shown, sizeof c->shown, "%s", c->flag ? "true" : "false");
	return 0;
}

static int text_parse(const json_t *j, const char *where, struct gate_condition *c, struct err *e)
{
	TRY(json_text(j, where, "text", c->text, sizeof c->text, e));
	snprintf(c->shown, sizeof c->shown, "\"%s\"", c->text);
	return 0;
}

static const struct value_row {
	const char *member;
	int (*parse)(const json_t *, const char *, struct gate_condition *, struct err *);
	bool ordered; /* may it be less or more? */
} values[] = {
	[GATE_NUMBER] = {"number", number_parse, true},
	[GATE_FLAG] = {"flag", flag_parse, false},
	[GATE_TEXT] = {"text", text_parse, false},
};

static int value_parse(const json_t *j, const char *where, struct gate_condition *c, struct err *e)
{
	unsigned given = 0;

	for (enum gate_value v = 0; v < GATE_VALUE_MAX; v++)
		if (json_object_get(j, values[v].member)) {
			c->kind = v;
			given++;
		}
	if (given != 1)
		return err_set(e, ERR_BAD_INPUT,
			"%s: exactly one of number, flag and text is wanted", where);
	TRY(values[c->kind].parse(j, where, c, e));
	if (!values[c->kind].ordered && c->op != GATE_EQ && c->op != GATE_NE)
		return err_set(e, ERR_BAD_INPUT, "%s: a %s is only == or !=", where,
			values[c->kind].member);
	return 0;
}

/* Names of members, joined by dots. */
static int field_check(const char *field, const char *where, struct err *e)
{
	struct str rest = str_of(field), part;
	unsigned parts = 0;
	bool ends = !field[0] || field[strlen(field) - 1] == '.';

	while (!ends && str_split(&rest, '.', &part)) {
		ends = part.n == 0;
		parts++;
	}
	if (ends || parts > FIELD_PARTS)
		return err_set(e, ERR_BAD_INPUT,
			"%s.field: 1 to %d names joined by dots are wanted", where, FIELD_PARTS);
	return 0;
}

static int condition_parse(const json_t *j, const char *at, struct gate_condition *c, struct err *e)
{
	static const char *const known[] = {"field", "op", "number", "flag", "text", NULL};
	unsigned op = 0;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", at);
	TRY(json_only(j, at, known, e));
	TRY(json_text(j, at, "field", c->field, sizeof c->field, e));
	TRY(field_check(c->field, at, e));
	TRY(json_choice(j, at, "op", op_names, GATE_OP_MAX, &op, e));
	c->op = (enum gate_op)op;
	return value_parse(j, at, c, e);
}

static int conditions_parse(
	const json_t *j, const char *where, struct gate_requirement *r, struct err *e)
{
	const json_t *list;
	char at[WHERE_MAX + 40]; /* a size_t may have twenty digits */

	if (!json_object_get(j, "conditions"))
		return 0;
	TRY(json_arr(j, where, "conditions", LIMIT_GATE_CONDITIONS, &list, e));
	for (size_t i = 0; i < json_array_size(list); i++) {
		snprintf(at, sizeof at, "%s.conditions[%zu]", where, i);
		TRY(condition_parse(json_array_get(list, i), at, &r->conditions[i], e));
		r->n_conditions++;
	}
	return 0;
}

/* ---- one requirement ---- */

static int scenarios_parse(
	const json_t *j, const char *where, struct gate_requirement *r, struct err *e)
{
	const json_t *list;

	if (!json_object_get(j, "scenarios"))
		return 0;
	TRY(json_arr(j, where, "scenarios", LIMIT_GATE_SCENARIOS, &list, e));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));

		if (!one || !one[0])
			return err_set(
				e, ERR_BAD_INPUT, "%s.scenarios[%zu]: a name is wanted", where, i);
		if (str_copy(str_of(one), r->scenarios[i], sizeof r->scenarios[i], e) < 0)
			return err_wrap(e, "%s.scenarios[%zu]", where, i);
		r->n_scenarios++;
	}
	return 0;
}

/* Only a test has a suite, a device class and scenarios. */
static int kind_check(
	const json_t *j, const char *where, const struct gate_requirement *r, struct err *e)
{
	static const char *const of_tests[] = {"suite", "device_class", "scenarios"};

	if (predicate_by_name(r->predicate) == PREDICATE_MAX)
		return err_set(e, ERR_BAD_INPUT, "%s.predicate: no such kind of evidence", where);
	if (predicate_by_name(r->predicate) == PREDICATE_TEST_RESULT)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(of_tests); i++)
		if (json_object_get(j, of_tests[i]))
			return err_set(e, ERR_BAD_INPUT, "%s.%s: only a test-result has one", where,
				of_tests[i]);
	return 0;
}

static int requirement_parse(
	const json_t *j, const char *where, struct gate_requirement *r, struct err *e)
{
	static const char *const known[] = {"name", "predicate", "suite", "device_class",
		"max_age_ms", "scenarios", "conditions", NULL};
	uint64_t age = 0;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_only(j, where, known, e));
	TRY(json_id(j, where, "name", r->name, e));
	TRY(json_text(j, where, "predicate", r->predicate, sizeof r->predicate, e));
	TRY(kind_check(j, where, r, e));
	TRY(json_id_opt(j, where, "suite", r->suite, e));
	TRY(json_id_opt(j, where, "device_class", r->device_class, e));
	TRY(json_u64_opt(j, where, "max_age_ms", 1, MAX_AGE_MS, &age, e));
	r->max_age = (ms_t)age;
	TRY(scenarios_parse(j, where, r, e));
	return conditions_parse(j, where, r, e);
}

static int name_is_new(const struct gate *g, const char *name, const char *where, struct err *e)
{
	for (unsigned i = 0; i < g->n; i++)
		if (strcmp(g->require[i].name, name) == 0)
			return err_set(
				e, ERR_BAD_INPUT, "%s: the name %s stands twice", where, name);
	return 0;
}

static int document_parse(const json_t *j, struct gate *g, struct err *e)
{
	static const char *const known[] = {"format", "name", "require", NULL};
	const json_t *list;
	char where[WHERE_MAX];
	uint64_t format;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "gate: an object is wanted");
	TRY(json_u64(j, "gate", "format", 1, 1, &format, e));
	TRY(json_only(j, "gate", known, e));
	TRY(json_id(j, "gate", "name", g->name, e));
	TRY(json_arr(j, "gate", "require", LIMIT_GATE_REQUIREMENTS, &list, e));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "gate.require is empty: it would let all through");
	for (size_t i = 0; i < json_array_size(list); i++) {
		snprintf(where, sizeof where, "gate.require[%zu]", i);
		TRY(requirement_parse(json_array_get(list, i), where, &g->require[i], e));
		TRY(name_is_new(g, g->require[i].name, where, e));
		g->n++;
	}
	return 0;
}

int gate_parse(struct str text, struct gate *out, struct err *e)
{
	CLEANUP(mem_free) struct gate *g = mem_new(sizeof *g);
	JSON_AUTO *j = NULL;

	memset(g, 0, sizeof *g);
	TRY(json_read(text, LIMIT_GATE_BYTES, &j, e));
	TRY(document_parse(j, g, e));
	*out = *g;
	return 0;
}
