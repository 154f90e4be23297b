/* What the wave engine tells its judge, and what it hears. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "server/core/wave_priv.h"

void wave_judge_rule(const struct policy *p, const struct wave_state *s, struct judge_rule *out)
{
	*out = (struct judge_rule){
		.abort_alpha = wave_control_is_let_in(s) ? 0 : p->judge.abort_alpha,
		.promote_alpha = p->judge.promote_alpha,
		.bad = p->judge.bad,
		.base = {p->judge.base},
		.guard_k = p->judge.guard_failures,
		.guard_n = p->judge.guard_first,
		.metrics = 1,
		.strata = MAX(1, s->strata),
	};
}

/* The rule comes from a policy that was checked, and events from states that the engine counts, so
 * that the judge cannot refuse; if it did, nothing would have been counted. */
static void tell(struct step *x, const struct judge_event *ev)
{
	uint32_t turns = x->s.judge.turns;
	struct judge_rule r;
	struct err e;
	int rc UNUSED;

	if (!x->p->judge.on)
		return;
	wave_judge_rule(x->p, &x->s, &r);
	rc = judge_step(&r, &x->s.judge, ev, &x->s.judge, &e);
	assert(rc == 0);
	if (x->s.judge.turns == turns)
		return;
	wave_control_ask(x);
	wave_act(x, WACT_AUDIT,
		"canaries fail more often than the control group did: it is asked once more");
}

void wave_judge_begin(struct step *x)
{
	if (x->p->judge.on)
		judge_init(&x->s.judge);
}

void wave_judge_wave(struct step *x)
{
	struct judge_event ev = {.kind = JEV_WAVE};

	wave_control_wave(x, &ev.share);
	tell(x, &ev);
}

void wave_judge_admit(struct step *x)
{
	tell(x, &(struct judge_event){.kind = JEV_BEGUN, .stratum = x->ev->stratum, .n = 1});
}

void wave_judge_control(struct step *x)
{
	tell(x, &(struct judge_event){.kind = JEV_OUTCOME,
			.arm = JUDGE_CONTROL,
			.stratum = x->ev->stratum,
			.n = 1,
			.bad = x->ev->bad});
}

static bool is_bad(enum recipient_state s)
{
	return s == RECIPIENT_REVERTED || s == RECIPIENT_FAILED || s == RECIPIENT_SILENT;
}

static bool has_ended(enum recipient_state s)
{
	return s == RECIPIENT_COMMITTED || is_bad(s);
}

/* Each device is one outcome, the last one known: who was silent and is heard of again is open
 * again, and who goes back after it had accepted the release has failed. Whoever is ordered back
 * keeps what it was. */
void wave_judge_move(struct step *x, enum recipient_state was, enum recipient_state is)
{
	bool counts = (was == RECIPIENT_ADMITTED || has_ended(was)) &&
		      (is == RECIPIENT_ADMITTED || has_ended(is));
	struct judge_event ev = {.kind = JEV_OUTCOME,
		.arm = JUDGE_CANARY,
		.stratum = x->ev->stratum,
		.n = has_ended(is) - has_ended(was),
		.bad = is_bad(is) - is_bad(was)};

	if (counts && (ev.n || ev.bad))
		tell(x, &ev);
	if (is == RECIPIENT_WAITING)
		tell(x, &(struct judge_event){
				.kind = JEV_BEGUN, .stratum = x->ev->stratum, .n = -1});
}

/* After each device's outcome: what is known by now. */
void wave_judge_tell(struct step *x)
{
	char said[LIMIT_TEXT];

	if (!x->p->judge.on || !has_ended(x->ev->is) || x->s.phase == WAVE_ROLLING_BACK ||
		wave_is_over(x->s.phase))
		return;
	wave_judge_say(x, said, sizeof said);
	wave_act(x, WACT_AUDIT, "judge: %s", said);
}

enum judge_verdict wave_judge_end(struct step *x)
{
	tell(x, &(struct judge_event){.kind = JEV_END});
	return x->s.judge.verdict;
}

bool wave_judge_aborts(const struct step *x)
{
	return x->p->judge.on && x->s.judge.verdict == JUDGE_ABORT;
}

void wave_judge_say(const struct step *x, char *out, size_t cap)
{
	BUF_AUTO text = {0};
	struct judge_rule r;

	wave_judge_rule(x->p, &x->s, &r);
	judge_format(&r, &x->s.judge, &text);
	snprintf(out, cap, "%s", buf_cstr(&text));
}
