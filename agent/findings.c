#include "agent/agent_priv.h"

#include <math.h>
#include <string.h>

#define SMOKE_BYTES 8192
#define LOG_BYTES   16384

/* JSON here carries no fractions (proto/wire/json.h). */
json_t *json_micro(double v)
{
	if (!isfinite(v) || fabs(v) > 9e9)
		return json_null();
	return json_integer((json_int_t)llround(v * 1e6));
}

json_t *findings_text(struct str s, size_t max)
{
	BUF_AUTO text = {0};
	json_t *j;

	if (s.n > max)
		s = (struct str){s.p + (s.n - max), max};
	buf_add(&text, s.p, s.n);
	for (size_t i = 0; i < text.n; i++)
		if ((text.p[i] < 0x20 && text.p[i] != '\n' && text.p[i] != '\t') ||
			text.p[i] == 0x7f)
			text.p[i] = '?';
	j = json_stringn(buf_str(&text).p, text.n);
	if (j)
		return j;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 0x80)
			text.p[i] = '?';
	return json_stringn(buf_str(&text).p, text.n);
}

static void add_digest(json_t *o, const char *key, const struct sha256 *d)
{
	char hex[SHA256_TEXT];

	sha256_format(d, hex);
	json_object_set_new(o, key, sha256_is_zero(d) ? json_null() : json_string(hex));
}

static json_t *look_json(const struct watch *w, const struct seen *s)
{
	json_t *values = json_array();

	for (unsigned i = 0; i < w->n; i++)
		json_array_append_new(values,
			json_pack("{sI sI so}", "n", (json_int_t)s->rule[i].n, "bad",
				(json_int_t)s->rule[i].bad, "value_micro",
				s->rule[i].blind ? json_null() : json_micro(s->rule[i].value)));
	return json_pack(
		"{sI sb so}", "at", (json_int_t)s->wall, "alive", s->alive, "rules", values);
}

static json_t *looks_json(const struct watch *w)
{
	uint64_t first = w->looks > WATCH_RING ? w->looks - WATCH_RING : 0;
	json_t *looks = json_array();

	for (uint64_t i = first; w->ring && i < w->looks; i++)
		json_array_append_new(looks, look_json(w, &w->ring[i % WATCH_RING]));
	return looks;
}

/* After a power cut the rules are gone with the memory, but the record has kept what they had come
 * to. */
static json_t *triggers_json(const struct agent *a)
{
	const struct watch *w = &a->watch;
	unsigned n = w->n ? w->n : (a->release ? a->release->n_triggers : 0);
	json_t *all = json_array();

	for (unsigned i = 0; i < n; i++) {
		const struct trig_rule *rule = w->n ? &w->rule[i] : &a->release->triggers[i];
		const struct trig_state *state =
			i < a->rec.n_trig ? &a->rec.trig[i] : (w->n ? &w->state[i] : NULL);

		if (state)
			json_array_append_new(
				all, explain_rule(rule, state, w->n ? &w->window[i] : NULL));
	}
	return all;
}

json_t *findings_draft(const struct agent *a)
{
	const struct upd_record *r = &a->rec;
	char txn[TXN_TEXT];

	txn_format(&r->txn, txn);
	json_t *f = json_pack("{si ss ss ss ss sI ss ss sI sI}", "format", 1, "txn", txn, "release",
		r->goal.release.s, "from", r->from.s, "campaign", r->goal.campaign.s,
		"director_version", (json_int_t)r->goal.director_version, "slot_new",
		slot_name(r->slot_new), "slot_old", slot_name(r->slot_old), "soak_done_ms",
		(json_int_t)r->soak_done, "soak_want_ms", (json_int_t)r->soak_want);

	add_digest(f, "document", &r->goal.document);
	add_digest(f, "manifest", &r->goal.manifest);
	add_digest(f, "from_document", &r->from_document);
	add_digest(f, "content", &r->content);
	json_object_set_new(f, "triggers", triggers_json(a));
	json_object_set_new(f, "looks", looks_json(&a->watch));
	json_object_set_new(f, "health", checks_answer(a));
	json_object_set_new(f, "shadow", shadow_answer(a));
	json_object_set_new(
		f, "challenger_log", findings_text(buf_str(&a->shadow.log), SMOKE_BYTES));
	json_object_set_new(f, "smoke_output", findings_text(buf_str(&a->smoke_log), SMOKE_BYTES));
	ring_tell(a, f);
	return f;
}

void findings_complete(json_t *f, const struct agent *a, struct str log)
{
	const struct upd_record *r = &a->rec;

	json_object_set_new(f, "outcome", json_string(upd_state_name(r->state)));
	json_object_set_new(f, "code", json_string(err_name(r->why)));
	json_object_set_new(
		f, "cause", json_string(r->cause < TRIG_TYPE_MAX ? trig_type_name(r->cause) : ""));
	json_object_set_new(f, "text", findings_text(str_of(r->why_text), sizeof(r->why_text)));
	json_object_set_new(f, "ended_at", json_integer((json_int_t)agent_wall(a)));
	char boot[20];

	snprintf(boot, sizeof(boot), "%016llx", (unsigned long long)a->w.boot_id);
	json_object_set_new(f, "boot_id", json_string(boot));
	json_object_set_new(f, "log", findings_text(log, LOG_BYTES));
	ring_tell(a, f);
}
