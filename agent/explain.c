#include "agent/agent_priv.h"

#include <math.h>
#include <string.h>

/* ---- numbers for people ---- */

static void put_span(struct buf *b, ms_t ms)
{
	if (ms < SEC(10))
		buf_addf(b, "%.1f s", (double)ms / 1000);
	else if (ms < MINUTE(5))
		buf_addf(b, "%lld s", (long long)(ms / 1000));
	else if (ms < MINUTE(300))
		buf_addf(b, "%lld min", (long long)(ms / MINUTE(1)));
	else
		buf_addf(b, "%lld h", (long long)(ms / MINUTE(60)));
}

static void say(json_t *sentences, struct buf *b)
{
	json_array_append_new(sentences, findings_text(buf_str(b), 1024));
	buf_clear(b);
}

/* ---- triggers ---- */

/* A count has a window that slides: it is judged as it stands, at every look. */
static bool is_count(const struct trig_rule *r)
{
	return trig_kind(r) == TRIG_KIND_TALLY;
}

json_t *explain_rule(
	const struct trig_rule *r, const struct trig_state *s, const struct trig_window *w)
{
	json_t *j = json_pack("{ss ss ss ss ss so so so sI sI si si si sI sI sI sI sI ss}", "type",
		trig_type_name(r->type), "of", trig_measure_of(r)->of, "unit",
		trig_unit_name(trig_unit(r)), "comparator", trig_comparator_name(r->comparator),
		"claim", r->claim, "value_micro", json_micro(s->windows ? s->last : (double)NAN),
		"limit_micro", json_micro(trig_limit(r, s)), "baseline_micro",
		json_micro(s->baseline_n ? s->baseline : (double)NAN), "samples",
		(json_int_t)(s->windows ? s->last_n : 0), "min_samples", (json_int_t)r->min_samples,
		"bad_windows", (int)trig_bad_windows(r, s), "hold_k", (int)r->hold_k, "hold_m",
		(int)r->hold_m, "windows", (json_int_t)s->windows, "judged", (json_int_t)s->judged,
		"busy", (json_int_t)s->busy, "baseline_samples", (json_int_t)s->baseline_n,
		"window_ms", (json_int_t)r->window, "on_blind", trig_blind_name(r->on_blind));

	if (trig_kind(r) == TRIG_KIND_QUANTILE)
		json_object_set_new(j, "quantile_permille", json_integer(r->quantile));
	if (trig_kind(r) == TRIG_KIND_DISTANCE)
		json_object_set_new(j, "statistic", json_string(trig_distance_name(r->distance)));
	if (r->sigma > 0)
		json_object_set_new(j, "sigma_micro", json_micro(r->sigma));
	if (w && w->open) {
		json_object_set_new(j, "open_value_micro", json_micro(trig_value(r, s, w)));
		json_object_set_new(
			j, "open_samples", json_integer((json_int_t)trig_samples(r, w)));
	}
	return j;
}

static void put_windows(struct buf *b, const struct trig_rule *r, const struct trig_state *s,
	const struct trig_window *w)
{
	buf_addf(b, "; %u of the last %u windows were bad, it takes %u", trig_bad_windows(r, s),
		MIN(r->hold_m, s->windows), r->hold_k);
	if (trig_samples(r, w) < r->min_samples)
		buf_addf(b, "; %llu of %llu samples in this one",
			(unsigned long long)trig_samples(r, w), (unsigned long long)r->min_samples);
	if (s->busy)
		buf_addf(b, "; %u in a rush or by others' fault do not count", s->busy);
	if (!trig_may_accept(r, s))
		buf_add_str(b, "; it is not accepted before it could be judged");
}

static void put_rule(struct buf *b, const struct trig_rule *r, const struct trig_state *s,
	const struct trig_window *w)
{
	bool closed = !is_count(r) && s->windows && !isnan(s->last);

	trig_put_name(b, r);
	buf_add_str(b, " ");
	trig_put_value(b, r, closed ? s->last : trig_value(r, s, w));
	if (is_count(r)) {
		buf_add_str(b, " in the last ");
		put_span(b, r->window);
	}
	buf_add_str(b, ", limit ");
	trig_put_limit(b, r, s);
	if (!is_count(r))
		put_windows(b, r, s, w);
}

static void say_checks(const struct agent *a, json_t *sentences)
{
	const struct health_round *r = &a->checks.last;
	BUF_AUTO b = {0};

	for (unsigned i = 0; i < r->n; i++) {
		if (r->v[i].ok)
			continue;
		buf_addf(&b, "%s check %s failed: %s", r->v[i].required ? "required" : "wanted",
			r->v[i].name, r->v[i].text);
		say(sentences, &b);
	}
	if (a->watch.soak_done >= a->watch.soak_want && !checks_are_green(a)) {
		buf_add_str(&b, "waits for a round of the machine's own checks that passes");
		say(sentences, &b);
	}
}

