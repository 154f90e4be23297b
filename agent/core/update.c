#include "agent/core/update.h"

#include <assert.h>
#include <string.h>

#include "agent/core/update_priv.h"

static const struct {
	const char *name, *text;
	enum upd_act_kind act;
} states[] = {
#define X(id, name, runs, act, text) {name, text, UACT_##act},
	UPD_STATES(X)
#undef X
};

enum event_kind { EVENT_ORDER, EVENT_ANSWER, EVENT_FACT };
enum event_look { EVENT_NO_LOOK, EVENT_LOOK };

static const struct {
	const char *name;
	enum event_kind kind;
	enum event_look look;
} events[] = {
#define X(id, name, kind, look, text) {name, EVENT_##kind, EVENT_##look},
	UPD_EVENTS(X)
#undef X
};

static const char *const acts_names[] = {
#define X(id, name, text) name,
	UPD_ACTIONS(X)
#undef X
};

/* A late answer about an update that has ended must not move the present one. */
static bool is_about_another(const struct upd_record *now, const struct upd_event *ev)
{
	return events[ev->kind].kind == EVENT_ANSWER &&
	       memcmp(&ev->txn, &now->txn, sizeof ev->txn) != 0;
}

int upd_step(const struct upd_record *now, const struct upd_event *ev, struct upd_record *next,
	struct upd_acts *acts, struct err *e)
{
	struct upd_record r = *now;
	struct upd_acts a = {0};
	struct step s = {.now = now, .ev = ev, .next = &r, .acts = &a};

	assert(now->state < UPD_STATE_MAX && ev->kind < UEV_MAX);
	if (!is_about_another(now, ev))
		cells_at(now->state, ev->kind)(&s);
	TRY(laws_check(&s, e));
	*next = r;
	*acts = a;
	return 0;
}

void upd_record_init(struct upd_record *r)
{
	memset(r, 0, sizeof *r);
	r->slot_old = SLOT_NONE;
	r->slot_new = SLOT_NONE;
	r->cause = TRIG_TYPE_MAX;
}

enum upd_act_kind upd_act_of(enum upd_state s)
{
	return states[s].act;
}

const char *upd_state_name(enum upd_state s)
{
	return s < UPD_STATE_MAX ? states[s].name : "?";
}

const char *upd_state_text(enum upd_state s)
{
	return s < UPD_STATE_MAX ? states[s].text : "?";
}

const char *upd_event_name(enum upd_ev ev)
{
	return ev < UEV_MAX ? events[ev].name : "?";
}

const char *upd_act_name(enum upd_act_kind a)
{
	return a < UACT_KIND_MAX ? acts_names[a] : "?";
}

bool upd_event_looks(enum upd_ev ev)
{
	return ev < UEV_MAX && events[ev].look == EVENT_LOOK;
}

bool upd_is_busy(enum upd_state s)
{
	return s != UPD_IDLE && s != UPD_STUCK;
}

/* Whoever stands between the device and its server can withhold bytes or change them, and so make
 * an archive that no device takes: it is taken apart before its last byte shows whose it is. */
static bool may_be_done_by_others(enum err_code why)
{
	static const enum err_code codes[] = {ERR_ALTERED, ERR_NOT_FOUND, ERR_BAD_INPUT, ERR_DENIED,
		ERR_TOO_LARGE, ERR_CONFLICT, ERR_CONFIG};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i] == why)
			return true;
	return false;
}

bool upd_is_blamed(const struct upd_record *r)
{
	if (r->why == ERR_OK || r->why == ERR_SUPERSEDED || r->why == ERR_UNSUPPORTED)
		return false;
	if (r->cause != TRIG_TYPE_MAX)
		return true;
	return err_retry(r->why) == ERR_RETRY_NEVER && !may_be_done_by_others(r->why);
}
