/* The driver's inside, shared by agent/ *.c. Everything here belongs to the loop's thread; what a
 * job may touch is in its own struct. */
#ifndef AGENT_AGENT_PRIV_H
#define AGENT_AGENT_PRIV_H

#include "agent/agent.h"
#include "agent/consent.h"
#include "agent/core/health.h"
#include "agent/core/quarantine.h"
#include "agent/journal/journal.h"
#include "agent/tele/tele.h"
#include "agent/telemetry.h"

#define NEVER INT64_MAX /* a due time that does not come */

/* ---- waits.c: what an update waits for before the switch ---- */

#define WAITS_MAX (2 * LIMIT_PRECONDITIONS) /* the release's and the device's */

/* What is to be judged, as it was when somebody began to look: a copy for a lane. */
struct wait_list {
	unsigned n, want; /* want: PRECOND_BIT of what is to be looked for */
	struct wait_rule {
		struct precond_rule rule;
		bool of_device; /* the configuration asks, not the release */
	} v[WAITS_MAX];
	struct precond_facts told; /* what nobody can see: consent */
};

struct wait_job;
struct lease_job;
struct waits {
	unsigned phases; /* that were looked at last; 0: none yet */
	struct wait_list list;
	struct precond_facts facts;
	struct precond_verdict verdict[WAITS_MAX];
	ms_t looked;             /* mono */
	struct wait_job *job;    /* in flight */
	struct lease_job *lease; /* the same, of the question for a lease */
	ms_t next;               /* mono: when it is looked at again while it is staged */
	bool may_swap;           /* all held just now */
	ms_t waited;             /* in this place, as far as it was seen */
	ms_t unmet_at;           /* mono of the last look that was not met; 0: it was met */
	bool loaded;             /* `waited` of an earlier life was looked for */
	ms_t saved;              /* of `waited`, in the file */
	uint64_t told;           /* hash of what was told to people and the server */
	char text[LIMIT_TEXT];   /* what it waits for; "": nothing */
};

/* The state has changed: another place to wait in. */
void waits_moved(struct agent *a);
void waits_due(struct agent *a, ms_t now);
ms_t waits_next(const struct agent *a);
/* Before and while it is staged: what is carried here crosses no network. */
unsigned waits_phases(const struct agent *a);
/* What the phases (PRECOND_DOWNLOAD, ...) of the present goal ask for. */
void waits_gather(struct agent *a, unsigned phases, struct wait_list *out);
/* Looks, in a lane. */
void waits_look(const struct agent_world *w, const struct wait_list *l, struct precond_facts *out);
/* Do all hold? ERR_UNMET with the first that does not. Pure. */
int waits_hold(const struct wait_list *l, const struct precond_facts *f, struct err *e) MUST_CHECK;
/* The same in the loop: remembers it for people and the server, and counts the time; ERR_EXPIRED
 * when it has waited too long. *out_again: when it is worth looking again. */
int waits_judge(struct agent *a, unsigned phases, const struct wait_list *l,
	const struct precond_facts *f, ms_t *out_again, struct err *e) MUST_CHECK;
/* May the switch happen, as far as preconditions go? Begins to look when it does not know, and
 * comes back with window_answer or window_wait. */
bool waits_allow(struct agent *a);
/* All was looked at that is to be: the switch may happen, or waits. */
void waits_end_swap(struct agent *a, const struct wait_list *l, const struct precond_facts *f);
/* waits_lease.c: asks the server, then waits_end_swap. */
void waits_ask_lease(struct agent *a, const struct wait_list *l, const struct precond_facts *f);
/* Something has changed that may end a wait: look now. */
void waits_poke(struct agent *a);
/* What the switch that is decided just now has waited for; none when nothing was asked for. */
void waits_conditions(const struct agent *a, struct report *out);
/* waited.c: counts the time that was waited; hands up the failure, or ERR_EXPIRED. */
int waits_count(struct agent *a, ms_t *out_again, struct err *e) MUST_CHECK;
/* waits_answer.c */
json_t *waits_answer(const struct agent *a);
void waits_say(const struct agent *a, json_t *sentences);

