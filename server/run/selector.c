#include "server/run/selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "proto/wire/report.h"

void selector_fini(struct selector *s)
{
	free(s->devices);
	free(s->seen);
	*s = (struct selector){0};
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct dev_id *)a)->s, ((const struct dev_id *)b)->s);
}

static int labels_parse(const json_t *j, struct selector *s, struct err *e)
{
	BUF_AUTO text = {0};
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)j, name, value) {
		if (!json_is_string(value))
			return err_set(
				e, ERR_BAD_INPUT, "selector.labels.%.40s: text is wanted", name);
		buf_addf(&text, "%s%s=%s", text.n ? "," : "", name, json_string_value(value));
	}
	if (!text.n)
		return err_set(e, ERR_BAD_INPUT, "selector.labels is empty");
	if (labels_check(buf_str(&text), e) < 0 ||
		str_copy(buf_str(&text), s->labels, sizeof s->labels, e) < 0)
		return err_wrap(e, "selector.labels");
	return 0;
}

static int devices_parse(const json_t *list, struct selector *s, struct err *e)
{
	s->n_devices = json_array_size(list);
	if (!s->n_devices)
		return err_set(e, ERR_BAD_INPUT, "selector.devices is empty");
	s->devices = mem_new(s->n_devices * sizeof *s->devices);
	s->seen = mem_new(s->n_devices * sizeof *s->seen);
	memset(s->seen, 0, s->n_devices * sizeof *s->seen);
	for (size_t i = 0; i < s->n_devices; i++) {
		const char *id = json_string_value(json_array_get(list, i));
		char where[48];

		snprintf(where, sizeof where, "selector.devices[%zu]", i);
		TRY(id_parse(str_of(id ? id : ""), where, s->devices[i].s, e));
	}
	qsort(s->devices, s->n_devices, sizeof *s->devices, by_id);
	for (size_t i = 1; i < s->n_devices; i++)
		if (by_id(&s->devices[i - 1], &s->devices[i]) == 0)
			return err_set(e, ERR_BAD_INPUT, "selector.devices: %s stands twice",
				s->devices[i].s);
	return 0;
}

static int parse(const json_t *j, struct selector *s, struct err *e)
{
	static const char *const known[] = {"all", "labels", "devices", NULL};
	const json_t *part;

	TRY(json_only(j, "selector", known, e));
	if (json_object_size(j) != 1)
		return err_set(e, ERR_BAD_INPUT,
			"selector: exactly one of all, labels and devices is wanted");
	if (json_object_get(j, "labels")) {
		TRY(json_obj(j, "selector", "labels", &part, e));
		return labels_parse(part, s, e);
	}
	if (json_object_get(j, "devices")) {
		TRY(json_arr(j, "selector", "devices", LIMIT_DEVICES, &part, e));
		return devices_parse(part, s, e);
	}
	TRY(json_bool_opt(j, "selector", "all", &s->all, e));
	return s->all ? 0 : err_set(e, ERR_BAD_INPUT, "selector: it selects nothing");
}

int selector_parse(const json_t *j, struct selector *out, struct err *e)
{
	struct selector s CLEANUP(selector_fini) = {0};

	TRY(parse(j, &s, e));
	*out = s;
	s = (struct selector){0};
	return 0;
}

bool selector_takes(struct selector *s, const char *device, const char *labels)
{
	struct dev_id *found;
	struct dev_id key;

	if (s->all)
		return true;
	if (s->labels[0])
		return labels_have(str_of(labels), s->labels);
	snprintf(key.s, sizeof key.s, "%s", device);
	found = bsearch(&key, s->devices, s->n_devices, sizeof key, by_id);
	if (found)
		s->seen[found - s->devices] = true;
	return found != NULL;
}
