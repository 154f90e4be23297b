/* The wave engine: a campaign's decisions as one pure step. It holds counts, not devices: which
 * device comes next is a stable position (cohort.h), so every repeat after a crash picks the same
 * ones.
 *
 *   DRAFT -start-> FIRST -one device has committed-> OPEN -the wave has ended-> SOAK -+-> DONE
 *                    |                                ^                          |    |
 *                    |                                +------ the next wave -----|----+
 *                    |                                +-- approved -- HOLD <-----|----+
 *                    +--- more failures than allowed, the judge aborts, or ------+
 *                                            v  nobody committed
 *                                     ROLLING_BACK -everyone is back-> HALTED
 *
 * A wave has ended when none of its recipients is in update and none waits. Recipients that never
 * ask are passed over once nothing has moved for the policy's silence (not counting freezes) and
 * somebody of the wave has committed; they are admitted later, whenever they ask. The last wave
 * waits for everybody. Pause and resume stop and go on with admissions and with the opening of
 * waves; a paused campaign still counts failures and aborts. Halt and rollback are a person's
 * orders.
 *
 * A policy's judge (judge.h) hears of every device that ends: to abort, it needs no end of a wave;
 * to go on, it is asked when a wave has soaked. Inconclusive, the policy says what is done; to go
 * on all the same takes two people. A freeze (freeze.h) keeps everybody from being admitted, until
 * it ends or a person breaks the glass, for that one freeze.
 *
 * A control group (wave_control.c) is the end of the order of recipients: they keep what they run
 * until everybody else has ended, and what their watches say is the judge's second arm. Then the
 * last wave opens once more, for them: nobody is left to compare with, so only guards, the ladder
 * and max_failures end it. Each of the group counts once a turn, because the unit is the device:
 * one that trips again and again says no more than that it trips. A turn begins with a wave, and
 * when what canaries do would be enough to abort (judge.h); the wave does not end before it has.
 *
 * Laws, asserted after every step: admitted <= the wave's share at every instant; nothing is
 * admitted while paused, frozen, on hold, halted or rolling back, or faster than the wave's rate;
 * silence counts against, never for; HALTED is left only by a person; counts add up to the
 * recipients. Replaying the events gives the same states and actions. */
#ifndef SERVER_CORE_WAVE_H
#define SERVER_CORE_WAVE_H

#include "lib/id.h"
#include "proto/wire/policy.h"
#include "server/core/judge.h"

/* Stands in audit rows: a decision is replayed with the engine that made it. */
#define WAVE_ENGINE "wave-4"

/*  id, name, what it means */
#define WAVE_PHASE_TABLE(X)                                                                        \
	X(DRAFT, "draft", "made, not started")                                                     \
	X(FIRST, "first", "one device alone has the release, until one has committed")             \
	X(OPEN, "open", "devices of the wave are admitted as they ask")                            \
	X(SOAK, "soak", "all devices of the wave have ended; watching before the next wave")       \
	X(HOLD, "hold", "waits for a person who lets the next wave open")                          \
	X(ROLLING_BACK, "rolling_back", "aborted; devices that have the release are ordered back") \
	X(HALTED, "halted", "stopped for good; a person must look")                                \
	X(DONE, "done", "every recipient has ended")

enum wave_phase {
#define X(id, ...) WAVE_##id,
	WAVE_PHASE_TABLE(X)
#undef X
		WAVE_PHASE_MAX
};

/*  id, name: where one recipient is. Rows are also the states of the table `recipients`. */
#define RECIPIENT_STATE_TABLE(X)                                                                   \
	X(WAITING, "waiting", "not admitted yet")                                                  \
	X(ADMITTED, "admitted", "the signed desired state names the release for it")               \
	X(COMMITTED, "committed", "runs the release and has accepted it")                          \
	X(REVERTED, "reverted", "went back by itself")                                             \
	X(FAILED, "failed", "gave up before the switch, or could not do what it was told")         \
	X(SILENT, "silent", "was told something and has not been heard of since")                  \
	X(ORDERED_BACK, "ordered_back", "has been ordered to go back")                             \
	X(BACK, "back", "is back on what it ran before")

enum recipient_state {
#define X(id, ...) RECIPIENT_##id,
	RECIPIENT_STATE_TABLE(X)
#undef X
		RECIPIENT_STATE_MAX
};

