/* Campaigns. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/campaigns.h"
#include "server/repo/devices.h"
#include "server/repo/excluded.h"
#include "server/repo/recipients.h"
#include "server/run/campaign.h"

static json_t *counts_of(const struct wave_counts *c)
{
	json_t *o = json_object();

	for (enum recipient_state s = 0; s < RECIPIENT_STATE_MAX; s++)
		answer_set_number(o, recipient_state_name(s), c->n[s]);
	return o;
}

static int wave_of_campaign(
	struct api *a, const struct campaign_row *c, unsigned w, json_t *list, struct err *e)
{
	uint32_t from = w ? c->wave.end[w - 1] : 0, to = c->wave.end[w];
	struct wave_counts counts;
	json_t *o;

	TRY(recipients_count(a->db, c->id.s, from, to, &counts, e));
	o = json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", c->policy.waves[w].name, "from",
		(json_int_t)from, "to", (json_int_t)to, "parallel",
		(json_int_t)c->policy.waves[w].parallel, "soak_ms",
		(json_int_t)c->policy.waves[w].soak);
	json_object_set_new(o, "counts", counts_of(&counts));
	json_array_append_new(list, o);
	return 0;
}

static void add_parsed(json_t *o, const char *key, struct str text)
{
	json_t *j;

	if (json_read(text, text.n, &j, NULL) == 0)
		json_object_set_new(o, key, j);
}

static void add_judge(const struct campaign_row *c, json_t *o)
{
	struct judge_rule r;
	BUF_AUTO text = {0};

	wave_judge_rule(&c->policy, &c->wave, &r);
	judge_format(&r, &c->wave.judge, &text);
	json_object_set_new(o, "judge",
		json_pack("{s:s, s:s, s:I, s:I, s:s}", "verdict",
			judge_verdict_name(c->wave.judge.verdict), "by",
			judge_test_name(c->wave.judge.by), "devices",
			(json_int_t)c->wave.judge.devices, "failures",
			(json_int_t)c->wave.judge.failures, "text", buf_cstr(&text)));
}

/* Who is compared with; the share is the canary's in the exposure of this wave. */
static void add_control(const struct wave_state *w, json_t *o)
{
	json_object_set_new(o, "control",
		json_pack("{s:I, s:I, s:I, s:b, s:I}", "from", (json_int_t)w->control_from, "to",
			(json_int_t)w->control_to, "heard", (json_int_t)w->control_heard,
			"released", w->control_released, "canary_share_ppm",
			(json_int_t)w->judge.share));
}

/* What keeps everybody out at this moment, if anything does. */
static void add_freeze(const struct api *a, const struct campaign_row *c, json_t *o)
{
	unsigned which;
	ms_t until;

	if (!wave_is_over(c->wave.phase) &&
		wave_is_frozen(&c->policy, &c->wave, run_now(a->run), &which, &until))
		json_object_set_new(o, "frozen",
			json_pack("{s:s, s:I}", "name", c->policy.freezes[which].name, "until_ms",
				(json_int_t)until));
}

static json_t *campaign_of(const struct campaign_row *c)
{
	const struct wave_state *w = &c->wave;
	json_t *o = json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:I}", "id", c->id.s,
		"release", c->release.s, "phase", wave_phase_name(w->phase), "paused", w->paused,
		"why", w->why, "recipients", (json_int_t)w->recipients, "wave", (json_int_t)w->wave,
		"open_to", (json_int_t)w->open_to, "rev", (json_int_t)w->rev);

	json_object_set_new(o, "counts", counts_of(&w->all));
	answer_set_text(o, "release_path", c->release_path);
	answer_set_number(o, "since_ms", w->since);
	if (w->wake_at)
		answer_set_number(o, "wake_at_ms", w->wake_at);
	answer_set_number(o, "created_ms", c->created);
	answer_set_text(o, "created_by", c->created_by);
	answer_set_digest(o, "policy_digest", &c->policy_digest);
	if (c->policy.judge.on && w->phase != WAVE_DRAFT)
		add_judge(c, o);
	if (*w->agreed)
		answer_set_text(o, "agreed", w->agreed);
	answer_set_text(o, "hold", wave_hold_name(w->hold));
	answer_set_text(o, "rung", policy_rung_names[w->rung]);
	if (w->control_to > w->control_from)
		add_control(w, o);
	return o;
}

static int whole_campaign(struct api *a, const char *id, struct web_reply *out, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	JSON_AUTO *waves = json_array();
	BUF_AUTO policy = {0};
	json_t *o;

	TRY(campaigns_get(a->db, id, &c, e));
	for (unsigned w = 0; w < c.policy.n_waves; w++)
		TRY(wave_of_campaign(a, &c, w, waves, e));
	o = campaign_of(&c);
	add_freeze(a, &c, o);
	json_object_set(o, "waves", waves);
	policy_encode(&c.policy, &policy);
	add_parsed(o, "policy", buf_str(&policy));
	add_parsed(o, "selector", buf_str(&c.selector));
	answer_json(out, o);
	return 0;
}

