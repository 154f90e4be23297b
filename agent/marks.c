/* What the field's verbs mean here: good, bad, active. They are orders to the update machine, which
 * keeps its laws; what it would not do is refused with the reason. */
#include "agent/agent_priv.h"

#include <string.h>

/* ---- the other slot ---- */

int marks_go_to_other(struct agent *a, struct err *e)
{
	struct upd_event ev = {.kind = UEV_DESIRED, .ok = true};
	const struct slot_view *other;
	const struct quarantine_entry *q;

	if (a->boot.active >= SLOT_COUNT)
		return err_set(e, ERR_CONFLICT, "nothing was ever installed");
	agent_see_slots(a);
	other = &a->slot[slot_other(a->boot.active)];
	if (other->mark != SLOT_VALID)
		return err_set(e, ERR_CONFLICT, "slot %s holds nothing to go back to",
			slot_name(slot_other(a->boot.active)));
	if (sha256_eq(&other->document, &agent_running(a)->document))
		return err_set(e, ERR_CONFLICT, "both slots hold %s", other->release.s);
	q = quarantine_find(&a->quarantine, &other->document, agent_wall(a));
	if (q)
		return err_set(e, ERR_QUARANTINED, "%s: %s", q->release.s, q->text);
	ev.goal.release = other->release;
	ev.goal.document = other->document;
	ev.goal.director_version = a->rec.director_seen;
	ev.goal.rollback = true;
	agent_new_txn(a, &ev.txn);
	work_look_then_post(a, &ev);
	return 0;
}

static bool is_called(const struct agent *a, unsigned slot, const char *name)
{
	return strcmp(name, slot_name(slot)) == 0 ||
	       (name[0] && strcmp(name, status_bootname(a, slot)) == 0);
}

/* "a", "b", or as the boot loader calls them; without one the slot that starts next. */
static int read_slot(
	struct agent *a, const json_t *request, bool needed, unsigned *out, struct err *e)
{
	char name[ID_TEXT_MAX] = "";

	TRY((needed ? json_text : json_text_opt)(request, "request", "slot", name, sizeof name, e));
	if (!name[0] && a->boot.active >= SLOT_COUNT)
		return err_set(e, ERR_CONFLICT, "nothing was ever installed");
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		if (name[0] ? is_called(a, i, name) : i == a->boot.active) {
			*out = i;
			return 0;
		}
	return err_set(e, ERR_NOT_FOUND, "there is no slot \"%s\"", name);
}

static int not_now(const struct agent *a, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "not while the update to %s is %s", a->rec.goal.release.s,
		upd_state_name(a->rec.state));
}

static bool is_on_trial(const struct agent *a)
{
	return a->rec.state >= UPD_SWITCHING && a->rec.state <= UPD_SOAKING;
}

static void note(struct agent *a, const char *what, const char *reason)
{
	buf_addf(&a->notes, "%s: %s\n", what, reason);
}

static void post_order(struct agent *a, enum upd_ev kind, const char *reason)
{
	struct upd_event ev = {.kind = kind, .ok = true, .txn = a->rec.txn, .cause = TRIG_OPERATOR};

	(void)err_set(&ev.err, ERR_CANCELLED, "%s", reason);
	agent_post(a, &ev);
}

/* ---- good ---- */

int marks_good(struct agent *a, const json_t *request, const char **out_text, struct err *e)
{
	struct upd_event ev = {
		.kind = UEV_VOUCH, .ok = true, .txn = a->rec.txn, .soak_done = a->watch.soak_done};
	char reason[LIMIT_TEXT];
	unsigned slot;

	TRY(read_slot(a, request, false, &slot, e));
	TRY(answer_reason(request, reason, e));
	if (slot != a->boot.active)
		return err_set(e, ERR_CONFLICT, "slot %s does not run", slot_name(slot));
	if (a->rec.state == UPD_IDLE) {
		*out_text = "It is accepted already.";
		return 0;
	}
	if (a->rec.state != UPD_SOAKING)
		return not_now(a, e);
	note(a, "accepted by hand", reason);
	work_look_then_post(a, &ev);
	*out_text = "The new version is accepted if it runs. Next: backstay status";
	return 0;
}

/* ---- bad ---- */

static int running_is_bad(struct agent *a, const char *reason, const char **out_text, struct err *e)
{
	if (a->rec.state == UPD_IDLE) {
		TRY(marks_go_to_other(a, e));
		note(a, "marked bad by hand", reason);
	} else if (a->rec.state >= UPD_STARTING && a->rec.state <= UPD_COMMITTING) {
		post_order(a, UEV_TRIGGER, reason);
	} else {
		return not_now(a, e);
	}
	*out_text = "The device goes back. Next: backstay status --watch";
	return 0;
}

/* It is no way back any more. Nothing is written but its mark. */
static int other_is_bad(
	struct agent *a, unsigned slot, const char *reason, const char **out_text, struct err *e)
{
	if (a->rec.state != UPD_IDLE)
		return not_now(a, e);
	TRY(slots_driver(a->look_slots)->invalidate(a->look_slots, slot, e));
	agent_see_slots(a);
	note(a, slot ? "slot b marked bad by hand" : "slot a marked bad by hand", reason);
	*out_text = "The slot is invalid: it is no way back any more.";
	return 0;
}

int marks_bad(struct agent *a, const json_t *request, const char **out_text, struct err *e)
{
	char reason[LIMIT_TEXT];
	unsigned slot;

	TRY(read_slot(a, request, false, &slot, e));
	TRY(answer_reason(request, reason, e));
	return slot == a->boot.active ? running_is_bad(a, reason, out_text, e)
				      : other_is_bad(a, slot, reason, out_text, e);
}

/* ---- active ---- */

int marks_active(struct agent *a, const json_t *request, const char **out_text, struct err *e)
{
	char reason[LIMIT_TEXT];
	unsigned slot;

	TRY(read_slot(a, request, true, &slot, e));
	TRY(answer_reason(request, reason, e));
	*out_text = "The device switches. Next: backstay status --watch";
	if (slot == a->boot.active) {
		*out_text = "It is active already.";
		return 0;
	}
	if (is_on_trial(a) && slot == a->rec.slot_old) {
		post_order(a, UEV_CANCEL, reason);
		return 0;
	}
	if (a->rec.state != UPD_IDLE)
		return not_now(a, e);
	TRY(marks_go_to_other(a, e));
	note(a, "ordered to the other slot by hand", reason);
	return 0;
}
