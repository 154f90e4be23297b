/* What the agent promises while an update is on trial: a sign of life, and a decision. Somebody
 * outside holds it to that, because a dead agent cannot: the dead-man (agent/deadman) where a boot
 * loader counts, and `backstay-agent --rescue` where the machine is up. */
#ifndef AGENT_CORE_PROMISE_H
#define AGENT_CORE_PROMISE_H

#include "agent/core/update.h"

struct promise {
	bool on_trial;
	ms_t message_in;  /* the next sign of life comes within */
	ms_t decision_in; /* the update is over within, one way or the other */
};

/* PURE. `lost` is how long the agent may be silent. A good update takes far less than is promised;
 * one that takes more is not being decided. Without a trial both times are 0. */
void promise_eval(const struct upd_record *r, ms_t lost, struct promise *out);
/* How often it is to be renewed. */
ms_t promise_every(const struct promise *p);
/* How long a soak may take that has so much left to do, in time during which the agent could look:
 * less than what is promised, so that the agent ends it first. */
ms_t promise_patience(ms_t soak_left, ms_t lost);

/* ---- the note that is left for the rescue, as long as the machine is up ---- */

/* Points in time are milliseconds since the machine's start, without those during which it was
 * suspended: a night's sleep is held against nobody. */
struct promise_note {
	struct txn_id txn;
	uint64_t pid, start; /* who promised: lib/sys/proc.h */
	ms_t message_due, decision_due;
};

#define PROMISE_NOTE_MAX 160

/* PURE. `before` is the note so far, or NULL. A decision about the same update is never put off,
 * not by another agent either. */
void promise_note(const struct promise *p, const struct txn_id *txn, ms_t awake,
	const struct promise_note *before, struct promise_note *out);
/* One line; returns out. */
const char *promise_format(const struct promise_note *n, char out[PROMISE_NOTE_MAX]);
int promise_parse(struct str line, struct promise_note *out, struct err *e) MUST_CHECK;

enum promise_fault { PROMISE_KEPT, PROMISE_SILENT, PROMISE_UNDECIDED };

/* PURE. Is the promise broken? Without a note of this update (NULL, or of another one) the machine
 * was started since, and the agent has as long as it may be silent to come up. */
enum promise_fault promise_look(
	const struct upd_record *r, const struct promise_note *n, ms_t awake, ms_t lost);
const char *promise_fault_text(enum promise_fault f);

/* PURE. What takes back an update that somebody else must end: UEV_MAX when it is on its way back
 * already, or over. */
enum upd_ev promise_rescue(enum upd_state s);

#endif