/* ---- agree.c: what a person at the device says to an update ---- */

void agree_load(struct agent *a);
/* Tells the server what an earlier life could not. */
void agree_resume(struct agent *a);
/* To the update that waits: durable on return. ERR_CONFLICT when none does. */
int agree_take(struct agent *a, const struct consent *answer, struct err *e) MUST_CHECK;
void agree_fill(const struct agent *a, struct precond_facts *f);
json_t *agree_answer(const struct agent *a);

/* ---- work.c: one action of the update, away from the loop ---- */

struct work;
struct work_row {
	enum upd_act_kind act;
	enum job_lane lane;
	enum upd_ev answer;
	int (*run)(struct work *, struct err *); /* in the lane; copies only */
	/* In the loop, before the answer is posted; NULL: nothing. Fails the answer. */
	int (*finish)(struct agent *, struct work *, struct err *);
};

struct work {
	struct job job;
	const struct work_row *row;
	struct agent *agent;         /* for `done` */
	const struct agent_world *w; /* the agent's; never changes */
	struct slots *slots;
	struct boot *boot;
	struct upd_record rec; /* as it was when the action began */
	struct upd_act act;
	struct upd_event ev;    /* the answer */
	struct wait_list waits; /* PRECOND, STAGE */
	struct precond_facts facts;
	struct stage_http room;
	struct buf log;         /* SMOKE: output; TAIL: the workload's last lines */
	_Atomic uint64_t bytes; /* STAGE: dealt with so far */
};

/* Begins the row's work, unless this very action is being worked on. */
void work_begin(struct agent *a, const struct work_row *row, const struct upd_act *act);
/* Looks at boot, workload and slots in LANE_SVC, then posts `ev` with what was seen. */
void work_look_then_post(struct agent *a, const struct upd_event *ev);
/* Looks at the slots' marks, for people: staging changes them without an event. */
void agent_see_slots(struct agent *a);
/* What still works for the update no longer counts. */
void work_drop(struct agent *a);

/* ---- watch.c: looks at the workload; baseline and soak ---- */

enum watch_mode { WATCH_IDLE, WATCH_BASELINE, WATCH_SOAK };

#define WATCH_RING 60 /* looks kept for the dossier */

struct seen {
	ms_t wall;
	bool alive;
	struct {
		bool blind;
		uint64_t n, bad;
		double value; /* of this look alone: quantile, share; NaN without samples */
	} rule[LIMIT_TRIGGERS];
};

struct look;
struct watch {
	enum watch_mode mode;
	void *probe; /* NULL: only the workload is looked at */
	unsigned n;
	struct trig_rule rule[LIMIT_TRIGGERS];
	struct trig_state state[LIMIT_TRIGGERS];
	struct trig_window window[LIMIT_TRIGGERS]; /* baseline: what is gathered */
	ms_t soak_done, soak_want;
	ms_t counted;          /* mono until which soak time has been counted; 0: not begun */
	ms_t waited, patience; /* for the soak in this process, and how long at most */
	ms_t checkpoint;       /* mono of the last one */
	ms_t dead_since;       /* mono; 0: it was alive at the last look */
	ms_t asked;            /* mono of ASK_WINDOW; 0: nobody waits for the baseline */
	ms_t asked_first;      /* mono of the first of them in this state */
	ms_t answered;         /* mono; TRIGGER or SOAK_OVER was sent then; 0: not */
	bool known;            /* `svc` was seen */
	struct svc_view svc;
	struct look *look;            /* in flight */
	ms_t next;                    /* mono */
	bool alarmed[LIMIT_TRIGGERS]; /* in this soak: told once */
	struct seen *ring;            /* WATCH_RING of them, while there is a probe */
	uint64_t looks;               /* in the ring so far */
};

