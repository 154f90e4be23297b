#include "proto/wire/policy_priv.h"

#define PPM 1000000U

static const char *const unsure_names[POLICY_UNSURE_MAX] = {
#define X(id, name, text) [POLICY_##id] = name,
	POLICY_UNSURE_TABLE(X)
#undef X
};

/* Two failures among the first five: 1 in 4,000 when 0.5 % fail anyway. */
static const struct policy_judge usual = {
	.on = true,
	.abort_alpha = 10000,
	.promote_alpha = 50000,
	.bad = 50000,
	.base = 5000,
	.guard_failures = 2,
	.guard_first = 5,
	.unsure = POLICY_WIDEN,
	.extend_max = 1,
};

/*  member, field, least, most */
#define NUMBERS(X)                                                                                 \
	X("abort_alpha_ppm", abort_alpha, 0, PPM - 1)                                              \
	X("promote_alpha_ppm", promote_alpha, 0, PPM - 1)                                          \
	X("bad_ppm", bad, 1, PPM - 1)                                                              \
	X("base_ppm", base, 1, PPM - 1)                                                            \
	X("guard_failures", guard_failures, 0, LIMIT_DEVICES)                                      \
	X("guard_first", guard_first, 0, LIMIT_DEVICES)                                            \
	X("extend_max", extend_max, 0, 1000)

static int fits(const struct policy_judge *g, struct err *e)
{
	if (g->guard_failures > g->guard_first)
		return err_set(e, ERR_BAD_INPUT,
			"policy.judge: %u failures among the first %u cannot be", g->guard_failures,
			g->guard_first);
	if (g->promote_alpha && g->base >= g->bad)
		return err_set(e, ERR_BAD_INPUT,
			"policy.judge: base_ppm, what is usual, is not below "
			"bad_ppm");
	return 0;
}

int policy_judge_parse(const json_t *j, struct policy_judge *out, struct err *e)
{
	static const char *const known[] = {
#define X(name, field, least, most) name,
		NUMBERS(X)
#undef X
			"when_inconclusive",
		"strata", NULL};
	struct policy_judge g = usual;
	const json_t *o;
	unsigned unsure = g.unsure;

	if (!json_object_get(j, "judge"))
		return 0;
	TRY(json_obj(j, "policy", "judge", &o, e));
	TRY(json_only(o, "policy.judge", known, e));
#define X(name, field, least, most)                                                                \
	TRY(policy_u32(o, "policy.judge", name, least, most, &g.field, e));
	NUMBERS(X)
#undef X
	TRY(json_choice_opt(o, "policy.judge", "when_inconclusive", unsure_names, POLICY_UNSURE_MAX,
		&unsure, e));
	g.unsure = unsure;
	TRY(json_id_opt(o, "policy.judge", "strata", g.strata, e));
	TRY(fits(&g, e));
	*out = g;
	return 0;
}

json_t *policy_judge_of(const struct policy_judge *g)
{
	json_t *o = json_object();

#define X(name, field, least, most) policy_set_number(o, name, g->field);
	NUMBERS(X)
#undef X
	json_object_set_new(o, "when_inconclusive", json_string(unsure_names[g->unsure]));
	if (*g->strata)
		json_object_set_new(o, "strata", json_string(g->strata));
	return o;
}
