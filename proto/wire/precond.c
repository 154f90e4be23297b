#include "proto/wire/precond.h"

#include <stdio.h>
#include <string.h>

static const struct type_row {
	const char *name, *text;
	enum precond_shape shape;
	unsigned before, may;
	enum precond_unknown on_unknown;
	bool holds_rollback;
	uint64_t min, max;
} types[] = {
#define X(id, name, shape, before, may, on_unknown, holds_rollback, min, max, text)                \
	[PRECOND_##id] = {name, text, PRECOND_IS_##shape, before, may,                             \
		PRECOND_UNKNOWN_##on_unknown, holds_rollback, min, max},
	PRECOND_TABLE(X)
#undef X
};

static const char *const type_names[] = {
#define X(id, name, ...) name,
	PRECOND_TABLE(X)
#undef X
};

static const char *const phase_names[] = {
#define X(id, name, ...) name,
	PRECOND_PHASE_TABLE(X)
#undef X
};

static const char *const unknown_names[] = {
#define X(id, name, ...) name,
	PRECOND_UNKNOWN_TABLE(X)
#undef X
};

static const char *const load_names[] = {"loadavg", "psi"};

#define COMMON "type", "before", "on_unknown"

static const char *const plain_members[] = {COMMON, NULL};
static const char *const power_members[] = {COMMON, "mains", "battery_percent", NULL};
static const char *const window_members[] = {COMMON, "windows", NULL};
static const char *const at_most_members[] = {COMMON, "at_most", "of", NULL};
static const char *const at_least_members[] = {COMMON, "at_least", NULL};

const char *precond_type_name(enum precond_type t)
{
	return types[t].name;
}

const char *precond_type_text(enum precond_type t)
{
	return types[t].text;
}

enum precond_shape precond_type_shape(enum precond_type t)
{
	return types[t].shape;
}

bool precond_holds_rollback(enum precond_type t)
{
	return types[t].holds_rollback;
}

const char *precond_phase_name(enum precond_phase p)
{
	unsigned i = 0;

	while (i + 1 < ARRAY_LEN(phase_names) && !((unsigned)p & 1U << i))
		i++;
	return phase_names[i];
}

/* ---- what the types have ---- */

static int power_parse(const json_t *j, const char *where, const struct type_row *t,
	struct precond_rule *r, struct err *e)
{
	TRY(json_bool_opt(j, where, "mains", &r->mains, e));
	TRY(json_u64_opt(j, where, "battery_percent", t->min, t->max, &r->limit, e));
	if (!r->mains && !r->limit)
		return err_set(
			e, ERR_BAD_INPUT, "%s: mains, battery_percent or both are wanted", where);
	return 0;
}

static int windows_parse(const json_t *j, const char *where, const struct type_row *t UNUSED,
	struct precond_rule *r, struct err *e)
{
	const json_t *list, *one;

	TRY(json_arr(j, where, "windows", LIMIT_PRECOND_WINDOWS, &list, e));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "%s.windows is empty", where);
	for (size_t i = 0; i < json_array_size(list); i++) {
		one = json_array_get(list, i);
		if (!json_is_string(one))
			return err_set(
				e, ERR_BAD_INPUT, "%s.windows[%zu]: text is wanted", where, i);
		if (precond_window_parse(
			    (struct str){json_string_value(one), json_string_length(one)},
			    &r->windows[r->n_windows++], e) < 0)
			return err_wrap(e, "%s.windows[%zu]", where, i);
	}
	return 0;
}

static int at_most_parse(const json_t *j, const char *where, const struct type_row *t,
	struct precond_rule *r, struct err *e)
{
	unsigned of = 0;

	TRY(json_u64(j, where, "at_most", t->min, t->max, &r->limit, e));
	if (r->type != PRECOND_LOAD)
		return json_text_opt(j, where, "of", r->of, sizeof r->of, e);
	TRY(json_choice_opt(j, where, "of", load_names, ARRAY_LEN(load_names), &of, e));
	snprintf(r->of, sizeof r->of, "%s", load_names[of]);
	return 0;
}

static int at_least_parse(const json_t *j, const char *where, const struct type_row *t,
	struct precond_rule *r, struct err *e)
{
	return json_u64(j, where, "at_least", t->min, t->max, &r->limit, e);
}

static const struct {
	const char *const *members;
	int (*parse)(const json_t *j, const char *where, const struct type_row *t,
		struct precond_rule *r, struct err *e);
} shapes[] = {
	[PRECOND_IS_PLAIN] = {plain_members, NULL},
	[PRECOND_IS_POWER] = {power_members, power_parse},
	[PRECOND_IS_WINDOW] = {window_members, windows_parse},
	[PRECOND_IS_AT_MOST] = {at_most_members, at_most_parse},
	[PRECOND_IS_AT_LEAST] = {at_least_members, at_least_parse},
};

/* ---- what all have ---- */

static int phase_parse(const json_t *one, const char *where, struct precond_rule *r, struct err *e)
{
	const char *name = json_string_value(one);

	for (unsigned i = 0; name && i < ARRAY_LEN(phase_names); i++)
		if (strcmp(name, phase_names[i]) == 0) {
			r->before |= 1U << i;
			return 0;
		}
	return err_set(e, ERR_BAD_INPUT,
		"%s.before: \"download\", \"install\" or \"swap\" is wanted", where);
}

static int before_parse(const json_t *j, const char *where, const struct type_row *t,
	struct precond_rule *r, struct err *e)
{
	const json_t *list;

	r->before = t->before;
	if (!json_object_get(j, "before"))
		return 0;
	TRY(json_arr(j, where, "before", ARRAY_LEN(phase_names), &list, e));
	r->before = 0;
	for (size_t i = 0; i < json_array_size(list); i++)
		TRY(phase_parse(json_array_get(list, i), where, r, e));
	if (!r->before || r->before & ~t->may)
		return err_set(
			e, ERR_BAD_INPUT, "%s.before: %s cannot be asked then", where, t->name);
	return 0;
}

int precond_rule_parse(const json_t *j, const char *where, struct precond_rule *out, struct err *e)
{
	struct precond_rule r = {0};
	const struct type_row *t;
	unsigned type, unknown;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_choice(j, where, "type", type_names, PRECOND_TYPE_MAX, &type, e));
	t = &types[type];
	TRY(json_only(j, where, shapes[t->shape].members, e));
	r.type = (enum precond_type)type;
	unknown = t->on_unknown;
	TRY(json_choice_opt(
		j, where, "on_unknown", unknown_names, PRECOND_UNKNOWN_MAX, &unknown, e));
	r.on_unknown = (enum precond_unknown)unknown;
	TRY(before_parse(j, where, t, &r, e));
	if (shapes[t->shape].parse)
		TRY(shapes[t->shape].parse(j, where, t, &r, e));
	*out = r;
	return 0;
}