void watch_init(struct watch *w);
void watch_fini(struct agent *a);
/* The state has changed: begins or ends baseline and soak as the record says. */
void watch_moved(struct agent *a);
void watch_begin_soak(struct agent *a);
void watch_ask_window(struct agent *a);
void watch_due(struct agent *a, ms_t now);
/* Does the rule want to know the old version's value, and is it known well enough? */
bool watch_wants_baseline(const struct trig_rule *r);
bool watch_has_baseline(const struct watch *w, unsigned i);
/* Is the rule one that looks are made for? Start, smoke and orders are judged elsewhere. */
bool watch_is_looked_at(const struct trig_rule *r);

/* ---- checks.c: what the machine's owner has tested during the soak (agent/health) ---- */

struct check_job;
struct checks {
	struct check_job *job; /* in flight */
	struct health_state state;
	struct health_round last; /* until the next soak */
	char warning[192];        /* a wanted check that failed; "": none */
};

/* A soak begins, or goes on after a restart: nothing is known. */
void checks_begin(struct agent *a);
/* Nobody wants to know any more; what was seen stays for the dossier. */
void checks_end(struct agent *a);
void checks_fini(struct agent *a);
/* Begins a round if it is time. While a version soaks. */
void checks_due(struct agent *a, ms_t now);
/* Must the version go, and why; may it be accepted? Neither: not yet. */
bool checks_are_red(const struct agent *a, char *out, size_t cap);
bool checks_are_green(const struct agent *a);
json_t *checks_answer(const struct agent *a);

/* ---- shadow.c: the new version beside the old one, before the switch ---- */

struct shadow_job;
struct shadow {
	struct shadow_job *job;   /* in flight */
	struct shadow_tally seen; /* of the present update, or of the last that had one */
	struct buf log;           /* the last that the challenger said */
	char limits[BESIDE_TEXT]; /* what held it */
};

/* Can this device do what the release asks for? ERR_UNSUPPORTED. */
int shadow_check(
	const struct agent *a, const struct release *r, bool rollback, struct err *e) MUST_CHECK;
/* May the switch happen, as far as the comparison goes? Begins it when it does not know, and comes
 * back with window_answer or window_wait. */
bool shadow_allows(struct agent *a);
/* The state has changed: who is compared no longer has to be. */
void shadow_moved(struct agent *a);
/* Pairs so far, and how many it takes at least; false: nothing is compared just now. */
bool shadow_progress(const struct agent *a, uint64_t *out_done, uint64_t *out_total);
/* null when the update has none. */
json_t *shadow_answer(const struct agent *a);
void shadow_say(const struct agent *a, json_t *sentences);

/* ---- window.c: whether the switch may happen now ---- */

/* Answers ASK_WINDOW, if it was asked and nothing stands in the way any more: the old version's
 * baseline is known, and the director has said lately that it wants this. */
void window_answer(struct agent *a);
/* Not yet: a precondition does not hold, or has not held for too long. */
void window_wait(struct agent *a, const struct err *why, ms_t again);

/* ---- promise.c: what is promised to who holds the agent to it ---- */

/* Before anything is done in the present state; and again when it is due. */
void promise_tell(struct agent *a);
void promise_due(struct agent *a, ms_t now);
/* Ends the trial, if this is a rescue and it was not on its way back already. */
void promise_rescue_now(struct agent *a);

/* ---- poll.c: what the server wants ---- */

struct poll_job;
struct poll {
	struct poll_job *job; /* in flight */
	ms_t next;            /* mono */
	uint32_t fails;       /* in a row */
	bool again;           /* evaluate what is stored even if the server has nothing new */
	bool held;            /* the server has said how long to wait */
	ms_t began;           /* mono: the last question */
	bool nudged;          /* somebody said that there is news since the last question began */
	bool asked;           /* there was an answer or a failure since the start */
	ms_t ok_wall;         /* of the last answer */
	struct err err;       /* of the last attempt */
	uint64_t refused;     /* hash of the refusal that was reported last */
	struct signed_time heard; /* the last time token of this process; zero: none */
	ms_t heard_at;            /* mono */
	ms_t fresh_at;            /* mono when the last answer was asked for; 0: none yet */
	ms_t reached_at;          /* the same, of the last one that the server gave; 0: none yet */
	struct sha256 wants;      /* the document that the last one named, zero: none */
};

