/* What an update waits for, as programs and people read it. */
#include "agent/agent_priv.h"

#include <stdio.h>

static json_t *rule_json(const struct wait_rule *r, const struct precond_verdict *v)
{
	return json_pack("{ss ss ss sb so so so}", "type", precond_type_name(r->rule.type), "from",
		r->of_device ? "device" : "release", "is", precond_is_name(v->is), "holds",
		v->holds, "value", findings_text(str_of(v->value), sizeof(v->value)), "limit",
		findings_text(str_of(v->limit), sizeof(v->limit)), "sentence",
		findings_text(str_of(v->sentence), sizeof(v->sentence)));
}

static json_t *phases_json(unsigned phases)
{
	json_t *names = json_array();

	for (unsigned p = PRECOND_DOWNLOAD; p <= PRECOND_SWAP; p <<= 1)
		if (phases & p)
			json_array_append_new(names, json_string(precond_phase_name(p)));
	return names;
}

json_t *waits_answer(const struct agent *a)
{
	const struct waits *w = &a->waits;
	json_t *rules;

	if (!w->phases || !w->list.n)
		return json_null();
	rules = json_array();
	for (unsigned i = 0; i < w->list.n; i++)
		json_array_append_new(rules, rule_json(&w->list.v[i], &w->verdict[i]));
	return json_pack("{so so sI sI so}", "before", phases_json(w->phases), "text",
		findings_text(str_of(w->text), sizeof(w->text)), "waited_ms", (json_int_t)w->waited,
		"looked_ms_ago", (json_int_t)(agent_mono(a) - w->looked), "preconditions", rules);
}

/* Only the look that opened the way counts: an earlier one was about staging. */
void waits_conditions(const struct agent *a, struct report *out)
{
	const struct waits *w = &a->waits;

	out->n_conditions = w->phases == PRECOND_SWAP ? MIN(w->list.n, LIMIT_CONDITIONS) : 0;
	for (unsigned i = 0; i < out->n_conditions; i++) {
		const struct precond_verdict *v = &w->verdict[i];
		struct report_condition *c = &out->conditions[i];

		c->type = w->list.v[i].rule.type;
		c->of_device = w->list.v[i].of_device;
		c->known = v->is == PRECOND_MET;
		snprintf(c->value, sizeof(c->value), "%s", v->value);
		snprintf(c->limit, sizeof(c->limit), "%s", v->limit);
	}
}

void waits_say(const struct agent *a, json_t *sentences)
{
	const struct waits *w = &a->waits;
	BUF_AUTO b = {0};

	for (unsigned i = 0; w->text[0] && i < w->list.n; i++) {
		if (w->verdict[i].holds)
			continue;
		buf_clear(&b);
		buf_addf(&b, "waits: %s (%s, asked for by %s)", w->verdict[i].sentence,
			precond_type_name(w->list.v[i].rule.type),
			w->list.v[i].of_device ? "this device" : "the release");
		json_array_append_new(sentences, findings_text(buf_str(&b), b.n));
	}
}
