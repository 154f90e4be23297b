/* What the files of the simulator share. */
#ifndef SIM_COURSE_PRIV_H
#define SIM_COURSE_PRIV_H

#include "agent/core/backoff.h"
#include "agent/core/update.h"
#include "lib/prng.h"
#include "server/sim/queue.h"
#include "sim/course.h"

#define PPM   1000000U
#define NEVER INT64_MAX

/* What a slot holds. */
enum hold { HOLDS_NOTHING, HOLDS_OLD, HOLDS_NEW, HOLDS_HALF };

/* Which number of a device (course_trait). */
enum trait {
	TRAIT_GROUP,
	TRAIT_LATE,
	TRAIT_LINK,
	TRAIT_FAULT = 100,
	TRAIT_WEATHER = 200,
	TRAIT_GAP = 1000
};

/* Devices with the same labels. Masks: a bit for each fault and weather of the scenario that may
 * hit them. */
struct kind {
	const char *labels;
	const struct scenario_group *group;
	uint32_t faults, weather;
	unsigned stratum;
};

/* One device, all the time: about 64 bytes, so that a million of them are cheap. What lives only
 * while an update is under way is its trial. */
struct twin {
	ms_t heard;            /* by the server */
	ms_t clock;            /* its wall clock is ahead of the true time by this */
	char *quarantine;      /* as its file would be; NULL: empty; owned */
	struct steady *steady; /* control.c; NULL: not compared with just now; owned */
	struct trial *trial;   /* NULL: no update is under way; owned */
	uint32_t kind;
	uint32_t faults;                           /* of the release, that it has */
	uint32_t floor, report_seq, director_seen; /* what its record keeps over updates */
	uint16_t boots;
	uint8_t state;                   /* enum recipient_state, as the server has it */
	uint8_t active, confirmed, runs; /* slots */
	uint8_t hold[SLOT_COUNT];        /* enum hold */
	uint8_t outcome;                 /* enum upd_state that is to be reported; 0: nothing */
	uint8_t tries;                   /* of reporting it */
	bool outcome_new : 1;            /* of the new release, or of the way back */
	bool ordered_back : 1, reported_commit : 1, has_run_new : 1, blamed : 1, dead : 1,
		asking : 1;
};

/* One update on one device. */
struct trial {
	struct upd_record rec;
	unsigned work;                   /* enum upd_act_kind that is under way, or UACT_NONE */
	uint32_t gen;                    /* of it: a moment of another one is history */
	ms_t begun;                      /* the work */
	ms_t off_since;                  /* 0: it has power */
	uint64_t got;                    /* bytes of the release */
	bool complete;                   /* this work would get all of it */
	bool counts, fell_back, crashed; /* the boot loader */
	unsigned tries_left;
	ms_t started;   /* the new version, last; 0: never */
	uint32_t ended; /* how often the workload has */
	/* the watch */
	ms_t soak_done, waited, counted, checkpoint, dead_since;
	ms_t watched; /* the simulation's own account, over power cuts */
	struct trig_state state[LIMIT_TRIGGERS];
	struct trig_window window[]; /* one for each trigger of the release */
};

enum what {
	AT_WORK,    /* a step of the present work is done */
	AT_WAKE,    /* a wake-up that the machine asked for */
	AT_CUT,     /* the power goes */
	AT_UP,      /* the machine has started */
	AT_SEND,    /* a report is sent */
	AT_POLL,    /* a device asks, that has an order to go back */
	AT_AGAIN,   /* a device is told the same release once more */
	AT_SILENCE, /* the server looks whether it was heard of */
	AT_WATCH,   /* a device of the control group looks at its workload */
	AT_JOIN,    /* a late one asks for the first time */
	AT_WEATHER, /* begins or ends; the device is its number */
	AT_ORDER,   /* of a person; the device is its number */
	WHAT_MAX
};
#define WHAT_BITS 8

struct course {
	const struct course_conf *c;
	const struct scenario *sc;
	const struct policy *p;
	struct course_result r;
	struct prng random;
	struct queue queue;
	ms_t now;
	struct wave_state s;
	struct wave_acts acts;
	char refusal[2 * LIMIT_TEXT]; /* the engine's last */
	ms_t ask_at, approve_at;      /* 0: nobody asks; nobody waits for it */
	bool selected;                /* waves take devices by their labels, and end here: */
	uint32_t end[LIMIT_WAVES];
	bool stopped, halted; /* by a person */
	bool over;            /* decided; devices end what they have begun */
	ms_t over_at;
	struct twin *v;
	uint32_t n; /* recipients */
	struct kind *kinds;
	uint32_t n_kinds;
	uint32_t *asking, n_asking; /* devices whose turn it is and that have not been let in */
	uint32_t opened;            /* positions below were put there */
	uint32_t weather;           /* mask of what is going on */
	uint32_t counts[RECIPIENT_STATE_MAX], ever, commits_heard, ends_heard; /* own accounts */
	uint32_t trials, trials_most;
	double edge[LIMIT_HIST_BUCKETS];
	uint32_t *mends, n_mends, cap_mends; /* seconds */
};

/* ---- course.c ---- */