void poll_init(struct agent *a);
void poll_due(struct agent *a, ms_t now);
/* As soon as possible, and evaluate whatever is stored. */
void poll_now(struct agent *a);
/* Has the server itself answered within the last minute? Where it did not, a version on trial is
 * not to blame for what cannot be reached. */
bool poll_reaches(const struct agent *a);
/* Is an answer of this process needed before the switch? Not for what a person ordered here; nor
 * when there was one not too long ago (without a server: what is stored, judged again by the
 * present time). What must keep the connection (trigger "connectivity") is switched to while there
 * is one: then it must be of the last minute, unless the release was carried here. */
bool poll_must_ask(const struct agent *a);
/* Does the answer want what the update brings? If there must be another one first, this sees to it.
 */
bool poll_confirms(struct agent *a);
/* Has the last fresh answer nothing for this device, although the update came from an earlier one?
 */
bool poll_withdrew(const struct agent *a);
/* The slot that the machine was started from; where no boot loader chose one, the active slot, of
 * which the workload runs as soon as it is started again. SLOT_NONE: nothing was ever installed. */
unsigned agent_running_slot(const struct agent *a);
/* What it holds: "" and zero when nothing that is valid. */
const struct slot_view *agent_running(const struct agent *a);

/* ---- carry.c: an update that is carried here in a folder ---- */

struct carry {
	enum { CARRY_NONE, CARRY_WAITS, CARRY_READ, CARRY_DONE } state;
	char dir[256];
	char release[ID_TEXT_MAX]; /* that it asks for */
	struct sha256 wants;       /* its document */
	struct err err;            /* it was refused */
};

/* If one waits, this fetch is for it. */
void carry_begin(struct agent *a, struct desired_in *in);
/* `why` NULL: it was believed. */
void carry_done(struct agent *a, const struct desired_out *out, const struct err *why);
/* Has everything come of it that will? And did the device end where the folder wants it? */
bool carry_is_over(const struct agent *a);
int carry_outcome(const struct agent *a, struct err *e) MUST_CHECK;
json_t *carry_answer(const struct agent *a);

/* ---- outbox.c: reports ---- */

struct send_job;
struct outbox {
	struct send_job *job;
	struct byway byway; /* a report that goes by the broker */
	ms_t next;          /* mono; NEVER: nothing waits */
	ms_t progress;      /* mono: when to report progress again */
	uint32_t fails;
	unsigned left; /* that wait, as far as is known */
	bool fresh;    /* one was put since the last sending began */
	struct err err;
};

void outbox_init(struct agent *a);
void outbox_due(struct agent *a, ms_t now);
/* The server has this report: the broker brought its word. */
void outbox_acked(struct agent *a, uint64_t seq);
/* Gives out the next sequence number, durably. */
int outbox_number(struct agent *a, uint64_t *out_seq, struct err *e) MUST_CHECK;
/* A report filled with who and where the device is. */
void outbox_fill(const struct agent *a, enum report_kind kind, uint64_t seq, struct report *out);
/* Queues it and has it sent soon. */
int outbox_put(struct agent *a, const struct report *r, struct err *e) MUST_CHECK;
/* HELLO, STATE or, when stuck, OUTCOME. A failure is logged: such a report may be missing. */
void outbox_tell(struct agent *a, enum report_kind kind);
/* Bytes while it is staged, pairs while it is compared, milliseconds while it soaks; nothing else
 * takes long enough: false. */
bool outbox_progress(const struct agent *a, const char **of, uint64_t *done, uint64_t *total);
/* Something about the device that is no update: `what` is OK when it is as it should be again. */
void outbox_condition(struct agent *a, const struct err *what);
void outbox_refuse(struct agent *a, const struct err *why, const struct desired *d);
/* What preconditions saw when the switch was decided, if there are any; durable before it happens.
 * A failure is logged. */
