/* The wave engine: a campaign's decisions as one pure step. It holds counts, not devices: which
 * device comes next is a stable position (cohort.h), so every repeat after a crash picks the same
 * ones.
 *
 *   DRAFT --start--> FIRST --first one committed--> OPEN --all of the wave ended--> SOAK --> (next
 * wave: OPEN | DONE) |                             |                               |
 *                      +---- failures > max ---------+-------------------------------+--->
 * ROLLING_BACK --> HALTED pause / resume stop and go on with admissions anywhere before an end;
 * halt and rollback are a person's orders.
 *
 * Laws: admitted <= the wave's share at every instant; nothing is admitted while paused, halted or
 * rolling back; silence counts against, never for; HALTED is left only by a person; replaying the
 * events gives the same states and actions. */
#ifndef SERVER_CORE_WAVE_H
#define SERVER_CORE_WAVE_H

#include "lib/id.h"
#include "proto/wire/policy.h"

/*  id, name, what it means */
#define WAVE_PHASE_TABLE(X)                                                                        \
	X(DRAFT, "draft", "made, not started")                                                     \
	X(FIRST, "first", "the first device alone has the release")                                \
	X(OPEN, "open", "devices of the wave are admitted as they ask")                            \
	X(SOAK, "soak", "all devices of the wave have ended; watching before the next wave")       \
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
	X(FAILED, "failed", "gave up before the switch, or refused the desired state")             \
	X(SILENT, "silent", "was admitted and has not been heard of since")                        \
	X(ORDERED_BACK, "ordered_back", "has been ordered to go back")                             \
	X(BACK, "back", "is back on what it ran before")

enum recipient_state {
#define X(id, ...) RECIPIENT_##id,
	RECIPIENT_STATE_TABLE(X)
#undef X
		RECIPIENT_STATE_MAX
};

struct wave_counts {
	uint32_t n[RECIPIENT_STATE_MAX];
};

struct wave_state {
	uint64_t rev; /* grows with every change */
	enum wave_phase phase;
	bool paused;
	unsigned wave;          /* index into the policy's waves */
	uint32_t recipients;    /* frozen at start */
	uint32_t open_to;       /* positions below this one may be admitted */
	ms_t since;             /* wall clock of the last change of phase */
	struct wave_counts all; /* over all recipients */
	char why[LIMIT_TEXT];   /* what led to the present phase, for people */
};

enum wave_ev_kind {
	WEV_START,
	WEV_ASK,
	WEV_MOVED,
	WEV_TICK,
	WEV_PAUSE,
	WEV_RESUME,
	WEV_HALT,
	WEV_ROLL_BACK,
	WEV_MAX
};

struct wave_event {
	enum wave_ev_kind kind;
	ms_t now;
	uint32_t recipients;          /* START */
	uint32_t position;            /* ASK, MOVED: cohort position of the device */
	enum recipient_state was, is; /* MOVED: a recipient went from one state to another */
	char who[ID_TEXT_MAX];        /* device, or the person that ordered */
	char text[LIMIT_TEXT];        /* MOVED: the device's own sentence; orders: the reason */
};

enum wave_act_kind { WACT_ADMIT, WACT_ROLL_BACK, WACT_AUDIT, WACT_WAKE_AT };

struct wave_act {
	enum wave_act_kind kind; /* ADMIT: the device that asked; ROLL_BACK: every recipient that
				    has or is getting the release */
	ms_t at;
	char text[2 * LIMIT_TEXT]; /* AUDIT: a sentence for people */
};

struct wave_acts {
	unsigned n;
	struct wave_act v[6];
};

/* PURE. An ASK that may not be admitted gives no ADMIT (and changes nothing). ERR_CONFLICT when an
 * order does not fit the phase; ERR_BUG when a law would be broken. */
int wave_step(const struct policy *p, const struct wave_state *now, const struct wave_event *ev,
	struct wave_state *next, struct wave_acts *acts, struct err *e) MUST_CHECK;

void wave_init(struct wave_state *s);

/* First position that does not belong to waves 0..wave any more. */
uint32_t wave_end(const struct policy *p, uint32_t recipients, unsigned wave);
unsigned wave_of(const struct policy *p, uint32_t recipients, uint32_t position);

const char *wave_phase_name(enum wave_phase p);
const char *recipient_state_name(enum recipient_state s);
bool wave_is_over(enum wave_phase p);

#endif
