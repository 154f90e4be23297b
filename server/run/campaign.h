/* Campaigns as people make and order them. */
#ifndef SERVER_RUN_CAMPAIGN_H
#define SERVER_RUN_CAMPAIGN_H

#include "proto/wire/json.h"
#include "server/core/wave.h"
#include "server/run/run.h"

struct campaign_new {
	struct camp_id id;
	char release[LIMIT_TARGET_NAME]; /* path or id */
	const json_t *selector;
	struct policy policy;
	char who[ID_TEXT_MAX];
};

/* Stores a draft. *out_new is false when exactly this campaign is there already; ERR_CONFLICT when
 * the id is taken by another, ERR_NOT_FOUND when the release was never published,
 * ERR_UNPROVEN when it does not pass the gates that are demanded. */
int campaign_create(
	struct run *r, const struct campaign_new *in, bool *out_new, struct err *e) MUST_CHECK;

/* Within a transaction: ERR_CONFLICT when a campaign that is over has devices in a later one. */
int campaign_may_roll_back(struct run *r, const char *id, struct err *e) MUST_CHECK;

/* START, PAUSE, RESUME, HALT or ROLL_BACK. Repeating an order changes nothing. START holds the
 * release against its gates once more (ERR_UNPROVEN) and freezes the recipients: every selected
 * device in its stable order, but those that cannot take part, each with the reason. ERR_CONFLICT
 * when the order does not fit, ERR_BAD_INPUT when HALT or ROLL_BACK come without a reason. */
int campaign_order(struct run *r, const char *id, enum wave_ev_kind kind, const char *who,
	const char *reason, struct err *e) MUST_CHECK;

#endif
