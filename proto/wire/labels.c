#include "proto/wire/report.h"

static bool is_name(struct str label, struct str name)
{
	struct str rest = label, key;

	return str_split(&rest, '=', &key) && rest.p && str_eq(key, name);
}

bool labels_find(struct str labels, struct str name, struct str *out_value)
{
	struct str label;

	while (str_split(&labels, ',', &label))
		if (is_name(label, name)) {
			out_value->p = label.p + name.n + 1;
			out_value->n = label.n - name.n - 1;
			return true;
		}
	return false;
}

bool labels_have(struct str labels, const char *wanted)
{
	struct str rest = str_of(wanted), label, name, value;

	while (str_split(&rest, ',', &label)) {
		struct str want = label;

		if (!str_split(&want, '=', &name) || !labels_find(labels, name, &value) ||
			!str_eq(want, value))
			return false;
	}
	return true;
}

static int label_check(struct str label, struct str later, struct err *e)
{
	struct str value = label, name, again;
	char id[ID_TEXT_MAX], value_id[ID_TEXT_MAX];

	if (!str_split(&value, '=', &name) || name.n == label.n)
		return err_set(e, ERR_BAD_INPUT, "NAME=VALUE is wanted");
	TRY(id_parse(name, "name of a label", id, e));
	if (labels_find(later, name, &again))
		return err_set(e, ERR_BAD_INPUT, "the label %s stands twice", id);
	return id_parse(value, id, value_id, e);
}

int labels_check(struct str labels, struct err *e)
{
	struct str label;

	if (!labels.n)
		return 0;
	while (str_split(&labels, ',', &label))
		TRY(label_check(label, labels, e));
	return 0;
}