void outbox_switch(struct agent *a);

/* ---- outcome.c: how updates ended, for the tail and for people ---- */

struct outcome {
	struct txn_id txn;
	struct rel_id release;
	enum upd_state state; /* COMMITTED, REVERTED or FAILED; IDLE: there is none */
	enum err_code why;
	unsigned cause; /* enum trig_type or TRIG_TYPE_MAX */
	char text[160];
	ms_t at;             /* wall */
	uint64_t report_seq; /* of its OUTCOME report */
};

struct outcomes {
	struct outcome last;
	struct outcome rollback; /* the newest that was taken back or refused by a test */
};

/* outcome.json in home; durable on return. Loading: all zero when there is none or it was damaged
 * (nothing is decided by it). */
int outcome_save(struct fs *fs, const struct outcomes *o, struct err *e) MUST_CHECK;
int outcome_load(struct fs *fs, struct outcomes *out, struct err *e) MUST_CHECK;

/* ---- scrub.c: the way back is read now and then ---- */

struct scrub_result {
	struct sha256 document; /* of what was read */
	ms_t at;                /* wall; 0: never */
	enum err_code code;     /* OK: whole; ALTERED and IO: rotten, and its mark is taken */
	char text[160];
	bool told; /* history and server know */
};

struct scrub_job {
	struct job job;
	struct agent *agent; /* for `done` */
	struct fs *fs;
	struct slots *slots;
	unsigned slot;
	struct sha256 document;
	bool may_differ; /* its own system may have written to it */
	bool was_read;
	struct err err;
};

struct scrub {
	struct scrub_job *job;
	ms_t next; /* mono; NEVER: nothing to read */
	struct scrub_result last[SLOT_COUNT];
};

void scrub_open(struct agent *a);
/* The machine was seen for the first time. */
void scrub_up(struct agent *a);
/* The state has changed: a reading ends, another may be due. */
void scrub_moved(struct agent *a);
void scrub_due(struct agent *a, ms_t now);
ms_t scrub_next(const struct agent *a);

/* ---- notes.c: what is told, and when there is time for it ---- */

void notes_move(struct agent *a, enum upd_state from);
/* Writes what is due, unless the way back is under way. */
void notes_due(struct agent *a);
/* Writes the history, whatever is under way. */
void notes_flush(struct agent *a);

/* ---- tail.c, findings.c: how an update ends ---- */

int tail_run(struct work *, struct err *) MUST_CHECK;
int tail_finish(struct agent *, struct work *, struct err *) MUST_CHECK;
/* Keeps what only memory holds (samples, output of the smoke test) while the way back goes on. */
void tail_draft(struct agent *a);

/* What a rollback dossier says: what fired, with values and limits, and what led to it. The
 * caller's. */
json_t *findings_draft(const struct agent *a);
/* Adds how it ended. `log` is the workload's. */
void findings_complete(json_t *f, const struct agent *a, struct str log);
/* Text of unknown making as JSON: at most the last `max` bytes, what JSON cannot carry replaced. */
json_t *findings_text(struct str s, size_t max);

/* ---- marks.c: what a person may say of a slot ---- */

/* Each carries out {"slot", "reason"} or refuses it: ERR_CONFLICT when it would break a law or
 * means nothing in the present state, ERR_QUARANTINED, ERR_BAD_INPUT, ERR_NOT_FOUND for a slot that
 * there is not. *out_text says what comes of it. */
int marks_good(
	struct agent *a, const json_t *request, const char **out_text, struct err *e) MUST_CHECK;
int marks_bad(
	struct agent *a, const json_t *request, const char **out_text, struct err *e) MUST_CHECK;
int marks_active(
	struct agent *a, const json_t *request, const char **out_text, struct err *e) MUST_CHECK;
/* After acceptance the way back stays open for as long as the other slot is whole: it is an update
 * like any other, whose bytes are there already. */
int marks_go_to_other(struct agent *a, struct err *e) MUST_CHECK;

