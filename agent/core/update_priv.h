/* What the parts of the update machine share: the table (update.c), its handlers (cells.c), the
 * decision at power-up (boot_plan.c) and the laws (laws.c). */
#ifndef AGENT_CORE_UPDATE_PRIV_H
#define AGENT_CORE_UPDATE_PRIV_H

#include "agent/core/update.h"

#define UPD_BIT(id) (1U << UPD_##id)

/* One step under way. `next` begins as a copy of `now`. */
struct step {
	const struct upd_record *now;
	const struct upd_event *ev;
	struct upd_record *next;
	struct upd_acts *acts;
};

/* Why an update does not go on. */
struct fault {
	enum err_code why;
	unsigned cause; /* enum trig_type, or TRIG_TYPE_MAX */
	const char *text;
};

#define UPD_TRIES 3U /* starts that a boot loader grants a slot on trial */

/* ---- step.c: the few moves that handlers are made of ---- */

/* The record has changed and must be saved. */
void step_save(struct step *s);
/* Asks for the action that the present state stands for, if it has one. */
void step_act(struct step *s);
/* To another state: its action first, then the report, so that a way back never waits for a queue.
 * The tails report the outcome themselves. */
void step_enter(struct step *s, enum upd_state state);
/* Remembers why. */
void step_blame(struct step *s, const struct fault *f);
/* Stops whatever works for the update. */
void step_stop(struct step *s);
/* Remembers why, and stops whatever works for the update before anything else begins. */
void step_stop_and_enter(struct step *s, enum upd_state state, const struct fault *f);
void step_wake_at(struct step *s, ms_t wall);
/* The action is tried again after a pause, which grows with every time in a row. */
void step_wait(struct step *s, enum err_retry class);
/* A wake-up: the action, if its pause is over. */
void step_retry(struct step *s);

/* ---- cells.c ---- */

typedef void upd_cell_f(struct step *s);

/* NULL when the cell was not filled. */
upd_cell_f *cells_at(enum upd_state state, enum upd_ev ev);

/* ---- update.c ---- */

/* The action that a state stands for, UACT_NONE for none. */
enum upd_act_kind upd_act_of(enum upd_state s);

/* ---- boot_plan.c ---- */

/* What is to be done after the agent has started, by what it sees. */
enum boot_verb {
	BOOT_STAY,  /* nothing */
	BOOT_AGAIN, /* the state's action again */
	BOOT_RETRY, /* the same, counted; `to` when there were UPD_ATTEMPT_MAX tries */
	BOOT_REARM, /* to `to`, which grants the tries again; counted */
	BOOT_GOTO,  /* to `to` */
};
struct boot_plan {
	enum boot_verb verb;
	enum upd_state to;
	struct fault fault; /* .text NULL: the record's own stands */
};
const struct boot_plan *boot_plan_eval(const struct upd_record *r, const struct upd_event *ev);

/* Is the old slot active and confirmed? Is the new one? As seen with the event; false when nobody
 * looked. */
bool boot_is_old(const struct upd_record *r, const struct upd_event *ev);
bool boot_is_new(const struct upd_record *r, const struct upd_event *ev);
/* Does the new one start next, whether confirmed or not? */
bool boot_is_on_trial(const struct upd_record *r, const struct upd_event *ev);
/* Does the workload run, from the new slot as far as can be told? */
bool svc_runs_new(const struct upd_record *r, const struct upd_event *ev);

/* ---- laws.c ---- */

/* The four laws and the shape of the record. ERR_BUG names the one that is broken. */
int laws_check(const struct step *s, struct err *e) MUST_CHECK;
/* May a step lead from one state to another? */
bool laws_is_move(enum upd_state from, enum upd_state to);

#endif
