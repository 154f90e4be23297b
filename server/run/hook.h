/* What the outside world is told of: events of the fleet become letters to the hooks that people
 * have asked for. A letter is stored by the transaction in which its event happened, with its audit
 * row: there is neither an event without its letters nor a letter without its event. */
#ifndef SERVER_RUN_HOOK_H
#define SERVER_RUN_HOOK_H

#include "proto/wire/json.h"
#include "proto/wire/report.h"
#include "server/core/hook.h"
#include "server/run/run_priv.h"

struct hook_fact {
	enum hook_event event;
	const char *campaign, *device; /* NULL: it is about none */
	const char *text;              /* a sentence for people */
	const json_t *data;            /* more of it, borrowed; NULL: nothing */
};

/* Within a transaction, behind the audit row that tells the same. Costs one look at the hooks when
 * nobody is to be told. */
int hook_raise(struct run *r, const struct hook_fact *f, struct err *e) MUST_CHECK;

/* The same, to one hook alone, whatever it is for. ERR_NOT_FOUND. */
int hook_raise_to(struct run *r, const char *hook, const struct hook_fact *f, uint64_t *out_event,
	struct err *e) MUST_CHECK;

/* What a step of a campaign is told as: its phase has changed, a person has ordered something, or a
 * device (`device`, else "") has fallen silent. Within the step's transaction. */
int hook_campaign(struct run *r, const struct campaign_row *c, const struct wave_state *was,
	const struct wave_event *ev, const char *device, struct err *e) MUST_CHECK;

/* What a report is told as; mostly nothing. Within its transaction. */
int hook_report(
	struct run *r, const char *device, const struct report *rp, struct err *e) MUST_CHECK;

struct telemetry_drift;

/* A device says that what it sees has drifted from what its model was trained with. Within a
 * transaction. Never a rollback: what devices say of one release, metric and reference within a
 * window is gathered into one event "retraining.wanted" (drift.h). A device counts once in it,
 * however often it says so. */
int hook_drift(struct run *r, const char *device, const struct telemetry_drift *d,
	struct err *e) MUST_CHECK;

#endif