/*  id, name in the event log; what it is. The orders of people are the ones the API takes. */
#define WAVE_EVENT_TABLE(X)                                                                        \
	X(START, "start", "a person starts it; the recipients are frozen")                         \
	X(ASK, "ask", "a waiting recipient asks for its desired state")                            \
	X(MOVED, "moved", "a recipient went from one state to another")                            \
	X(TICK, "tick", "time has passed")                                                         \
	X(PAUSE, "pause", "a person stops admissions")                                             \
	X(RESUME, "resume", "a person lets admissions go on")                                      \
	X(HALT, "halt", "a person stops it for good, devices keep what they have")                 \
	X(ROLL_BACK, "rollback", "a person orders everyone back who has or is getting it")         \
	X(APPROVE, "approve", "a person lets a wave that is on hold open")                         \
	X(BREAK_GLASS, "break_glass", "a person lets devices be admitted in spite of this freeze") \
	X(CONTROL, "control", "a device of the control group was heard: its watch tripped or not") \
	X(JOIN, "join", "a device that fits since the start takes part, in the last wave")         \
	X(PROMOTE, "promote", "a person lets the next wave open now, and a second one agrees")     \
	X(REVOKE, "revoke", "a person halts it; those that have not switched stay as they are")    \
	X(ROLL_BACK_ALL, "rollback_all",                                                           \
		"a person orders everyone back who has the release, from whatever campaign")

enum wave_ev_kind {
#define X(id, ...) WEV_##id,
	WAVE_EVENT_TABLE(X)
#undef X
		WEV_MAX
};

struct wave_counts {
	uint32_t n[RECIPIENT_STATE_MAX];
};

/* For what a campaign is on hold. All but the first are guardrails that fail: to go on all the same
 * takes two people, each with a reason. */
#define WAVE_HOLD_TABLE(X)                                                                         \
	X(APPROVAL, "approval")                                                                    \
	X(JUDGE, "judge")                                                                          \
	X(FLOOR, "floor")                                                                          \
	X(RATIO, "ratio")                                                                          \
	X(LADDER, "ladder")

enum wave_hold {
	WAVE_NO_HOLD,
#define X(id, ...) WAVE_HOLD_##id,
	WAVE_HOLD_TABLE(X)
#undef X
		WAVE_HOLD_MAX
};

struct wave_state {
	uint64_t rev; /* grows by one with every change */
	enum wave_phase phase;
	bool paused;
	unsigned wave;             /* index into the policy's waves */
	uint32_t recipients;       /* frozen at start */
	uint32_t open_to;          /* positions below this one may be admitted */
	uint32_t committed_before; /* how many had committed when the present wave opened */
	ms_t since;                /* wall clock of the last change of phase or wave */
	ms_t quiet_since;          /* wall clock of the last thing that moved */
	ms_t wake_at;              /* when a TICK will change something; 0: never by itself */
	struct wave_counts all;    /* over all recipients */
	enum wave_hold hold;       /* HOLD: for what */
	char agreed[ID_TEXT_MAX];  /* HOLD for the judge: the first who wants to go on */
	uint32_t extended;         /* how often the present wave's soak was */
	ms_t next_at;              /* nobody is admitted before: the wave's rate */
	ms_t thawed;               /* freezes up to here are broken */
	struct judge_state judge;  /* zero where the policy has none */
	uint32_t end[LIMIT_WAVES]; /* first position after each wave; frozen at start */
	unsigned strata;           /* in which devices are judged by themselves; frozen at start */
	ms_t opened;               /* wall clock: when the present wave opened */
	uint32_t admitted_before;  /* how many had been admitted when it opened */
	/* the control group: positions in [control_from, control_to) */
	uint32_t control_from, control_to;
	uint32_t control_heard; /* of them, in the first turn of the present wave */
	bool control_released;  /* they may be admitted: nobody is left to compare with */
	uint32_t turn;          /* grows whenever the group is to be heard anew */
	ms_t asked;             /* wall clock: since then */
	uint32_t heard_before;  /* devices that had ended and were heard, when the wave opened */
	enum policy_rung rung;  /* of the ladder, on which it stands */
	uint32_t forgiven;      /* failures that people have seen and gone on after */
	enum wave_phase resume; /* HOLD: the phase to go on in; DRAFT: the next wave opens */
	uint64_t passed;        /* a bit for each guardrail that people overruled in this wave */
	char why[LIMIT_TEXT];   /* what led to the present phase, for people */
};

struct wave_event {
	enum wave_ev_kind kind;
	ms_t now;
	uint32_t recipients;          /* START */
	unsigned strata;              /* START; 0: one */
	unsigned n_ends;              /* START; 0: the policy's shares say where waves end */
	uint32_t end[LIMIT_WAVES];    /* START: first position after each wave */
	uint32_t position;            /* ASK, MOVED, CONTROL: cohort position of the device */
	unsigned stratum;             /* ASK, MOVED, CONTROL: of the device */
	bool bad;                     /* CONTROL: its watch has tripped */
	enum recipient_state was, is; /* MOVED: recipient_may_move(was, is) holds */
	char who[ID_TEXT_MAX];        /* device, or the person that ordered */
	char text[LIMIT_TEXT];        /* MOVED: the device's own sentence; orders: the reason */
};

