#include "proto/wire/mute.h"

#include <stdio.h>

/* Nobody feeds it: in a soak the old version is down, and what is compared while both run ends
 * before the switch, by a rule of its own. */
static bool has_no_champion(const struct release *r, const struct trig_rule *t, char out[MUTE_TEXT])
{
	if (t->comparator != TRIG_CMP_CHAMPION)
		return false;
	snprintf(out, MUTE_TEXT,
		"%s: no champion runs while a release soaks. State \"comparator\": \"baseline\", the "
		"device's own value before the swap; side by side %s",
		trig_type_name(t->type),
		r->strategy == STRATEGY_SHADOW
			? "it is compared by the rule in \"shadow\""
			: "a release of \"strategy\": \"shadow\" is compared");
	return true;
}

static bool has_no_test(const struct release *r, const struct trig_rule *t, char out[MUTE_TEXT])
{
	if (t->type != TRIG_SMOKE_FAILED || r->n_smoke > 0)
		return false;
	snprintf(out, MUTE_TEXT,
		"smoke_failed: the release has no smoke test. State one in \"smoke\"");
	return true;
}

/* A rule without windows speaks at once; one that never takes back speaks later, too; and a soak
 * that waits for a window lasts until it has been judged. */
static bool needs_windows(const struct trig_rule *t)
{
	enum trig_kind kind = trig_kind(t);

	return kind != TRIG_KIND_EVENT && kind != TRIG_KIND_TALLY &&
	       t->comparator != TRIG_CMP_TRAINING &&
	       !(t->on_blind == TRIG_BLIND_WAIT && t->hold_k == 1);
}

/* Each window ends with the first look after its time, so they are a little longer than they say.
 */
static bool has_no_time(const struct release *r, const struct trig_rule *t, char out[MUTE_TEXT])
{
	ms_t least = t->window * (ms_t)t->hold_k;

	if (!needs_windows(t) || least < r->soak)
		return false;
	snprintf(out, MUTE_TEXT,
		"%s%s%s: %u windows of %g s must be bad, and the release soaks for %g s. State "
		"\"soak_ms\" of more than %lld, or less of \"window_ms\" or \"hold\"",
		trig_type_name(t->type), trig_measure_of(t)->of[0] ? " of " : "",
		trig_measure_of(t)->of, t->hold_k, (double)t->window / 1000, (double)r->soak / 1000,
		(long long)least);
	return true;
}

static const struct {
	bool (*is)(const struct release *r, const struct trig_rule *t, char out[MUTE_TEXT]);
	enum mute_verdict verdict;
} reasons[] = {
	{has_no_champion, MUTE_ALWAYS},
	{has_no_test, MUTE_TRIAL},
	{has_no_time, MUTE_TRIAL},
};

enum mute_verdict mute_eval(const struct release *r, unsigned i, char out[MUTE_TEXT])
{
	for (size_t k = 0; k < ARRAY_LEN(reasons); k++)
		if (reasons[k].is(r, &r->triggers[i], out))
			return reasons[k].verdict;
	return MUTE_NOT;
}

int mute_check(const struct release *r, struct err *e)
{
	char why[MUTE_TEXT];

	for (unsigned i = 0; i < r->n_triggers; i++)
		if (mute_eval(r, i, why) == MUTE_ALWAYS)
			return err_set(e, ERR_BAD_INPUT, "release.triggers[%u]: %s", i, why);
	return 0;
}
