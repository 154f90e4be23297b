/* The decision at power-up, as patterns over what is seen. */
#include "agent/core/update_priv.h"

/* What the boot layer says. */
#define OLD    0x01U /* the old slot is active and confirmed */
#define TRIAL  0x02U /* the new slot is active, the old one confirmed */
#define NEW    0x04U /* the new slot is active and confirmed */
#define ODD    0x08U /* anything else: nobody of us did that */
#define ON_NEW (TRIAL | NEW)
#define ANY    0xffU

/* What the workload runs from. */
#define RUNS_NEW  0x01U
#define RUNS_OLD  0x02U
#define RUNS_NOT  0x04U
#define RUNS_SOME 0x08U /* it runs, nobody can tell from where */
#define UP_NEW    0x10U /* it does not run yet, and the machine was started from the new slot */
#define IN_NEW    (RUNS_NEW | UP_NEW)

#define FELL 0x01U /* a boot loader gave the new slot up */
#define HELD 0x02U
#define LOST 0x04U /* starts were lost that nothing speaks against the new slot for */

#define S(id)   (1U << UPD_##id)
#define WAITING (S(IDLE) | S(STUCK))
#define BEFORE  (S(ACCEPTED) | S(STAGING) | S(SEALED) | S(READY))
#define STARTED (S(STARTING) | S(SOAKING) | S(COMMITTING))
#define ENDED   (S(COMMITTED) | S(REVERTED) | S(FAILED))

#define NO_FAULT                                                                                   \
	{                                                                                          \
		ERR_OK, TRIG_TYPE_MAX, NULL                                                        \
	}
#define FELL_BACK                                                                                  \
	{                                                                                          \
		ERR_FELL_BACK, TRIG_START_FAILED, "the system came up in the old slot"             \
	}
#define GIVEN_UP                                                                                   \
	{                                                                                          \
		ERR_FELL_BACK, TRIG_BOOT_FAILED, "the boot loader gave the new slot up"            \
	}

/* What a boot loader has given up is still the old slot's by its count only: going back says so in
 * the agent's own words, before anything may be written into the other slot. */

/* clang-format off */
static const struct row {
	unsigned states, boot, runs, fell;
	struct boot_plan plan;
} rows[] = {
	/* first match wins */
	{WAITING,       ANY,    ANY,      ANY,  {BOOT_STAY,  UPD_IDLE,      NO_FAULT}},
	{BEFORE,        ANY,    IN_NEW,   ANY,  {BOOT_GOTO,  UPD_REVERTING,
		{ERR_NEED_HAND, TRIG_TYPE_MAX, "the workload runs from the slot to be written"}}},
	{BEFORE,        OLD,    ANY,      ANY,  {BOOT_AGAIN, UPD_IDLE,      NO_FAULT}},
	{BEFORE,        ANY,    ANY,      ANY,  {BOOT_GOTO,  UPD_REVERTING,
		{ERR_NEED_HAND, TRIG_TYPE_MAX, "the active slot was changed behind the agent's back"}}},
	{S(SWITCHING),  ON_NEW, ANY,      ANY,  {BOOT_GOTO,  UPD_STARTING,  NO_FAULT}},
	{S(SWITCHING),  OLD,    ANY,      FELL, {BOOT_GOTO,  UPD_REVERTING, GIVEN_UP}},
	{S(SWITCHING),  OLD,    ANY,      HELD, {BOOT_RETRY, UPD_FAILED,
		{ERR_TIMEOUT, TRIG_TYPE_MAX, "the power went away at every try to switch"}}},
	{S(SWITCHING),  ANY,    ANY,      ANY,  {BOOT_GOTO,  UPD_REVERTING,
		{ERR_NEED_HAND, TRIG_TYPE_MAX, "the active slot was changed behind the agent's back"}}},
	{STARTED,       OLD,    ANY,      FELL, {BOOT_GOTO,  UPD_REVERTING, GIVEN_UP}},
	{STARTED,       OLD,    RUNS_OLD, HELD, {BOOT_GOTO,  UPD_REVERTED,  FELL_BACK}},
	{STARTED,       OLD|ODD, ANY,     ANY,  {BOOT_GOTO,  UPD_REVERTING, FELL_BACK}},
	{S(STARTING) | S(SOAKING),
			TRIAL,  IN_NEW,   LOST, {BOOT_REARM, UPD_SWITCHING, NO_FAULT}},
	{S(STARTING),   ON_NEW, IN_NEW,   ANY,  {BOOT_AGAIN, UPD_IDLE,      NO_FAULT}},
	{S(STARTING),   ON_NEW, RUNS_OLD, ANY,  {BOOT_RETRY, UPD_REVERTING,
		{ERR_TIMEOUT, TRIG_TYPE_MAX, "the old version ran on, at every try to start the new one"}}},
	{S(STARTING),   ON_NEW, ANY,      ANY,  {BOOT_RETRY, UPD_REVERTING,
		{ERR_START_FAILED, TRIG_START_FAILED, "the new version did not come up, at every try"}}},
	{S(SOAKING),    ON_NEW, RUNS_NEW, ANY,  {BOOT_AGAIN, UPD_IDLE,      NO_FAULT}},
	{S(SOAKING),    ON_NEW, ANY,      ANY,  {BOOT_GOTO,  UPD_STARTING,  NO_FAULT}},
	{S(COMMITTING), ON_NEW, ANY,      ANY,  {BOOT_AGAIN, UPD_IDLE,      NO_FAULT}},
	{S(REVERTING),  ANY,    ANY,      ANY,  {BOOT_AGAIN, UPD_IDLE,      NO_FAULT}},
	{S(RESTORING),  OLD,    RUNS_OLD, ANY,  {BOOT_GOTO,  UPD_REVERTED,  NO_FAULT}},
	{S(RESTORING),  OLD,    ANY,      ANY,  {BOOT_AGAIN, UPD_IDLE,      NO_FAULT}},
	{S(RESTORING),  ANY,    ANY,      ANY,  {BOOT_GOTO,  UPD_REVERTING, NO_FAULT}},
	{ENDED,         ANY,    ANY,      ANY,  {BOOT_AGAIN, UPD_IDLE,      NO_FAULT}},
};
/* clang-format on */

