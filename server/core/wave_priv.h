/* What the files of the wave engine share. */
#ifndef SERVER_CORE_WAVE_PRIV_H
#define SERVER_CORE_WAVE_PRIV_H

#include "server/core/wave.h"

/* One step in the making. */
struct step {
	const struct policy *p;
	const struct wave_event *ev;
	struct wave_state s;
	struct wave_acts a;
	bool changed;
};

/* Recipients that have been let in, ever. */
uint32_t wave_ever_admitted(const struct wave_state *s);

/* Adds an action, with its sentence. */
void wave_act(struct step *x, enum wave_act_kind kind, const char *fmt, ...) PRINTF(3, 4);
/* Begins a phase; the sentence says why. */
void wave_enter(struct step *x, enum wave_phase phase, const char *fmt, ...) PRINTF(3, 4);
/* Leaves a HOLD for the wave that waits. */
void wave_go_on(struct step *x);
/* Opens the given wave, or the first after it that adds a recipient to those that have been let in.
 */
void wave_open(struct step *x, unsigned wave);
/* Orders everybody back who has or is getting the release. */
void wave_roll_back(struct step *x, const char *why);
/* What follows from the counts and the time. */
void wave_settle(struct step *x);
/* When that will be so again without an event; 0: never by itself. */
ms_t wave_next_wake(const struct step *x);

void wave_hold(struct step *x, enum wave_hold what, enum wave_phase resume, const char *why);
uint32_t wave_failures(const struct wave_state *s);
/* Devices that have ended and were heard. */
uint32_t wave_heard(const struct wave_state *s);
bool wave_is_last(const struct step *x);
void wave_to_next(struct step *x);

/* ---- wave_ladder.c ---- */

/* It goes no further: as far up the ladder as the policy says. */
void wave_abort(struct step *x, const char *why);
/* To this rung, which ends it: REVOKE and above. */
void wave_climb(struct step *x, enum policy_rung rung, const char *why);
/* What so many failures lead to by the policy; true when that was done. */
bool wave_ladder(struct step *x);

/* ---- wave_floor.c ---- */

/* May the wave end? If it never will by itself, people are asked, and the answer is no, too. */
bool wave_floor_met(struct step *x);
/* When its floor of time is met; 0: it is, or there is none. */
ms_t wave_floor_at(const struct step *x);
/* Are both arms heard as they should be? If not, people are asked. */
bool wave_ratio_fits(struct step *x);

/* ---- wave_order.c: what people order ---- */

int wave_on_pause(struct step *x, struct err *e) MUST_CHECK;
int wave_on_resume(struct step *x, struct err *e) MUST_CHECK;
int wave_on_halt(struct step *x, struct err *e) MUST_CHECK;
int wave_on_roll_back(struct step *x, struct err *e) MUST_CHECK;
int wave_on_roll_back_all(struct step *x, struct err *e) MUST_CHECK;
int wave_on_revoke(struct step *x, struct err *e) MUST_CHECK;
int wave_on_approve(struct step *x, struct err *e) MUST_CHECK;
int wave_on_promote(struct step *x, struct err *e) MUST_CHECK;
int wave_on_break_glass(struct step *x, struct err *e) MUST_CHECK;
/* Opens its first wave. */
void wave_begin(struct step *x);

/* ---- wave_control.c ---- */

/* The recipients are frozen: who of them is the control group? ERR_CONFLICT when there are too few.
 */
int wave_control_begin(struct step *x, struct err *e) MUST_CHECK;
/* A wave opens: how far, when it would end there. Releases the group when it is its turn. */
uint32_t wave_control_hold_back(struct step *x, uint32_t end);
/* Has the group been let in, so that nobody is compared with any more? */
bool wave_control_is_let_in(const struct wave_state *s);
/* A wave opens; *out_share is the canary's share of the exposure in it. */
void wave_control_wave(struct step *x, uint32_t *out_share);
/* From now on each of the group is heard anew. */
void wave_control_ask(struct step *x);
/* It was asked once more, and the wave waits for it until then; 0: no longer. */
ms_t wave_control_wait(const struct step *x);
/* One of the group was heard. */
void wave_control_hear(struct step *x);

/* ---- wave_judge.c; all of it does nothing where the policy has no judge ---- */

void wave_judge_begin(struct step *x);
/* A wave opens. */
void wave_judge_wave(struct step *x);
/* A recipient has been admitted. */
void wave_judge_admit(struct step *x);
/* One of the control group was heard. */
void wave_judge_control(struct step *x);
/* A recipient has moved. */
void wave_judge_move(struct step *x, enum recipient_state was, enum recipient_state is);
/* The time of a wave is over. */
enum judge_verdict wave_judge_end(struct step *x);
/* The judge's sentence, after a device has ended. */
void wave_judge_tell(struct step *x);
bool wave_judge_aborts(const struct step *x);
/* The judge's sentence. */
void wave_judge_say(const struct step *x, char *out, size_t cap);

#endif
