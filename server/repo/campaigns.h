/* Campaigns with the state of their wave engine, and the events that led to it. */
#ifndef SERVER_REPO_CAMPAIGNS_H
#define SERVER_REPO_CAMPAIGNS_H

#include "server/core/wave.h"
#include "server/db/db.h"

struct campaign_row {
	struct camp_id id;
	char release_path[LIMIT_TARGET_NAME];
	struct sha256 release_digest;
	struct rel_id release;
	struct buf selector; /* JSON as it was given, owned */
	struct policy policy;
	struct sha256 policy_digest; /* of policy_encode's bytes */
	ms_t created;
	char created_by[ID_TEXT_MAX];
	struct wave_state wave;
};

void campaign_row_fini(struct campaign_row *c);
#define CAMPAIGN_ROW_AUTO CLEANUP(campaign_row_fini) struct campaign_row

/* ERR_CONFLICT when the id is taken. */
int campaigns_add(struct db *db, const struct campaign_row *c, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND. */
int campaigns_get(
	struct db *db, const char *id, struct campaign_row *out, struct err *e) MUST_CHECK;
/* Stores c->wave, and with it the event that led there. `rev` is the revision that was
 * loaded: ERR_BUG when the stored one is another. */
int campaigns_step(struct db *db, const struct campaign_row *c, uint64_t rev,
	const struct wave_event *ev, struct err *e) MUST_CHECK;

/* Oldest first. */
typedef int campaigns_each_f(void *ctx, const struct campaign_row *c, struct err *e);
int campaigns_each(struct db *db, campaigns_each_f *each, void *ctx, struct err *e) MUST_CHECK;
/* Those that are neither drafts nor over. */
int campaigns_each_active(
	struct db *db, campaigns_each_f *each, void *ctx, struct err *e) MUST_CHECK;
/* One whose wake-up has come; ERR_NOT_FOUND. */
int campaigns_due(struct db *db, ms_t now, struct camp_id *out, struct err *e) MUST_CHECK;

#endif
