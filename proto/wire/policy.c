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

/* A budget of nobody would hold every device up for ever. */
static int disruption_parse(const json_t *j, struct policy_disruption *d, struct err *e)
{
	static const char *const known[] = {"label", "max", "lease_ms", "at", NULL};
	static const char *const places[] = {"switch", "admission"};
	const json_t *o;
	unsigned at = 0;
	uint64_t max;

	if (!json_object_get(j, "disruption"))
		return 0;
	TRY(json_obj(j, "policy", "disruption", &o, e));
	TRY(json_only(o, "policy.disruption", known, e));
	TRY(json_id(o, "policy.disruption", "label", d->label, e));
	TRY(json_u64(o, "policy.disruption", "max", 1, LIMIT_DEVICES, &max, e));
	d->max = (uint32_t)max;
	d->lease = MINUTE(60);
	TRY(json_choice_opt(o, "policy.disruption", "at", places, ARRAY_LEN(places), &at, e));
	d->at_admission = at == 1;
	return json_span_opt(o, "policy.disruption", "lease_ms", 1, &d->lease, e);
}

static int document_parse(const json_t *j, struct policy *p, struct err *e)
{
	static const char *const known[] = {"format", "name", "first_alone", "max_failures",
		"silence_ms", "roll_back_on_abort", "waves", "disruption", "judge", "freeze",
		"control", "ladder", "retry", "late", "ratio_alpha_ppm", NULL};
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
	TRY(policy_waves_parse(j, p, e));
	return policy_guards_parse(j, p, e);
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

static json_t *disruption_of(const struct policy_disruption *d)
{
	json_t *o = json_pack("{s:s, s:I, s:I}", "label", d->label, "max", (json_int_t)d->max,
		"lease_ms", (json_int_t)d->lease);

	if (d->at_admission)
		json_object_set_new(o, "at", json_string("admission"));
	return o;
}

void policy_encode(const struct policy *p, struct buf *out)
{
	JSON_AUTO *o = json_object();

	policy_set_number(o, "format", 1);
	json_object_set_new(o, "name", json_string(p->name));
	json_object_set_new(o, "first_alone", json_boolean(p->first_alone));
	json_object_set_new(o, "roll_back_on_abort", json_boolean(p->roll_back_on_abort));
	policy_set_number(o, "max_failures", p->max_failures);
	policy_set_number(o, "silence_ms", (uint64_t)p->silence);
	json_object_set_new(o, "waves", policy_waves_of(p));
	if (p->disruption.max)
		json_object_set_new(o, "disruption", disruption_of(&p->disruption));
	if (p->judge.on)
		json_object_set_new(o, "judge", policy_judge_of(&p->judge));
	if (p->n_freezes)
		json_object_set_new(o, "freeze", policy_freezes_of(p));
	policy_guards_set(p, o);
	json_canonical(o, out);
}
