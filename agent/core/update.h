/* The update machine: one pure step. What decides is here; agent/agent.c touches the world. */
/* clang-format off */
/*
 *        DESIRED          PRECOND         STAGED          SMOKE          WINDOW
 *  IDLE ---------> ACCEPTED ----> STAGING -----> SEALED -----> READY ------> SWITCHING
 *   ^ ^               |              |              |            |           |     | SWITCHED
 *   | |               +------+-------+--------------+------------+-----------+     v
 *   | |                      v  before the switch: the old one never stopped    STARTING ------+
 *   | +---- TAIL_DONE --- FAILED                                                   | STARTED   |
 *   |                                                                              v           |
 *   +------ TAIL_DONE --- COMMITTED <-- CONFIRMED -- COMMITTING <-- SOAK_OVER -- SOAKING       |
 *   |                                                   | fell back                | TRIGGER   |
 *   |                                                   v                          v           |
 *   +------ TAIL_DONE --- REVERTED <-- RESTORED -- RESTORING <------ BACK ----- REVERTING <----+
 *   |                                                   |                          |
 *   +------ RESET ------- STUCK <-----------------------+--------------------------+
 *                           after UPD_BACK_MAX tries
 */
/* clang-format on */
/* Four laws, asserted in every step (laws.c) and checked in tests/machine and tests/fault:
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
		UACT_KIND_MAX,
	UACT_NONE = UACT_KIND_MAX
};

#define UPD_ATTEMPT_MAX 3 /* tries of SWITCHING and of STARTING, over power cuts */
#define UPD_REARM_MAX   2 /* times in an update that lost tries are granted again */
#define UPD_BACK_MAX    5 /* tries of REVERTING and RESTORING before STUCK */

/* What is wanted, as the verified desired state says it. */
struct upd_goal {
	struct rel_id release;
	struct sha256 document; /* release document */
	struct sha256 manifest; /* director targets.json */
	struct camp_id campaign;
	uint64_t director_version, counter;
	char path[LIMIT_TARGET_NAME];
	bool rollback; /* a person or the fleet orders it back to a release it had before */
};

/* Everything that survives. A value without pointers; encoded it fits one journal block
 * (agent/core/record.h). The driver changes two members by itself, and only upwards: report_seq and
 * director_seen. */
struct upd_record {
	uint64_t seq; /* of the journal; set by the journal */
	enum upd_state state;
	struct txn_id txn;
	struct upd_goal goal; /* zero in IDLE */
	struct rel_id from;   /* release in slot_old */
	struct sha256 from_document;
	struct sha256 content; /* of the sealed slot; zero before SEALED */
	unsigned slot_old;     /* the way back; SLOT_NONE: nothing ran before, going back ends the
				  workload */
	unsigned slot_new;
	unsigned attempt; /* of the present state's action, since it last succeeded; from 1 */
	uint32_t retries; /* failures in a row that are waited for, for the backoff */
	uint64_t boot_id; /* of the machine when the state was entered */
	ms_t entered_wall;
	ms_t wake_wall; /* the present action is tried again then; 0: it is under way */
	ms_t soak_done, soak_want;
	ms_t start_timeout;
	uint32_t rearms;      /* how often the boot loader's tries were granted anew */
	uint32_t start_ended; /* svc_view.ended when this boot's part of the soak began */
	enum err_code why;    /* what ended it */
	unsigned cause;       /* enum trig_type, or TRIG_TYPE_MAX */
	char why_text[160];
	unsigned n_trig;
	struct trig_state trig[LIMIT_TRIGGERS];
	/* kept over updates */
	uint64_t counter_floor; /* release counters below are refused without a signed rollback */
	uint64_t report_seq;    /* last sequence number given to a report */
	uint64_t director_seen; /* director version that was last accepted or refused for good */
};

/* What happened, with everything the step may want to know of the world. `txn` is the record's
 * (DESIRED: a new one). For the events that upd_event_looks() names, the driver looks at boot and
 * svc right before it sends them and sets `looked`; when a look fails, the event is sent without it
 * and with ok = false (POWER_UP: not before the looks succeed). */
struct upd_event {
	enum upd_ev kind;
	ms_t wall;
	uint64_t boot_id; /* of the machine, now */
	struct txn_id txn;
	bool ok;
	struct err err; /* when not ok */
	bool looked;
	struct boot_view boot;
	struct svc_view svc;
	struct slot_view slot[SLOT_COUNT]; /* DESIRED, POWER_UP */
	struct upd_goal goal;              /* DESIRED */
	struct sha256 content;             /* STAGED, ok */
	ms_t soak, start_timeout;          /* STAGED, ok: from the release */
	unsigned n_trig;                   /* WINDOW (baselines), CHECKPOINT, TRIGGER, SOAK_OVER */
	struct trig_state trig[LIMIT_TRIGGERS];
	ms_t soak_done;   /* CHECKPOINT, TRIGGER, SOAK_OVER */
	unsigned cause;   /* TRIGGER: enum trig_type; its explanation is in err.text */
	uint64_t jitter;  /* any 64 random bits, for the backoff */
	ms_t retry_after; /* the server's wish, or when it is worth looking again; 0: none */
};

struct upd_act {
	enum upd_act_kind kind;
	unsigned slot;  /* STAGE, SMOKE, TRY_NEXT, APPLY, WATCH, CONFIRM: new; GO_BACK, RESTORE: old
			 */
	unsigned tries; /* TRY_NEXT */
	ms_t at;        /* WAKE_AT: wall clock */
};

struct upd_acts {
	bool save; /* *next differs from *now: it must be durable before any action is begun */
	unsigned n;
	struct upd_act v[6]; /* in this order */
};

/* PURE. Actions may be repeated. An event that means nothing in the present state leaves the record
 * as it is and asks for nothing (every cell of the table is filled on purpose:
 * docs/update-machine.md is printed from it). ERR_BUG with the broken law if one would not hold;
 * then the outputs are untouched and the present record stands. */
int upd_step(const struct upd_record *now, const struct upd_event *ev, struct upd_record *next,
	struct upd_acts *acts, struct err *e) MUST_CHECK;

/* A device that has never updated. */
void upd_record_init(struct upd_record *r);

const char *upd_state_name(enum upd_state s);
const char *upd_state_text(enum upd_state s);
const char *upd_event_name(enum upd_ev e);
const char *upd_act_name(enum upd_act_kind a);
/* Must the driver look at boot and svc right before it sends this event? */
bool upd_event_looks(enum upd_ev e);
/* Is the update between ACCEPTED and its end? */
bool upd_is_busy(enum upd_state s);
/* Of a record in REVERTED or FAILED: does the outcome speak against the release, so that this
 * device must not take it again by itself? Not when it was superseded, not when only the device's
 * own storage or network failed, and not when the bytes that came were not the signed ones: else
 * one changed answer would keep a good release from this device. */
bool upd_is_blamed(const struct upd_record *r);

#endif
