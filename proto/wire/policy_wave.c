/* The waves of a policy. */
#include <stdio.h>
#include <string.h>

#include "proto/wire/policy_priv.h"
#include "proto/wire/report.h"

static int rate_parse(const json_t *wave, const char *where, struct policy_wave *w, struct err *e)
{
	static const char *const known[] = {"count", "per_ms", NULL};
	const json_t *j;
	char inner[POLICY_WHERE_MAX];

	if (!json_object_get(wave, "rate"))
		return 0;
	snprintf(inner, sizeof inner, "%.*s.rate", POLICY_WHERE_MAX - 8, where);
	TRY(json_obj(wave, where, "rate", &j, e));
	TRY(json_only(j, inner, known, e));
	w->rate_count = 1;
	w->rate_per = MINUTE(1);
	TRY(policy_u32(j, inner, "count", 1, LIMIT_DEVICES, &w->rate_count, e));
	return json_span_opt(j, inner, "per_ms", 1, &w->rate_per, e);
}

/* {"line": "north", ...}: all of them must fit. */
static int selector_parse(
	const json_t *wave, const char *where, struct policy_wave *w, struct err *e)
{
	const json_t *j;
	json_t *value;
	const char *name;
	BUF_AUTO text = {0};

	if (!json_object_get(wave, "selector"))
		return 0;
	TRY(json_obj(wave, where, "selector", &j, e));
	json_object_foreach ((json_t *)j, name, value) {
		if (!json_is_string(value))
			return err_set(
				e, ERR_BAD_INPUT, "%s.selector.%.40s: text is wanted", where, name);
		buf_addf(&text, "%s%s=%s", text.n ? "," : "", name, json_string_value(value));
	}
	if (!text.n)
		return err_set(e, ERR_BAD_INPUT, "%s.selector is empty", where);
	if (labels_check(buf_str(&text), e) < 0 ||
		str_copy(buf_str(&text), w->labels, sizeof w->labels, e) < 0)
		return err_wrap(e, "%s.selector", where);
	return 0;
}

/* What no wave of this size can reach would keep it open for ever. */
static int floor_fits(const char *where, const struct policy_wave *w, struct err *e)
{
	uint32_t most = MAX(w->floor.devices, w->floor.outcomes);

	if (w->count && most > w->count)
		return err_set(e, ERR_BAD_INPUT, "%s.floor: %u of a wave of %u devices", where,
			most, w->count);
	return 0;
}

static int floor_parse(const json_t *wave, const char *where, struct policy_wave *w, struct err *e)
{
	static const char *const known[] = {"devices", "outcomes", "span_ms", NULL};
	const json_t *j;
	char inner[POLICY_WHERE_MAX];

	if (!json_object_get(wave, "floor"))
		return 0;
	snprintf(inner, sizeof inner, "%.*s.floor", POLICY_WHERE_MAX - 8, where);
	TRY(json_obj(wave, where, "floor", &j, e));
	TRY(json_only(j, inner, known, e));
	TRY(policy_u32(j, inner, "devices", 0, LIMIT_DEVICES, &w->floor.devices, e));
	TRY(policy_u32(j, inner, "outcomes", 0, LIMIT_DEVICES, &w->floor.outcomes, e));
	TRY(json_span_opt(j, inner, "span_ms", 0, &w->floor.span, e));
	return floor_fits(where, w, e);
}

static int wave_parse(const json_t *j, const char *where, struct policy_wave *w, struct err *e)
{
	static const char *const known[] = {"name", "count", "share_permille", "parallel",
		"soak_ms", "approval", "rate", "selector", "silence_ms", "floor", NULL};

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_only(j, where, known, e));
	TRY(json_id(j, where, "name", w->name, e));
	if (!json_object_get(j, "count") == !json_object_get(j, "share_permille"))
		return err_set(
			e, ERR_BAD_INPUT, "%s: either count or share_permille is wanted", where);
	TRY(policy_u32(j, where, "count", 1, LIMIT_DEVICES, &w->count, e));
	TRY(policy_u32(j, where, "share_permille", 1, 1000, &w->permille, e));
	TRY(policy_u32(j, where, "parallel", 0, LIMIT_DEVICES, &w->parallel, e));
	w->soak = MINUTE(10);
	TRY(json_span_opt(j, where, "soak_ms", 0, &w->soak, e));
	TRY(json_bool_opt(j, where, "approval", &w->approval, e));
	TRY(json_span_opt(j, where, "silence_ms", 1, &w->silence, e));
	TRY(selector_parse(j, where, w, e));
	TRY(floor_parse(j, where, w, e));
	return rate_parse(j, where, w, e);
}

static int wave_fits(
	const struct policy *p, const char *where, const struct policy_wave *w, struct err *e)
{
	uint32_t shares = w->permille;

	for (unsigned i = 0; i < p->n_waves; i++) {
		if (strcmp(p->waves[i].name, w->name) == 0)
			return err_set(
				e, ERR_BAD_INPUT, "%s: the name %s stands twice", where, w->name);
		shares += p->waves[i].permille;
	}
	if (shares > 1000)
		return err_set(e, ERR_BAD_INPUT, "%s: the shares together exceed 1000", where);
	return 0;
}

int policy_waves_parse(const json_t *j, struct policy *p, struct err *e)
{
	const json_t *list;

	TRY(json_arr(j, "policy", "waves", LIMIT_WAVES, &list, e));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "policy.waves is empty");
	for (size_t i = 0; i < json_array_size(list); i++) {
		char where[POLICY_WHERE_MAX];

		snprintf(where, sizeof where, "policy.waves[%zu]", i);
		TRY(wave_parse(json_array_get(list, i), where, &p->waves[i], e));
		TRY(wave_fits(p, where, &p->waves[i], e));
		p->n_waves++;
	}
	return 0;
}

/* ---- writing ---- */

static json_t *selector_of(const char *labels)
{
	struct str rest = str_of(labels), label, name;
	json_t *o = json_object();

	while (str_split(&rest, ',', &label))
		if (str_split(&label, '=', &name))
			json_object_setn_new(o, name.p, name.n, json_stringn(label.p, label.n));
	return o;
}

static json_t *wave_of(const struct policy_wave *w)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(w->name));
	if (w->count)
		policy_set_number(o, "count", w->count);
	else
		policy_set_number(o, "share_permille", w->permille);
	policy_set_number(o, "parallel", w->parallel);
	policy_set_number(o, "soak_ms", (uint64_t)w->soak);
	if (w->approval)
		json_object_set_new(o, "approval", json_true());
	if (w->rate_count)
		json_object_set_new(o, "rate",
			json_pack("{s:I, s:I}", "count", (json_int_t)w->rate_count, "per_ms",
				(json_int_t)w->rate_per));
	if (*w->labels)
		json_object_set_new(o, "selector", selector_of(w->labels));
	if (w->silence)
		policy_set_number(o, "silence_ms", (uint64_t)w->silence);
	if (w->floor.devices || w->floor.outcomes || w->floor.span)
		json_object_set_new(o, "floor",
			json_pack("{s:I, s:I, s:I}", "devices", (json_int_t)w->floor.devices,
				"outcomes", (json_int_t)w->floor.outcomes, "span_ms",
				(json_int_t)w->floor.span));
	return o;
}

json_t *policy_waves_of(const struct policy *p)
{
	json_t *waves = json_array();

	for (unsigned i = 0; i < p->n_waves; i++)
		json_array_append_new(waves, wave_of(&p->waves[i]));
	return waves;
}
