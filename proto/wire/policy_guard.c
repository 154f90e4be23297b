/* What of a policy keeps a campaign honest: whom it is compared with, and how far it goes by itself
 * when it goes wrong. */
#include "proto/wire/policy_priv.h"

#define PPM       1000000U
#define SHARE_MAX 900000U /* somebody must get the release, too */
#define TRIES_MAX 100

const char *const policy_rung_names[POLICY_RUNG_MAX] = {
#define X(id, name, text) [POLICY_RUNG_##id] = name,
	POLICY_RUNG_TABLE(X)
#undef X
};

const char *const policy_transient_names[POLICY_TRANSIENT_MAX] = {
#define X(id, name, text) [POLICY_TRANSIENT_##id] = name,
	POLICY_TRANSIENT_TABLE(X)
#undef X
};

static int control_parse(const json_t *j, struct policy *p, struct err *e)
{
	static const char *const known[] = {"share_ppm", "min", NULL};
	const json_t *o;
	uint64_t share;

	if (!json_object_get(j, "control"))
		return 0;
	TRY(json_obj(j, "policy", "control", &o, e));
	TRY(json_only(o, "policy.control", known, e));
	TRY(json_u64(o, "policy.control", "share_ppm", 1, SHARE_MAX, &share, e));
	p->control = (struct policy_control){.share = (uint32_t)share, .min = 2};
	TRY(policy_u32(o, "policy.control", "min", 1, LIMIT_DEVICES, &p->control.min, e));
	if (!p->judge.on)
		return err_set(e, ERR_BAD_INPUT, "policy.control: there is no judge to compare");
	if (p->n_waves < 2)
		return err_set(e, ERR_BAD_INPUT,
			"policy.control: it ends when the last wave opens, and there is one wave");
	p->ratio_alpha = 1000;
	return 0;
}

static int ladder_fits(const struct policy_ladder *l, struct err *e)
{
	uint32_t below = 0;

	for (enum policy_rung r = 0; r < POLICY_RUNG_MAX; r++) {
		if (!l->at[r])
			continue;
		if (l->at[r] < below)
			return err_set(e, ERR_BAD_INPUT,
				"policy.ladder.%s: %u failures, but a lower rung wants %u",
				policy_rung_names[r], l->at[r], below);
		below = l->at[r];
	}
	return 0;
}

static int ladder_parse(const json_t *j, struct policy_ladder *l, struct err *e)
{
	const char *known[POLICY_RUNG_MAX + 1] = {NULL};
	unsigned abort = l->abort;
	const json_t *o;

	if (!json_object_get(j, "ladder"))
		return 0;
	for (enum policy_rung r = POLICY_RUNG_HOLD; r < POLICY_RUNG_MAX; r++)
		known[r - POLICY_RUNG_HOLD] = policy_rung_names[r];
	known[POLICY_RUNG_MAX - POLICY_RUNG_HOLD] = "abort";
	TRY(json_obj(j, "policy", "ladder", &o, e));
	TRY(json_only(o, "policy.ladder", known, e));
	for (enum policy_rung r = POLICY_RUNG_HOLD; r < POLICY_RUNG_MAX; r++)
		TRY(policy_u32(
			o, "policy.ladder", policy_rung_names[r], 0, LIMIT_DEVICES, &l->at[r], e));
	TRY(json_choice_opt(
		o, "policy.ladder", "abort", policy_rung_names, POLICY_RUNG_MAX, &abort, e));
	if (abort && abort < POLICY_RUNG_REVOKE)
		return err_set(e, ERR_BAD_INPUT, "policy.ladder.abort: %s does not end a campaign",
			policy_rung_names[abort]);
	l->abort = abort;
	return ladder_fits(l, e);
}

static int retry_parse(const json_t *j, uint32_t n[POLICY_TRANSIENT_MAX], struct err *e)
{
	const char *known[POLICY_TRANSIENT_MAX + 1] = {NULL};
	const json_t *o;

	if (!json_object_get(j, "retry"))
		return 0;
	for (enum policy_transient t = 0; t < POLICY_TRANSIENT_MAX; t++)
		known[t] = policy_transient_names[t];
	TRY(json_obj(j, "policy", "retry", &o, e));
	TRY(json_only(o, "policy.retry", known, e));
	for (enum policy_transient t = 0; t < POLICY_TRANSIENT_MAX; t++)
		TRY(policy_u32(
			o, "policy.retry", policy_transient_names[t], 0, TRIES_MAX, &n[t], e));
	return 0;
}

int policy_guards_parse(const json_t *j, struct policy *p, struct err *e)
{
	static const char *const lates[] = {"ignore", "join"};
	unsigned late = 0;

	TRY(control_parse(j, p, e));
	TRY(policy_u32(j, "policy", "ratio_alpha_ppm", 0, PPM - 1, &p->ratio_alpha, e));
	if (p->ratio_alpha && !p->control.share)
		return err_set(e, ERR_BAD_INPUT,
			"policy.ratio_alpha_ppm: there is no control group to be heard");
	TRY(ladder_parse(j, &p->ladder, e));
	TRY(retry_parse(j, p->retry, e));
	TRY(json_choice_opt(j, "policy", "late", lates, ARRAY_LEN(lates), &late, e));
	p->late = late == 1;
	return 0;
}

/* ---- writing ---- */

static void set_some(json_t *o, const char *key, json_t *part)
{
	if (json_object_size(part))
		json_object_set_new(o, key, part);
	else
		json_decref(part);
}

static json_t *ladder_of(const struct policy_ladder *l)
{
	json_t *o = json_object();

	for (enum policy_rung r = 0; r < POLICY_RUNG_MAX; r++)
		if (l->at[r])
			policy_set_number(o, policy_rung_names[r], l->at[r]);
	if (l->abort)
		json_object_set_new(o, "abort", json_string(policy_rung_names[l->abort]));
	return o;
}

void policy_guards_set(const struct policy *p, json_t *o)
{
	json_t *retry = json_object();

	if (p->control.share) {
		json_object_set_new(o, "control",
			json_pack("{s:I, s:I}", "share_ppm", (json_int_t)p->control.share, "min",
				(json_int_t)p->control.min));
		policy_set_number(o, "ratio_alpha_ppm", p->ratio_alpha);
	}
	set_some(o, "ladder", ladder_of(&p->ladder));
	for (enum policy_transient t = 0; t < POLICY_TRANSIENT_MAX; t++)
		if (p->retry[t])
			policy_set_number(retry, policy_transient_names[t], p->retry[t]);
	set_some(o, "retry", retry);
	if (p->late)
		json_object_set_new(o, "late", json_string("join"));
}
