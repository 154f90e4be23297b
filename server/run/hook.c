#include "server/run/hook.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/entropy.h"
#include "server/repo/hooks.h"
#include "server/repo/letters.h"

#define ID_BYTES 16

/* ---- whom to tell ---- */

struct audience {
	enum hook_event event;
	unsigned n;
	struct hook_row v[LIMIT_HOOKS];
};

static int look_at(void *ctx, const struct hook_row *h, struct err *e UNUSED)
{
	struct audience *a = ctx;
	uint64_t mask;

	if (h->kind < HOOK_KIND_MAX && hook_events_parse(str_of(h->events), &mask, NULL) == 0 &&
		hook_is_for(mask, a->event) && a->n < LIMIT_HOOKS)
		a->v[a->n++] = *h;
	return 0;
}

/* As the audit log has it: a character that was cut in two would be no JSON. */
static void tidy(const char *text, char *out, size_t cap)
{
	struct audit_row a = {.n = 0};

	snprintf(a.text, sizeof a.text, "%s", text);
	audit_row_tidy(&a);
	snprintf(out, cap, "%s", a.text);
}

static int write_event(struct run *r, const struct hook_fact *f, uint64_t *out_n, struct err *e)
{
	HOOK_EVENT_AUTO ev = {.type = f->event, .at = run_now(r)};
	uint8_t id[ID_BYTES];
	struct sha256 chain;

	entropy_fill(id, sizeof id);
	hex_encode(id, sizeof id, ev.id);
	snprintf(ev.campaign, sizeof ev.campaign, "%s", f->campaign ? f->campaign : "");
	snprintf(ev.device, sizeof ev.device, "%s", f->device ? f->device : "");
	tidy(f->text, ev.text, sizeof ev.text);
	if (f->data)
		json_canonical(f->data, &ev.data);
	TRY(audit_newest(r->c.db, &ev.audit, &chain, e));
	return letters_add_event(r->c.db, &ev, out_n, e);
}

/* A hook that nobody hears must not fill the disk: its oldest letters go, and are counted. */
static int write_letter(struct run *r, struct hook_row *h, uint64_t event, struct err *e)
{
	struct letter l = {.event = event, .due = run_now(r)};

	if (h->kept >= LIMIT_HOOK_LETTERS) {
		TRY(letters_drop_one(r->c.db, h->name, e));
		h->dropped++;
		h->kept--;
	}
	snprintf(l.hook, sizeof l.hook, "%s", h->name);
	h->kept++;
	TRY(letters_put(r->c.db, &l, e));
	return hooks_put(r->c.db, h, e);
}

static int tell(struct run *r, const struct hook_fact *f, struct audience *a, struct err *e)
{
	uint64_t event;

	a->event = f->event;
	TRY(hooks_each(r->c.db, look_at, a, e));
	if (!a->n)
		return 0;
	TRY(write_event(r, f, &event, e));
	for (unsigned i = 0; i < a->n; i++)
		TRY(write_letter(r, &a->v[i], event, e));
	return 0;
}

int hook_raise(struct run *r, const struct hook_fact *f, struct err *e)
{
	struct audience *a CLEANUP(mem_free) = mem_new(sizeof *a);

	a->n = 0;
	return tell(r, f, a, e);
}

int hook_raise_to(struct run *r, const char *hook, const struct hook_fact *f, uint64_t *out_event,
	struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);

	TRY(hooks_get(r->c.db, hook, h, e));
	TRY(write_event(r, f, out_event, e));
	return write_letter(r, h, *out_event, e);
}

/* ---- campaigns ---- */

/* What entering a phase is called; HOOK_EVENT_MAX: nothing. */
static enum hook_event event_of_phase(enum wave_phase phase, enum wave_ev_kind by)
{
	switch (phase) {
	case WAVE_FIRST:
		return HOOK_CAMPAIGN_STARTED;
	case WAVE_OPEN:
	case WAVE_SOAK:
		return HOOK_CAMPAIGN_WAVE;
	case WAVE_HOLD:
		return HOOK_CAMPAIGN_APPROVAL;
	case WAVE_ROLLING_BACK:
		return by == WEV_ROLL_BACK ? HOOK_CAMPAIGN_ROLLBACK : HOOK_EVENT_MAX;
	case WAVE_HALTED:
		return HOOK_CAMPAIGN_HALTED;
	case WAVE_DONE:
		return HOOK_CAMPAIGN_DONE;
	default:
		return HOOK_EVENT_MAX;
	}
}