static void say_soak(const struct agent *a, json_t *sentences, json_t *triggers)
{
	const struct watch *w = &a->watch;
	BUF_AUTO b = {0};

	buf_addf(&b, "%s has been watched for ", a->rec.goal.release.s);
	put_span(&b, MIN(w->soak_done, w->soak_want));
	buf_add_str(&b, " of ");
	put_span(&b, w->soak_want);
	buf_add_str(&b, " and nothing has fired");
	say(sentences, &b);
	for (unsigned i = 0; i < w->n; i++) {
		json_array_append_new(
			triggers, explain_rule(&w->rule[i], &w->state[i], &w->window[i]));
		if (!watch_is_looked_at(&w->rule[i]))
			continue;
		put_rule(&b, &w->rule[i], &w->state[i], &w->window[i]);
		say(sentences, &b);
	}
	say_checks(a, sentences);
}

/* ---- what it waits for ---- */

static void say_ready(const struct agent *a, json_t *sentences)
{
	const struct watch *w = &a->watch;
	ms_t wait = a->release ? a->release->baseline_wait : 0;
	ms_t left = w->asked_first ? MAX(0, w->asked_first + wait - agent_mono(a)) : wait;
	BUF_AUTO b = {0};

	shadow_say(a, sentences);
	for (unsigned i = 0; i < w->n; i++) {
		if (!watch_wants_baseline(&w->rule[i]) || watch_has_baseline(w, i))
			continue;
		buf_add_str(&b, "waits for the baseline of ");
		trig_put_name(&b, &w->rule[i]);
		buf_addf(&b, " on %s: %llu of %llu samples so far; at most ", a->rec.from.s,
			(unsigned long long)trig_samples(&w->rule[i], &w->window[i]),
			(unsigned long long)w->rule[i].min_samples);
		put_span(&b, left);
		buf_add_str(&b, " more");
		say(sentences, &b);
	}
	if (poll_must_ask(a)) {
		buf_add_str(&b, "asks the director before it switches: its last answer is too old");
		say(sentences, &b);
	}
}

static void say_staging(const struct agent *a, json_t *sentences)
{
	const char *of;
	uint64_t done, total;
	BUF_AUTO b = {0};

	if (!outbox_progress(a, &of, &done, &total))
		return;
	buf_addf(&b, "%.1f of %.1f MB of %s are dealt with", (double)done / 1e6,
		(double)total / 1e6, a->rec.goal.release.s);
	say(sentences, &b);
}

static void say_retry(const struct agent *a, json_t *sentences)
{
	BUF_AUTO b = {0};

	if (a->wake_at == NEVER)
		return;
	/* What is waited for has been said. */
	if (a->failed.code != ERR_OK && a->failed.code != ERR_UNMET)
		buf_addf(&b, "%s (%s); ", a->failed.text, err_name(a->failed.code));
	buf_add_str(&b, "it is tried again in ");
	put_span(&b, MAX(0, a->wake_at - agent_mono(a)));
	say(sentences, &b);
}

static void say_server(const struct agent *a, json_t *sentences)
{
	const struct poll *p = &a->poll;
	BUF_AUTO b = {0};

	if (!a->conf->server.url[0]) {
		buf_add_str(&b, "no server is configured");
	} else if (p->fails) {
		buf_addf(&b, "the server was asked %u times in vain: %s (%s)", p->fails,
			p->err.text, err_name(p->err.code));
	} else if (!p->ok_wall) {
		buf_add_str(&b, "the server has not answered yet");
	} else {
		buf_add_str(&b, "the server answered ");
		put_span(&b, MAX(0, agent_wall(a) - p->ok_wall));
		buf_add_str(&b, " ago");
	}
	if (p->next != NEVER && !p->job) {
		buf_add_str(&b, "; it is asked again in ");
		put_span(&b, MAX(0, p->next - agent_mono(a)));
	}
	say(sentences, &b);
	if (a->outbox.left) {
		buf_addf(&b, "%u reports wait for the server", a->outbox.left);
		say(sentences, &b);
	}
}

static void say_running(const struct agent *a, json_t *sentences)
{
	const struct slot_view *v = agent_running(a);
	BUF_AUTO b = {0};

	if (v->release.s[0])
		buf_addf(
			&b, "runs %s from slot %s", v->release.s, slot_name(agent_running_slot(a)));
	else
		buf_add_str(&b, "nothing is installed");
	if (a->watch.known && !a->watch.svc.alive)
		buf_add_str(&b, "; the workload does not run");
	say(sentences, &b);
}