enum wave_act_kind {
	WACT_ADMIT,         /* the device that asked; it is counted as ADMITTED already */
	WACT_REVOKE,        /* whoever is ADMITTED and has not switched shall stay as it is */
	WACT_ROLL_BACK_ALL, /* the same for every other campaign with this release */
	WACT_FREEZE,        /* no campaign for the product starts until a person allows it */
	WACT_ROLL_BACK, /* everyone ADMITTED, COMMITTED or SILENT; counted as ORDERED_BACK already
			 */
	WACT_AUDIT      /* a sentence for people */
};

struct wave_act {
	enum wave_act_kind kind;
	char text[2 * LIMIT_TEXT];
};

struct wave_acts {
	unsigned n;
	struct wave_act v[12];
};

void wave_init(struct wave_state *s);

/* PURE. An ASK that may not be admitted, a TICK that is too early and an order that has been obeyed
 * already give no action and leave the revision. ERR_CONFLICT when an order does not fit the phase;
 * ERR_BUG when the event cannot be or a law would be broken. */
int wave_step(const struct policy *p, const struct wave_state *now, const struct wave_event *ev,
	struct wave_state *next, struct wave_acts *acts, struct err *e) MUST_CHECK;

/* Would an ASK from this position be admitted? The same rule as in the step, for the hot path. */
bool wave_admits(const struct policy *p, const struct wave_state *s, uint32_t position, ms_t now);

/* Does a freeze keep everybody out? *out_until is its end, *out_which its index. */
bool wave_is_frozen(const struct policy *p, const struct wave_state *s, ms_t now,
	unsigned *out_which, ms_t *out_until);

/* How long a device of this wave may be silent. */
ms_t wave_silence(const struct policy *p, unsigned wave);

/* The judge's rule as a policy states it, for a campaign that has started. */
void wave_judge_rule(const struct policy *p, const struct wave_state *s, struct judge_rule *out);

/* First position that does not belong to waves 0..wave any more, by the policy's counts and shares
 * alone; what a campaign has frozen is in its state. */
uint32_t wave_end(const struct policy *p, uint32_t recipients, unsigned wave);
/* Which of n recipients, in their stable order, belong to which wave: bit w of fits[i] says that
 * wave w may have recipient i. Each wave takes the first that fit and that no wave before it has
 * taken, as many as the policy says; the last takes all that fit. out_wave[i] is LIMIT_WAVES when
 * none takes it. out_end[w] is the first position after wave w. */
void wave_allot(const struct policy *p, const uint16_t *fits, uint32_t n, uint8_t *out_wave,
	uint32_t out_end[LIMIT_WAVES]);
/* The wave of a position in a campaign that has started. */
unsigned wave_of(const struct policy *p, const struct wave_state *s, uint32_t position);

/* How many of so many recipients are compared with, by the policy's counts and shares alone. */
uint32_t wave_control_size(const struct policy *p, uint32_t recipients);
/* Is this position one to compare with, at present? */
bool wave_is_control(const struct wave_state *s, uint32_t position);

/* What a state holds beyond the columns of its row, as whole numbers separated by blanks, and back.
 * An empty text is that of a campaign from before: its waves end where the policy says.
 * ERR_BAD_INPUT. */
void wave_more_encode(const struct policy *p, const struct wave_state *s, struct buf *out);
int wave_more_decode(
	const struct policy *p, struct str text, struct wave_state *s, struct err *e) MUST_CHECK;

const char *wave_phase_name(enum wave_phase p);
/* WAVE_PHASE_MAX, RECIPIENT_STATE_MAX, WEV_MAX when there is no such name. */
enum wave_phase wave_phase_by_name(const char *name);
/* "" for none. */
const char *wave_hold_name(enum wave_hold h);
const char *wave_event_name(enum wave_ev_kind k);
enum wave_ev_kind wave_event_by_name(const char *name);
bool wave_is_over(enum wave_phase p);

const char *recipient_state_name(enum recipient_state s);
enum recipient_state recipient_state_by_name(const char *name);
/* The moves that a device's own reports, or its silence, can make. */
bool recipient_may_move(enum recipient_state was, enum recipient_state is);
/* Told something and expected to answer within the silence deadline. */
bool recipient_is_due(enum recipient_state s);

#endif