/* An order that leaves the phase as it is. */
static enum hook_event event_of_order(enum wave_ev_kind kind)
{
	switch (kind) {
	case WEV_PAUSE:
		return HOOK_CAMPAIGN_PAUSED;
	case WEV_RESUME:
		return HOOK_CAMPAIGN_RESUMED;
	case WEV_BREAK_GLASS:
		return HOOK_CAMPAIGN_GLASS;
	default:
		return HOOK_EVENT_MAX;
	}
}

static json_t *facts_of(const struct campaign_row *c, const struct wave_event *ev)
{
	const struct wave_state *s = &c->wave;
	JSON_AUTO *counts = json_object();
	char hex[SHA256_TEXT];

	for (enum recipient_state i = 0; i < RECIPIENT_STATE_MAX; i++)
		json_object_set_new(
			counts, recipient_state_name(i), json_integer((json_int_t)s->all.n[i]));
	sha256_format(&c->policy_digest, hex);
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:O, s:s}", "phase",
		wave_phase_name(s->phase), "release", c->release.s, "policy_digest", hex, "engine",
		WAVE_ENGINE, "wave", (int)s->wave, "recipients", (int)s->recipients, "counts",
		counts, "by", ev->who);
}

static int tell_of(struct run *r, const struct campaign_row *c, const struct wave_event *ev,
	enum hook_event event, const char *device, const char *text, struct err *e)
{
	JSON_AUTO *data = facts_of(c, ev);
	const struct hook_fact f = {
		.event = event, .campaign = c->id.s, .device = device, .text = text, .data = data};

	return hook_raise(r, &f, e);
}

/* Nobody has ordered it. With nobody to order back it stops at once: that is told, too. */
static bool has_given_up(
	const struct wave_state *was, const struct wave_state *is, enum wave_ev_kind by)
{
	return is->phase != was->phase && was->phase != WAVE_ROLLING_BACK && by != WEV_HALT &&
	       by != WEV_ROLL_BACK && (is->phase == WAVE_ROLLING_BACK || is->phase == WAVE_HALTED);
}

int hook_campaign(struct run *r, const struct campaign_row *c, const struct wave_state *was,
	const struct wave_event *ev, const char *device, struct err *e)
{
	const struct wave_state *is = &c->wave;
	enum hook_event event = event_of_order(ev->kind);
	const char *text = *ev->text ? ev->text : hook_event_text(event);

	if (ev->kind == WEV_MOVED && ev->is == RECIPIENT_SILENT)
		TRY(tell_of(r, c, ev, HOOK_DEVICE_SILENT, device, ev->text, e));
	if (has_given_up(was, is, ev->kind))
		TRY(tell_of(r, c, ev, HOOK_CAMPAIGN_ABORTED, "", is->why, e));
	if (is->phase != was->phase || is->wave != was->wave) {
		event = event_of_phase(is->phase, ev->kind);
		text = *is->why ? is->why : hook_event_text(event);
	}
	return event == HOOK_EVENT_MAX ? 0 : tell_of(r, c, ev, event, "", text, e);
}

/* ---- devices ---- */

static enum hook_event event_of_report(const struct report *rp)
{
	static const struct {
		const char *state;
		enum hook_event event;
	} outcomes[] = {{"reverted", HOOK_DEVICE_REVERTED}, {"failed", HOOK_DEVICE_FAILED},
		{"stuck", HOOK_DEVICE_STUCK}};

	if (rp->kind == REPORT_REFUSED)
		return HOOK_DEVICE_REFUSED;
	if (rp->kind == REPORT_CONDITION)
		return HOOK_DEVICE_CONDITION;
	for (size_t i = 0; rp->kind == REPORT_OUTCOME && i < ARRAY_LEN(outcomes); i++)
		if (strcmp(rp->state, outcomes[i].state) == 0)
			return outcomes[i].event;
	return HOOK_EVENT_MAX;
}

int hook_report(struct run *r, const char *device, const struct report *rp, struct err *e)
{
	enum hook_event event = event_of_report(rp);
	JSON_AUTO *data = NULL;
	struct hook_fact f = {.event = event,
		.campaign = rp->campaign.s,
		.device = device,
		.text = *rp->text ? rp->text : hook_event_text(event)};

	if (event == HOOK_EVENT_MAX)
		return 0;
	data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "code", err_name(rp->code),
		"trigger", rp->cause, "release", rp->target.s, "running", rp->running.s, "slot",
		rp->slot, "seq", (json_int_t)rp->seq, "device_time_ms", (json_int_t)rp->at);
	f.data = data;
	return hook_raise(r, &f, e);
}
