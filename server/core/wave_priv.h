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

/* ---- wave_control.c ---- */

/* The recipients are frozen: who of them is the control group? ERR_CONFLICT when there are too few.
 */
int wave_control_begin(struct step *x, struct err *e) MUST_CHECK;
/* A wave opens; *out_share is the canary's share of the exposure in it. */
void wave_control_wave(struct step *x, uint32_t *out_share);
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
bool wave_judge_promotes(const struct step *x);
bool wave_judge_aborts(const struct step *x);
/* The judge's sentence. */
void wave_judge_say(const struct step *x, char *out, size_t cap);

#endif