/* A way back that is none any more; until something else is in the slot. */
static void say_scrub(const struct agent *a, json_t *sentences)
{
	BUF_AUTO b = {0};

	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		const struct scrub_result *x = &a->scrub.last[i];

		if (x->at == 0 || x->code == ERR_OK || a->slot[i].mark == SLOT_VALID)
			continue;
		buf_addf(&b, "slot %s is no way back: when it was read back, ", slot_name(i));
		put_span(&b, MAX(0, agent_wall(a) - x->at));
		buf_addf(&b, " ago, %s (%s); the next update writes it anew", x->text,
			err_name(x->code));
		say(sentences, &b);
	}
}

static void say_quarantine(const struct agent *a, json_t *sentences)
{
	ms_t now = agent_wall(a);
	BUF_AUTO b = {0};

	for (unsigned i = 0; i < a->quarantine.n; i++) {
		const struct quarantine_entry *q = &a->quarantine.v[i];

		if (q->until && q->until <= now)
			continue;
		buf_addf(&b, "%s is not taken again", q->release.s);
		if (q->until) {
			buf_add_str(&b, " for ");
			put_span(&b, q->until - now);
		}
		buf_addf(&b, ": %s (%s)", q->text, err_name(q->why));
		say(sentences, &b);
	}
}

/* ---- what it saw ---- */

static json_t *load_dossier(struct agent *a, const struct outcome *o)
{
	char txn[TXN_TEXT];
	json_t *f = NULL;
	struct err e;
	BUF_AUTO text = {0};

	txn_format(&o->txn, txn);
	if (dossier_load(a->w.fs, txn, &text, &e) < 0 ||
		json_read(buf_str(&text), LIMIT_REPORT_BYTES, &f, &e) < 0)
		return NULL;
	return f;
}

/* Numbers are for programs, and too many for a sentence. */
static void say_ring(const json_t *dossier, json_t *sentences)
{
	const json_t *ring = json_object_get(dossier, "ring"), *w;
	json_int_t at = json_integer_value(json_object_get(ring, "at_ms"));
	unsigned before = 0, after = 0;
	BUF_AUTO b = {0};
	size_t i;

	json_array_foreach (json_object_get(ring, "windows"), i, w)
		*(json_integer_value(json_object_get(w, "at_ms")) <= at ? &before : &after) += 1;
	if (!before && !after)
		return;
	buf_addf(&b, "its dossier has what was measured around that: %u windows before, %u after",
		before, after);
	say(sentences, &b);
}

static json_t *saw(struct agent *a, json_t *sentences)
{
	const struct outcome *o = &a->outcomes.rollback;
	BUF_AUTO b = {0};

	if (o->state == UPD_IDLE)
		return json_null();
	buf_addf(&b, "%s was %s ", o->release.s,
		o->state == UPD_REVERTED ? "taken back" : "given up before the switch");
	put_span(&b, MAX(0, agent_wall(a) - o->at));
	buf_addf(&b, " ago: %s (%s)", o->text,
		o->cause < TRIG_TYPE_MAX ? trig_type_name(o->cause) : err_name(o->why));
	say(sentences, &b);
	json_t *f = load_dossier(a, o);

	say_ring(f, sentences);
	return json_pack("{so so}", "outcome", status_outcome(o), "dossier", f ? f : json_null());
}

/* ---- the whole ---- */

static void say_update(struct agent *a, json_t *sentences, json_t *triggers)
{
	BUF_AUTO b = {0};

	buf_addf(&b, "%s: %s", a->rec.goal.release.s, upd_state_text(a->rec.state));
	if (a->rec.why != ERR_OK)
		buf_addf(&b, " (%s: %s)", err_name(a->rec.why), a->rec.why_text);
	say(sentences, &b);
	if (a->rec.state == UPD_STAGING)
		say_staging(a, sentences);
	if (a->rec.state == UPD_READY)
		say_ready(a, sentences);
	if (a->rec.state == UPD_SOAKING)
		say_soak(a, sentences, triggers);
	waits_say(a, sentences);
	say_retry(a, sentences);
}

json_t *explain_answer(struct agent *a)
{
	json_t *sentences = json_array(), *triggers = json_array(), *seen;

	say_running(a, sentences);
	if (a->rec.state != UPD_IDLE)
		say_update(a, sentences, triggers);
	seen = saw(a, sentences);
	say_scrub(a, sentences);
	say_quarantine(a, sentences);
	say_server(a, sentences);
	return json_pack("{ss so so so so}", "state", upd_state_name(a->rec.state), "sentences",
		sentences, "triggers", triggers, "saw", seen, "status", status_answer(a));
}