int answer_CAMPAIGN(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	char id[ID_TEXT_MAX];

	TRY(answer_id(rq, 0, "campaign", id, e));
	return whole_campaign(a, id, out, e);
}

static int add_campaign(void *ctx, const struct campaign_row *c, struct err *e UNUSED)
{
	json_array_append_new(ctx, campaign_of(c));
	return 0;
}

int answer_CAMPAIGNS(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();

	TRY(campaigns_each(a->db, add_campaign, list, e));
	answer_json(out, json_pack("{s:O}", "campaigns", list));
	return 0;
}

/* ---- recipients ---- */

struct listing {
	struct api *a;
	const struct campaign_row *c;
	json_t *devices, *excluded;
};

static int add_recipient(void *ctx, const struct recipient_row *r, struct err *e)
{
	struct listing *l = ctx;
	struct device_row d;
	unsigned wave = wave_of(&l->c->policy, &l->c->wave, r->position);
	json_t *o;

	TRY(devices_get(l->a->db, r->device.s, &d, e));
	o = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:I}", "id", r->device.s, "position",
		(json_int_t)r->position, "wave", l->c->policy.waves[wave].name, "state",
		recipient_state_name(r->state), "running", d.running.s, "device_state", d.state,
		"moved_ms", (json_int_t)r->moved);
	answer_set_text(o, "text", *r->text ? r->text : d.text);
	answer_set_text(o, "before", r->before_path);
	if (r->deadline)
		answer_set_number(o, "deadline_ms", r->deadline);
	json_array_append_new(l->devices, o);
	return 0;
}

static int add_excluded(void *ctx, const char *device, const char *verdict, struct err *e UNUSED)
{
	struct listing *l = ctx;

	json_array_append_new(
		l->excluded, json_pack("{s:s, s:s}", "id", device, "verdict", verdict));
	return 0;
}

int answer_CAMPAIGN_DEVICES(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	JSON_AUTO *devices = json_array(), *excluded = json_array();
	struct listing l = {a, &c, devices, excluded};
	char id[ID_TEXT_MAX];

	TRY(answer_id(rq, 0, "campaign", id, e));
	TRY(campaigns_get(a->db, id, &c, e));
	TRY(recipients_each(a->db, id, add_recipient, &l, e));
	TRY(excluded_each(a->db, id, add_excluded, &l, e));
	answer_json(out, json_pack("{s:s, s:O, s:O}", "campaign", id, "devices", devices,
				 "excluded", excluded));
	return 0;
}

/* ---- making and ordering ---- */

static int read_policy(const json_t *body, struct policy *out, struct err *e)
{
	BUF_AUTO text = {0};
	const json_t *policy;

	TRY(json_obj(body, "body", "policy", &policy, e));
	json_write(policy, &text);
	return policy_parse(buf_str(&text), out, e);
}

int answer_CAMPAIGN_CREATE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"id", "release", "selector", "policy", "who", NULL};
	JSON_AUTO *body = NULL;
	struct campaign_new in = {.selector = NULL};
	bool is_new;

	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(json_id(body, "body", "id", in.id.s, e));
	TRY(json_text(body, "body", "release", in.release, sizeof in.release, e));
	TRY(json_obj(body, "body", "selector", &in.selector, e));
	TRY(read_policy(body, &in.policy, e));
	snprintf(in.who, sizeof in.who, "%s", a->user.name);
	TRY(campaign_create(a->run, &in, &is_new, e));
	out->status = is_new ? 201 : 200;
	return whole_campaign(a, in.id.s, out, e);
}

/* ---- orders ---- */

int answer_CAMPAIGN_ORDER(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"order", "reason", "who", NULL};
	static const enum wave_ev_kind orders[] = {WEV_START, WEV_PAUSE, WEV_RESUME, WEV_HALT,
		WEV_ROLL_BACK, WEV_BREAK_GLASS, WEV_PROMOTE, WEV_REVOKE, WEV_ROLL_BACK_ALL};
	const char *names[ARRAY_LEN(orders)];
	char id[ID_TEXT_MAX], reason[LIMIT_TEXT] = "";
	JSON_AUTO *body = NULL;
	unsigned order;

	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		names[i] = wave_event_name(orders[i]);
	TRY(answer_id(rq, 0, "campaign", id, e));
	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(json_choice(body, "body", "order", names, ARRAY_LEN(orders), &order, e));
	TRY(json_text_opt(body, "body", "reason", reason, sizeof reason, e));
	TRY(campaign_order(a->run, id, orders[order], a->user.name, reason, e));
	return whole_campaign(a, id, out, e);
}

int answer_CAMPAIGN_APPROVE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"reason", NULL};
	char id[ID_TEXT_MAX], reason[LIMIT_TEXT] = "";
	JSON_AUTO *body = NULL;

	TRY(answer_id(rq, 0, "campaign", id, e));
	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(json_text_opt(body, "body", "reason", reason, sizeof reason, e));
	TRY(campaign_order(a->run, id, WEV_APPROVE, a->user.name, reason, e));
	return whole_campaign(a, id, out, e);
}
