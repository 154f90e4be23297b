/* What must hold after every step, whatever the handlers do. */
#include <string.h>

#include "agent/core/record.h"
#include "agent/core/update_priv.h"

#define S(id)  (1U << UPD_##id)
#define REVERT S(REVERTING)

/* Where a step may lead, besides staying. */
static const unsigned moves[UPD_STATE_MAX] = {
	[UPD_IDLE] = S(ACCEPTED),
	[UPD_ACCEPTED] = S(STAGING) | S(FAILED) | REVERT,
	[UPD_STAGING] = S(SEALED) | S(FAILED) | REVERT,
	[UPD_SEALED] = S(READY) | S(FAILED) | REVERT,
	[UPD_READY] = S(SWITCHING) | S(FAILED) | REVERT,
	[UPD_SWITCHING] = S(STARTING) | S(FAILED) | S(REVERTED) | REVERT,
	[UPD_STARTING] = S(SOAKING) | S(SWITCHING) | S(REVERTED) | REVERT,
	[UPD_SOAKING] = S(COMMITTING) | S(STARTING) | S(SWITCHING) | S(REVERTED) | REVERT,
	[UPD_COMMITTING] = S(COMMITTED) | S(REVERTED) | REVERT,
	[UPD_COMMITTED] = S(IDLE),
	[UPD_REVERTING] = S(RESTORING) | S(STUCK),
	[UPD_RESTORING] = S(REVERTED) | S(STUCK) | REVERT,
	[UPD_REVERTED] = S(IDLE),
	[UPD_FAILED] = S(IDLE),
	[UPD_STUCK] = S(IDLE),
};

#define SEALED_ON                                                                                  \
	(S(SEALED) | S(READY) | S(SWITCHING) | S(STARTING) | S(SOAKING) | S(COMMITTING) |          \
		S(COMMITTED))
#define ENDED_BAD (S(REVERTING) | S(RESTORING) | S(REVERTED) | S(FAILED) | S(STUCK))

static bool is_in(unsigned set, const struct upd_record *r)
{
	return set & 1U << r->state;
}

bool laws_is_move(enum upd_state from, enum upd_state to)
{
	return from == to || moves[from] & 1U << to;
}

static int broken(const struct step *s, struct err *e, const char *law)
{
	return err_set(e, ERR_BUG, "update machine, %s in %s: %s", upd_event_name(s->ev->kind),
		upd_state_name(s->now->state), law);
}

static bool is_same_update(const struct upd_record *a, const struct upd_record *b)
{
	return memcmp(&a->txn, &b->txn, sizeof a->txn) == 0 && a->slot_old == b->slot_old &&
	       a->slot_new == b->slot_new && sha256_eq(&a->goal.document, &b->goal.document);
}

/* What counts is what the journal would hold. */
static bool is_changed(const struct upd_record *a, const struct upd_record *b)
{
	BUF_AUTO was = {0};
	BUF_AUTO is = {0};

	record_encode(a, &was);
	record_encode(b, &is);
	return !str_eq(buf_str(&was), buf_str(&is));
}

static int check_shape(const struct step *s, struct err *e)
{
	const struct upd_record *now = s->now, *next = s->next;
	if (!laws_is_move(now->state, next->state))
		return broken(s, e, "a move that is not in the table");
	if (!s->acts->save && is_changed(now, next))
		return broken(s, e, "a change that would not be saved");
	if (is_in(S(IDLE), next) || is_in(S(IDLE), now))
		return 0;
	if (!is_same_update(now, next))
		return broken(s, e, "one update has become another");
	if (next->slot_new >= SLOT_COUNT || next->slot_new == next->slot_old)
		return broken(s, e, "no slot for the new release");
	if (is_in(ENDED_BAD, next) && next->why == ERR_OK)
		return broken(s, e, "it ends without a reason");
	return 0;
}

/* 1: nothing but a sealed slot is made active, and only the old one on the way back. */
static int check_active(const struct step *s, const struct upd_act *a, struct err *e)
{
	const struct upd_record *next = s->next;

	switch (a->kind) {
	case UACT_TRY_NEXT:
	case UACT_APPLY:
	case UACT_CONFIRM:
		if (a->slot != next->slot_new || sha256_is_zero(&next->content))
			return broken(s, e, "law 1: a slot that is not sealed would become active");
		return 0;
	case UACT_GO_BACK:
	case UACT_RESTORE:
		if (a->slot != next->slot_old)
			return broken(s, e, "law 1: the way back does not lead to the old slot");
		return 0;
	default:
		return 0;
	}
}

/* 2: what is written is neither active nor running. */
static int check_written(const struct step *s, const struct upd_act *a, struct err *e)
{
	const struct upd_event *ev = s->ev;

	if (a->kind != UACT_STAGE)
		return 0;
	if (a->slot != s->next->slot_new || a->slot == s->next->slot_old)
		return broken(s, e, "law 2: the old slot would be written");
	if (!upd_event_looks(ev->kind) || !ev->looked)
		return 0;
	if (a->slot == ev->boot.active || a->slot == ev->svc.slot)
		return broken(s, e, "law 2: a slot in use would be written");
	return 0;
}

/* Besides the action that the state stands for, only what moves nothing. */
static int check_acts(const struct step *s, struct err *e)
{
	for (unsigned i = 0; i < s->acts->n; i++) {
		const struct upd_act *a = &s->acts->v[i];
		bool plain =
			a->kind == UACT_STOP || a->kind == UACT_WAKE_AT || a->kind == UACT_REPORT;

		if (!plain && a->kind != upd_act_of(s->next->state))
			return broken(s, e, "an action that is not the state's");
		TRY(check_active(s, a, e));
		TRY(check_written(s, a, e));
	}
	return 0;
}

/* 3: an end is only said when it was seen. FAILED before the switch needs no look: nothing has
 * moved the boot layer since the update began. */
static int check_end(const struct step *s, struct err *e)
{
	const struct upd_record *now = s->now, *next = s->next;

	if (now->state == next->state)
		return 0;
	if (is_in(S(COMMITTED), next) && !boot_is_new(next, s->ev))
		return broken(s, e, "law 3: committed off the new slot");
	if (is_in(S(REVERTED), next) && !boot_is_old(next, s->ev))
		return broken(s, e, "law 3: reverted off the old slot");
	if (is_in(S(FAILED), next) && is_in(S(SWITCHING), now) && !boot_is_old(next, s->ev))
		return broken(s, e, "law 3: failed off the old slot");
	if (is_in(SEALED_ON, next) && sha256_is_zero(&next->content))
		return broken(s, e, "law 3: goes on without a sealed slot");
	if (is_in(S(COMMITTING), next) && next->soak_done < next->soak_want)
		return broken(s, e, "law 3: would confirm before the soak is over");
	return 0;
}

/* 4: the floor rises with the commit, in the same record, and at no other time. */
static int check_floor(const struct step *s, struct err *e)
{
	bool commits = is_in(S(COMMITTED), s->next) && is_in(S(COMMITTING), s->now);

	if (s->next->counter_floor < s->now->counter_floor)
		return broken(s, e, "law 4: the floor sinks");
	if (s->next->counter_floor > s->now->counter_floor && !commits)
		return broken(s, e, "law 4: the floor rises before the commit");
	return 0;
}

int laws_check(const struct step *s, struct err *e)
{
	TRY(check_shape(s, e));
	TRY(check_acts(s, e));
	TRY(check_end(s, e));
	return check_floor(s, e);
}