bool boot_is_old(const struct upd_record *r, const struct upd_event *ev)
{
	return ev->looked && ev->boot.active == r->slot_old && ev->boot.confirmed == r->slot_old;
}

bool boot_is_new(const struct upd_record *r, const struct upd_event *ev)
{
	return ev->looked && ev->boot.active == r->slot_new && ev->boot.confirmed == r->slot_new;
}

bool boot_is_on_trial(const struct upd_record *r, const struct upd_event *ev)
{
	return ev->looked && ev->boot.active == r->slot_new;
}

bool svc_runs_new(const struct upd_record *r, const struct upd_event *ev)
{
	return ev->looked && ev->svc.alive &&
	       (ev->svc.slot == r->slot_new || ev->svc.slot == SLOT_NONE);
}

static unsigned boot_seen(const struct upd_record *r, const struct upd_event *ev)
{
	if (boot_is_old(r, ev))
		return OLD;
	if (boot_is_new(r, ev))
		return NEW;
	return boot_is_on_trial(r, ev) && ev->boot.confirmed == r->slot_old ? TRIAL : ODD;
}

/* A workload that cannot be placed came up from the active slot if the machine was started since
 * the record, or if the record says that its start was seen. */
static unsigned unplaced(const struct upd_record *r, const struct upd_event *ev)
{
	if (r->boot_id == ev->boot_id && r->state != UPD_SOAKING && r->state != UPD_COMMITTING)
		return RUNS_SOME;
	if (ev->boot.active == r->slot_new)
		return RUNS_NEW;
	if (ev->boot.active == SLOT_NONE)
		return RUNS_SOME;
	return ev->boot.active == r->slot_old ? RUNS_OLD : RUNS_SOME;
}

static unsigned runs_seen(const struct upd_record *r, const struct upd_event *ev)
{
	if (!ev->svc.alive)
		return ev->svc.slot == r->slot_new ? UP_NEW : RUNS_NOT;
	if (ev->svc.slot == SLOT_NONE)
		return unplaced(r, ev);
	return ev->svc.slot == r->slot_new ? RUNS_NEW : RUNS_OLD;
}

/* A power cut costs a try like a crash does. One start is what a trial takes; what was used beyond
 * that is granted again if the slot has come up after all and there is no record of a crash. */
static bool has_lost_tries(const struct upd_record *r, const struct upd_event *ev)
{
	return ev->boot.counts && ev->boot.tries_left + 1 < UPD_TRIES && !ev->boot.crashed &&
	       r->rearms < UPD_REARM_MAX;
}

const struct boot_plan *boot_plan_eval(const struct upd_record *r, const struct upd_event *ev)
{
	unsigned boot = boot_seen(r, ev), runs = runs_seen(r, ev);
	unsigned fell = (ev->boot.fell_back ? FELL : HELD) | (has_lost_tries(r, ev) ? LOST : 0);
	const struct row *row = rows;

	while (!(row->states & 1U << r->state && row->boot & boot && row->runs & runs &&
		 row->fell & fell))
		row++;
	return &row->plan;
}
