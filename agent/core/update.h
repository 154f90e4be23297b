/* The update machine: one pure step. What decides is here; what touches the world is agent/agent.c.
 *
 *                DESIRED        PRECOND         STAGED          SMOKE          WINDOW
 *        IDLE ---------> ACCEPTED ----> STAGING -----> SEALED ------> READY ---------> SWITCHING
 *         ^ ^               |              |              |             |               | SWITCHED
 *         | |               +------+-------+--------------+-------------+               v
 *         | |                      v  (before the switch: the old one never stopped)  STARTING
 *         | +---- TAIL_DONE --- FAILED                                                  | STARTED
 *         |                                                                             v
 *         +------ TAIL_DONE --- COMMITTED <-- CONFIRMED -- COMMITTING <-- SOAK_OVER -- SOAKING
 *         |                                                                             | TRIGGER
 * (or not started)
 *         +------ TAIL_DONE --- REVERTED <-- RESTORED -- RESTORING <----- BACK ----- REVERTING
 *                                               |                                       |
 *                                               +-----------> STUCK <-------------------+  after
 * UPD_BACK_MAX tries
 *
 * Four laws, asserted here and checked in tests/machine and tests/fault:
 * 1. the active pointer never names a slot that is not VALID;
 * 2. nothing writes the slot that runs or is active;
 * 3. COMMITTED means active = confirmed = new; REVERTED and FAILED mean active = confirmed = old;
 * 4. nothing that forbids going back happens before COMMITTED. */
#ifndef AGENT_CORE_UPDATE_H
#define AGENT_CORE_UPDATE_H

#include "agent/core/facts.h"
#include "agent/core/trigger.h"
#include "agent/core/update.tbl.h"

enum upd_state {
#define X(id, ...) UPD_##id,
	UPD_STATES(X)
#undef X
		UPD_STATE_MAX
};
enum upd_ev {
#define X(id, ...) UEV_##id,
	UPD_EVENTS(X)
#undef X
		UEV_MAX
};
enum upd_act_kind {
#define X(id, ...) UACT_##id,
	UPD_ACTIONS(X)
#undef X
		UACT_KIND_MAX
};

#define UPD_ATTEMPT_MAX 3 /* tries of SWITCHING and of STARTING, over power cuts */
#define UPD_BACK_MAX    5 /* tries of REVERTING and RESTORING before STUCK */

/* What is wanted, as the verified desired state says it. */
struct upd_goal {
	struct rel_id release;
	struct sha256 document; /* release document */
	struct sha256 manifest; /* director targets.json */
	struct camp_id campaign;
	uint64_t director_version, counter;
	char path[LIMIT_TARGET_NAME];
	bool rollback; /* ordered by the fleet: `cause` of the outcome is not a failure of the goal
			*/
};

/* Everything that survives. A value without pointers; encoded it fits one journal block
 * (agent/core/record.h). */
struct upd_record {
	uint64_t seq; /* of the journal; set by the journal */
	enum upd_state state;
	struct txn_id txn;
	struct upd_goal goal; /* zero in IDLE */
	struct rel_id from;   /* release in slot_old */
	struct sha256 from_document;
	struct sha256 content; /* of the sealed slot */
	unsigned slot_old, slot_new;
	unsigned attempt;                            /* of the present state */
	uint32_t retries;                            /* of staging, for the backoff */
	uint64_t boot_id;                            /* of the machine when the state was entered */
	ms_t entered_wall, deadline_wall, wake_wall; /* 0: none */
	ms_t soak_done, soak_want;
	ms_t start_timeout;
	uint32_t start_ended; /* svc_view.ended when the soak began */
	enum err_code why;    /* what ended it */
	unsigned cause;       /* enum trig_type, or TRIG_TYPE_MAX */
	char why_text[160];
	unsigned n_trig;
	struct trig_state trig[LIMIT_TRIGGERS];
	/* kept over updates */
	uint64_t counter_floor;
	uint64_t report_seq;    /* last sequence number given to a report */
	uint64_t director_seen; /* director version that was last accepted or refused for good */
};

struct upd_event {
	enum upd_ev kind;
	ms_t wall;
	uint64_t boot_id;
	bool ok;
	struct err err;                    /* when not ok */
	struct boot_view boot;             /* POWER_UP */
	struct svc_view svc;               /* POWER_UP, STARTED */
	struct slot_view slot[SLOT_COUNT]; /* POWER_UP, DESIRED */
	struct upd_goal goal;              /* DESIRED */
	struct txn_id txn;                 /* DESIRED: of the new update */
	struct sha256 content;             /* STAGED */
	ms_t soak, start_timeout;          /* STAGED: from the release */
	unsigned n_trig;                   /* WINDOW (baselines), CHECKPOINT, TRIGGER */
	struct trig_state trig[LIMIT_TRIGGERS];
	ms_t soak_done;  /* CHECKPOINT */
	unsigned cause;  /* TRIGGER: enum trig_type; SMOKE, STARTED: set by the step */
	uint64_t jitter; /* random, for backoff */
};

struct upd_act {
	enum upd_act_kind kind;
	unsigned slot;
	unsigned tries;
	ms_t at; /* WAKE_AT: wall clock */
};

struct upd_acts {
	unsigned n;
	struct upd_act v[6];
};

/* PURE. The record in *next must be durable before any action in *acts is carried out; actions may
 * be repeated. An event that means nothing in the present state leaves the record as it is and asks
 * for nothing (every cell of the table is filled on purpose: docs/update-machine.md is printed from
 * it). ERR_BUG with the broken law if one would not hold; then nothing of *next may be used. */
int upd_step(const struct upd_record *now, const struct upd_event *ev, struct upd_record *next,
	struct upd_acts *acts, struct err *e) MUST_CHECK;

/* A device that has never updated. */
void upd_record_init(struct upd_record *r);

const char *upd_state_name(enum upd_state s);
const char *upd_state_text(enum upd_state s);
const char *upd_event_name(enum upd_ev e);
const char *upd_act_name(enum upd_act_kind a);
/* Is the update between ACCEPTED and its end? */
bool upd_is_busy(enum upd_state s);

#endif