void course_at(struct course *m, ms_t when, uint32_t device, enum what what, uint32_t gen);
/* Something has happened: into the trace. */
void course_note(struct course *m, uint32_t a, uint32_t b, uint32_t c);
ms_t course_within(struct course *m, ms_t span);
/* A span that is exponentially spread around a mean, at least 1 ms. */
ms_t course_spread(struct course *m, ms_t mean);
bool course_happens(struct course *m, uint32_t ppm);
/* A number of a device that is the same in every course of this seed. */
uint64_t course_trait(const struct course *m, uint32_t device, uint32_t which);

/* ---- kind.c ---- */

void kind_all(struct course *m);
/* Which faults each device has; after positions are settled. */
void kind_faults(struct course *m);
void kind_fini(struct course *m);
/* Has a device with these labels all of `where`? */
bool kind_is_where(const char *labels, const char *where);
/* Does this weather hit the device? */
bool kind_is_hit(const struct course *m, uint32_t device, unsigned weather);

/* ---- plan.c ---- */

/* Settles positions; fills what the start of the campaign says. */
void plan_all(struct course *m, struct wave_event *start);

/* ---- control.c ---- */

/* The campaign has begun: whoever is compared with is watched. */
void control_begin(struct course *m);
int control_look(struct course *m, uint32_t device, struct err *e);
void control_fini(struct twin *w);

/* ---- reach.c ---- */

/* Can the device be reached at this time, as far as network and weather go? */
bool reach_is_up(const struct course *m, uint32_t device, ms_t t);
ms_t reach_next_up(const struct course *m, uint32_t device, ms_t t);
ms_t reach_next_down(const struct course *m, uint32_t device, ms_t t);
/* When it was up last, not after `t`. */
ms_t reach_last_up(const struct course *m, uint32_t device, ms_t t);
/* When the power comes back that weather has taken; `t` when it has not. */
ms_t reach_power_back(const struct course *m, uint32_t device, ms_t t);

/* ---- load.c ---- */

/* One look at the workload: a sample for each trigger of the release. */
void load_look(struct course *m, uint32_t device, ms_t span, struct sample out[LIMIT_TRIGGERS]);

/* ---- twin.c ---- */

/* It is told to run the new release, or to go back to the old one. Refused when quarantined. */
int twin_desire(struct course *m, uint32_t device, bool back, struct err *e);
int twin_tell(struct course *m, uint32_t device, struct upd_event *ev, struct err *e);
/* The event, with everything that a look would see. */
struct upd_event twin_event(struct course *m, uint32_t device, enum upd_ev kind);
struct upd_event twin_failure(
	struct course *m, uint32_t device, enum upd_ev kind, enum err_code code, const char *text);
bool twin_has(const struct course *m, uint32_t device, enum scenario_fault_kind kind);
/* The first fault of that kind that it has, NULL when none. */
const struct scenario_fault *twin_fault(
	const struct course *m, uint32_t device, enum scenario_fault_kind kind);
bool twin_runs_new(const struct twin *w);
bool twin_is_off(const struct twin *w);
void twin_quarantine(struct course *m, uint32_t device);
/* The power goes, or the machine starts anew; it comes up after `off`. */
void twin_cut(struct course *m, uint32_t device, ms_t off);
int twin_up(struct course *m, uint32_t device, struct err *e);
/* Nobody hears of it again. */
void twin_die(struct course *m, uint32_t device);
void twin_end(struct course *m, uint32_t device);

/* ---- deeds.c ---- */

/* Begins the work of an action; its end comes as AT_WORK. */
void deed_begin(struct course *m, uint32_t device, enum upd_act_kind kind);
int deed_done(struct course *m, uint32_t device, struct err *e);
void deed_broken_off(struct course *m, uint32_t device);

/* ---- soak.c ---- */

ms_t soak_begin(struct course *m, uint32_t device);
int soak_look(struct course *m, uint32_t device, struct err *e);
ms_t baseline_begin(struct course *m, uint32_t device);
int baseline_look(struct course *m, uint32_t device, struct err *e);

/* ---- office.c: the server ---- */

int office_begin(struct course *m, struct err *e);
int office_step(struct course *m, struct wave_event ev, struct err *e);
int office_ask(struct course *m, struct err *e);
int office_poll(struct course *m, uint32_t device, struct err *e);
int office_send(struct course *m, uint32_t device, struct err *e);
int office_silence(struct course *m, uint32_t device, struct err *e);
int office_order(struct course *m, uint32_t order, struct err *e);
int office_approve(struct course *m, struct err *e);
void office_join(struct course *m, uint32_t device);
/* The device is given the release. */
void office_admit(struct course *m, uint32_t device);
/* The device says how far it is. */
int office_progress(struct course *m, uint32_t device, struct err *e);
/* When somebody asks next. */
void office_plan_ask(struct course *m);
bool office_lets_in(const struct course *m);

/* ---- law.c ---- */

void law_broken(struct course *m, uint32_t device, const char *law);
/* After a step of a device's update machine. */
void law_device(struct course *m, uint32_t device, const struct upd_record *was);
/* After a step of the wave engine. */
void law_wave(struct course *m, const struct wave_state *was, const struct wave_event *ev);
/* A slot is written, or confirmed. */
void law_write(struct course *m, uint32_t device, unsigned slot);
void law_confirm(struct course *m, uint32_t device);
/* When all is over. */
void law_end(struct course *m);

#endif
