#include "proto/wire/policy_priv.h"

#include <stdio.h>
#include <string.h>

int policy_u32(const json_t *o, const char *where, const char *key, uint64_t min, uint64_t max,
	uint32_t *out, struct err *e)
{
	uint64_t v = *out;

	TRY(json_u64_opt(o, where, key, min, max, &v, e));
	*out = (uint32_t)v;
	return 0;
}

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

static int wave_parse(const json_t *j, const char *where, struct policy_wave *w, struct err *e)
{
	static const char *const known[] = {
		"name", "count", "share_permille", "parallel", "soak_ms", "approval", "rate", NULL};

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

static int waves_parse(const json_t *j, struct policy *p, struct err *e)
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

/* A budget of nobody would hold every device up for ever. */
static int disruption_parse(const json_t *j, struct policy_disruption *d, struct err *e)
{
	static const char *const known[] = {"label", "max", "lease_ms", NULL};
	const json_t *o;
	uint64_t max;

	if (!json_object_get(j, "disruption"))
		return 0;
	TRY(json_obj(j, "policy", "disruption", &o, e));
	TRY(json_only(o, "policy.disruption", known, e));
	TRY(json_id(o, "policy.disruption", "label", d->label, e));
	TRY(json_u64(o, "policy.disruption", "max", 1, LIMIT_DEVICES, &max, e));
	d->max = (uint32_t)max;
	d->lease = MINUTE(60);
	return json_span_opt(o, "policy.disruption", "lease_ms", 1, &d->lease, e);
}

static int document_parse(const json_t *j, struct policy *p, struct err *e)
{
	static const char *const known[] = {"format", "name", "first_alone", "max_failures",
		"silence_ms", "roll_back_on_abort", "waves", "disruption", "judge", "freeze", NULL};
	uint64_t format;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "policy: an object is wanted");
	TRY(json_u64(j, "policy", "format", 1, 1, &format, e));
	TRY(json_only(j, "policy", known, e));
	TRY(json_id(j, "policy", "name", p->name, e));
	p->first_alone = true;
	p->roll_back_on_abort = true;
	p->silence = MINUTE(60);
	TRY(policy_judge_parse(j, &p->judge, e));
	if (p->judge.on)
		p->max_failures = LIMIT_DEVICES; /* the judge weighs them */
	TRY(json_bool_opt(j, "policy", "first_alone", &p->first_alone, e));
	TRY(json_bool_opt(j, "policy", "roll_back_on_abort", &p->roll_back_on_abort, e));
	TRY(policy_u32(j, "policy", "max_failures", 0, LIMIT_DEVICES, &p->max_failures, e));
	TRY(json_span_opt(j, "policy", "silence_ms", 1, &p->silence, e));
	TRY(policy_freezes_parse(j, p, e));
	TRY(disruption_parse(j, &p->disruption, e));
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

void policy_set_number(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
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
	return o;
}

void policy_encode(const struct policy *p, struct buf *out)
{
	JSON_AUTO *o = json_object();
	json_t *waves = json_array();

	policy_set_number(o, "format", 1);
	json_object_set_new(o, "name", json_string(p->name));
	json_object_set_new(o, "first_alone", json_boolean(p->first_alone));
	json_object_set_new(o, "roll_back_on_abort", json_boolean(p->roll_back_on_abort));
	policy_set_number(o, "max_failures", p->max_failures);
	policy_set_number(o, "silence_ms", (uint64_t)p->silence);
	for (unsigned i = 0; i < p->n_waves; i++)
		json_array_append_new(waves, wave_of(&p->waves[i]));
	json_object_set_new(o, "waves", waves);
	if (p->disruption.max)
		json_object_set_new(o, "disruption",
			json_pack("{s:s, s:I, s:I}", "label", p->disruption.label, "max",
				(json_int_t)p->disruption.max, "lease_ms",
				(json_int_t)p->disruption.lease));
	if (p->judge.on)
		json_object_set_new(o, "judge", policy_judge_of(&p->judge));
	if (p->n_freezes)
		json_object_set_new(o, "freeze", policy_freezes_of(p));
	json_canonical(o, out);
}