/* ---- answer.c ---- */

int answer_reason(const json_t *request, char out[LIMIT_TEXT], struct err *e) MUST_CHECK;

/* ---- explain.c, status.c: answers ---- */

json_t *explain_answer(struct agent *a);
json_t *status_answer(struct agent *a);
/* The boot layer as it is now: what starts next and what it decides by. */
int status_boot(struct agent *a, json_t **out, struct err *e) MUST_CHECK;
/* What the boot loader calls the slot; "" where none starts slots. */
const char *status_bootname(const struct agent *a, unsigned slot);
json_t *status_outcome(const struct outcome *o);
/* A rule with its present value and limit, as people and programs read it. */
json_t *explain_rule(
	const struct trig_rule *r, const struct trig_state *s, const struct trig_window *w);
/* A number in millionths, null for NaN: JSON here carries no fractions. */
json_t *json_micro(double v);

/* ---- agent.c ---- */

struct pending {
	struct upd_event ev;
	struct pending *next;
};

struct agent {
	const struct agent_conf *conf;
	struct agent_world w;
	struct jobs *jobs;
	struct journal journal;
	struct slots *stage_slots; /* of LANE_SLOT */
	struct slots *look_slots;  /* of the loop; only looks */
	struct slots *scrub_slots; /* of LANE_SLOT; only reads */
	struct boot *boot_layer;   /* of LANE_SVC */
	struct boot *look_boot;    /* of the loop; only looks */
	struct upd_record rec;
	struct quarantine quarantine;
	struct outcomes outcomes;
	bool up, closing; /* up: POWER_UP has been stepped */

	struct pending *first, **last; /* events that wait for their step */
	ms_t stalled;                  /* mono until which the journal is left alone; 0: it works */
	uint32_t stalls;               /* in a row */

	struct boot_view boot; /* as last seen */
	struct slot_view slot[SLOT_COUNT];

	struct release *release; /* of rec.goal while an update runs; NULL: none, or not readable */
	struct work *work;       /* the update's, in flight */
	unsigned orders;         /* events that wait for a look before they are posted */
	struct err failed;       /* the last action that failed in the present state */
	struct buf smoke_log;
	/* What others are to be told, as soon as there is time for it. */
	struct buf notes; /* lines for the history */
	bool tell;        /* the server, of the present state */
	bool draft;       /* a dossier's draft */
	ms_t wake_at;     /* mono */
	ms_t promised;    /* mono: when it is to be renewed; NEVER: to nobody */
	char rescue[128]; /* why somebody else ends the trial; "": nobody does */
	struct watch watch;
	struct waits waits;
	struct shadow shadow;
	struct consent consent;
	struct checks checks;
	struct poll poll;
	struct carry carry;
	struct outbox outbox;
	struct scrub scrub;
	struct telemetry telemetry;
};

/* Stamps the event and puts it behind those that wait. */
void agent_post(struct agent *a, const struct upd_event *ev);
/* The one door to the journal besides upd_step's: for report_seq and director_seen. */
int agent_note(
	struct agent *a, uint64_t report_seq, uint64_t director_seen, struct err *e) MUST_CHECK;
int agent_save_quarantine(struct agent *a, const struct quarantine *q, struct err *e) MUST_CHECK;
/* What both copies know together; heals the one that was damaged. */
int agent_load_quarantine(struct agent *a, struct err *e) MUST_CHECK;
ms_t agent_mono(const struct agent *a);
ms_t agent_wall(const struct agent *a);
uint64_t agent_random(struct agent *a);
void agent_new_txn(struct agent *a, struct txn_id *out);
/* `span`, give or take a tenth. */
ms_t agent_jitter(struct agent *a, ms_t span);
/* The release whose document this is, from what earlier fetches stored; NULL when it cannot be
 * read. The caller's to free. */
struct release *agent_load_release(struct fs *fs, const struct sha256 *document, struct err *e);

/* actions.c: carries one out or begins it. */
void action_begin(struct agent *a, const struct upd_act *act);

#endif
