/* Who takes part in a campaign, and where each is. Frozen at its start. */
#ifndef SERVER_REPO_RECIPIENTS_H
#define SERVER_REPO_RECIPIENTS_H

#include "server/core/wave.h"
#include "server/db/db.h"

struct recipient_row {
	struct camp_id campaign;
	struct dev_id device;
	uint32_t position;
	enum recipient_state state;
	ms_t moved;
	ms_t deadline;                       /* to be heard of; 0: none */
	char before_path[LIMIT_TARGET_NAME]; /* what it ran when it was admitted, if published here
					      */
	struct sha256 before_digest;
	char text[LIMIT_TEXT]; /* what it said last about it */
	unsigned stratum;
	unsigned watched; /* turn in which it was counted last as one to compare with; 0: never */
	uint32_t tries;   /* failures of something transient, after which it waited again */
	char group[2 * ID_TEXT_MAX]; /* of which the policy counts how many are in update; "" */
};

int recipients_add(struct db *db, const struct recipient_row *r, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND. */
int recipients_get(struct db *db, const char *campaign, const char *device,
	struct recipient_row *out, struct err *e) MUST_CHECK;
/* Stores everything but the position, the stratum and the group. */
int recipients_save(struct db *db, const struct recipient_row *r, struct err *e) MUST_CHECK;

/* In order of position. The row may be saved from within `each`. */
typedef int recipients_each_f(void *ctx, const struct recipient_row *r, struct err *e);
int recipients_each(struct db *db, const char *campaign, recipients_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

/* Of every campaign that a device takes or took part in. */
int recipients_each_of(struct db *db, const char *device, recipients_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

/* At most `limit` that wait, with positions in [from, to), in order. */
int recipients_each_waiting(struct db *db, const char *campaign, uint32_t from, uint32_t to,
	unsigned limit, recipients_each_f *each, void *ctx, struct err *e) MUST_CHECK;

/* Counts by state of the positions in [from, to). */
int recipients_count(struct db *db, const char *campaign, uint32_t from, uint32_t to,
	struct wave_counts *out, struct err *e) MUST_CHECK;

/* How many of a group are in update, over all campaigns; looks at no more than `most`. */
int recipients_busy(
	struct db *db, const char *group, uint32_t most, uint32_t *out, struct err *e) MUST_CHECK;

/* One whose deadline has passed; ERR_NOT_FOUND. */
int recipients_due(struct db *db, ms_t now, struct recipient_row *out, struct err *e) MUST_CHECK;

#endif
