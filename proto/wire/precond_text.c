/* Preconditions as a configuration file has them: brought into the form of a release, so that one
 * reader judges both. */
#include "proto/wire/precond.h"

#include <string.h>

static bool is_list(struct str name)
{
	return str_is(name, "before") || str_is(name, "windows");
}

static json_t *text_of(struct str s)
{
	s = str_trim(s);
	return json_stringn(s.p, s.n);
}

static json_t *list_of(struct str s)
{
	json_t *list = json_array();
	struct str one;

	while (str_split(&s, '+', &one))
		json_array_append_new(list, text_of(one));
	return list;
}

static json_t *value_of(struct str name, struct str value)
{
	uint64_t n;

	if (is_list(name))
		return list_of(value);
	if (str_to_u64(value, 0, (1ULL << 53) - 1, &n, NULL) == 0)
		return json_integer((json_int_t)n);
	return text_of(value);
}

static int item_add(json_t *o, struct str item, const char *where, struct err *e)
{
	struct str value = item, name;
	char key[32], shown[40];
	json_t *j;

	(void)str_split(&value, '=', &name);
	bool flag = name.n == item.n;

	name = str_trim(name);
	if (flag && str_is(name, "yes"))
		return 0;
	if (str_copy(name, key, sizeof key, NULL) < 0 || !*key || json_object_get(o, key))
		return err_set(e, ERR_BAD_INPUT, "%s: '%s' is not understood", where,
			str_printable(item, shown, sizeof shown));
	j = flag ? json_true() : value_of(name, str_trim(value));
	/* What is no UTF-8 cannot become text. */
	if (!j || json_object_set_new(o, key, j) < 0)
		return err_set(e, ERR_BAD_INPUT, "%s: not text", where);
	return 0;
}

static int rule_parse(enum precond_type type, struct str text, const char *where,
	struct precond_rule *out, struct err *e)
{
	JSON_AUTO *o = json_pack("{s:s}", "type", precond_type_name(type));
	struct str item;

	while (str_split(&text, ',', &item))
		TRY(item_add(o, str_trim(item), where, e));
	return precond_rule_parse(o, where, out, e);
}

int precond_text_parse(enum precond_type type, struct str text, const char *where,
	struct precond_rule *out, unsigned *out_n, struct err *e)
{
	struct precond_rule all[LIMIT_PRECONDITIONS] = {{0}};
	struct str one;
	unsigned n = 0;

	while (str_trim(text).n && str_split(&text, '|', &one)) {
		if (n == LIMIT_PRECONDITIONS)
			return err_set(e, ERR_TOO_LARGE, "%s: more than %d rules", where,
				LIMIT_PRECONDITIONS);
		TRY(rule_parse(type, one, where, &all[n++], e));
	}
	memcpy(out, all, n * sizeof all[0]);
	*out_n = n;
	return 0;
}
