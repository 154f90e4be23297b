#include "proto/wire/policy.h"

#include <stdio.h>
#include <string.h>

#define WHERE_MAX 40

static int u32_opt(const json_t *o, const char *where, const char *key, uint64_t min, uint64_t max,
	uint32_t *out, struct err *e)
{
	uint64_t v = *out;

	TRY(json_u64_opt(o, where, key, min, max, &v, e));
	*out = (uint32_t)v;
	return 0;
}

static int wave_parse(const json_t *j, const char *where, struct policy_wave *w, struct err *e)
{
	static const char *const known[] = {
		"name", "count", "share_permille", "parallel", "soak_ms", NULL};

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_only(j, where, known, e));
	TRY(json_id(j, where, "name", w->name, e));
	if (!json_object_get(j, "count") == !json_object_get(j, "share_permille"))
		return err_set(
			e, ERR_BAD_INPUT, "%s: either count or share_permille is wanted", where);
	TRY(u32_opt(j, where, "count", 1, LIMIT_DEVICES, &w->count, e));
	TRY(u32_opt(j, where, "share_permille", 1, 1000, &w->permille, e));
	TRY(u32_opt(j, where, "parallel", 0, LIMIT_DEVICES, &w->parallel, e));
	w->soak = MINUTE(10);
	return json_span_opt(j, where, "soak_ms", 0, &w->soak, e);
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

static int waves_parse(const json_t *j, struct policy *p, struct err *e)
{
	const json_t *list;

	TRY(json_arr(j, "policy", "waves", LIMIT_WAVES, &list, e));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "policy.waves is empty");
	for (size_t i = 0; i < json_array_size(list); i++) {
		char where[WHERE_MAX];

		snprintf(where, sizeof where, "policy.waves[%zu]", i);
		TRY(wave_parse(json_array_get(list, i), where, &p->waves[i], e));
		TRY(wave_fits(p, where, &p->waves[i], e));
		p->n_waves++;
	}
	return 0;
}

static int document_parse(const json_t *j, struct policy *p, struct err *e)
{
	static const char *const known[] = {"format", "name", "first_alone", "max_failures",
		"silence_ms", "roll_back_on_abort", "waves", NULL};
	uint64_t format;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "policy: an object is wanted");
	TRY(json_u64(j, "policy", "format", 1, 1, &format, e));
	TRY(json_only(j, "policy", known, e));
	TRY(json_id(j, "policy", "name", p->name, e));
	p->first_alone = true;
	p->roll_back_on_abort = true;
	p->silence = MINUTE(60);
	TRY(json_bool_opt(j, "policy", "first_alone", &p->first_alone, e));
	TRY(json_bool_opt(j, "policy", "roll_back_on_abort", &p->roll_back_on_abort, e));
	TRY(u32_opt(j, "policy", "max_failures", 0, LIMIT_DEVICES, &p->max_failures, e));
	TRY(json_span_opt(j, "policy", "silence_ms", 1, &p->silence, e));
	return waves_parse(j, p, e);
}

int policy_parse(struct str text, struct policy *out, struct err *e)
{
	JSON_AUTO *j = NULL;
	struct policy p = {0};

	TRY(json_read(text, LIMIT_POLICY_BYTES, &j, e));
	TRY(document_parse(j, &p, e));
	*out = p;
	return 0;
}

static void set_number(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static json_t *wave_of(const struct policy_wave *w)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(w->name));
	if (w->count)
		set_number(o, "count", w->count);
	else
		set_number(o, "share_permille", w->permille);
	set_number(o, "parallel", w->parallel);
	set_number(o, "soak_ms", (uint64_t)w->soak);
	return o;
}

void policy_encode(const struct policy *p, struct buf *out)
{
	JSON_AUTO *o = json_object();
	json_t *waves = json_array();

	set_number(o, "format", 1);
	json_object_set_new(o, "name", json_string(p->name));
	json_object_set_new(o, "first_alone", json_boolean(p->first_alone));
	json_object_set_new(o, "roll_back_on_abort", json_boolean(p->roll_back_on_abort));
	set_number(o, "max_failures", p->max_failures);
	set_number(o, "silence_ms", (uint64_t)p->silence);
	for (unsigned i = 0; i < p->n_waves; i++)
		json_array_append_new(waves, wave_of(&p->waves[i]));
	json_object_set_new(o, "waves", waves);
	json_canonical(o, out);
}
