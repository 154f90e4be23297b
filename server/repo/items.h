/* How far each device's telemetry has been counted, and the items themselves for a while. */
#ifndef SERVER_REPO_ITEMS_H
#define SERVER_REPO_ITEMS_H

#include "lib/id.h"
#include "server/db/db.h"

#define ITEMS_EPOCHS 8 /* of a device that are remembered */

/* Highest number that is stored of this epoch of the device; 0: none. */
int items_seq(
	struct db *db, const char *device, uint64_t epoch, uint64_t *out, struct err *e) MUST_CHECK;
/* Everything up to `seq` is stored. The epochs that were heard of longest ago are forgotten. */
int items_seq_put(struct db *db, const char *device, uint64_t epoch, uint64_t seq, ms_t now,
	struct err *e) MUST_CHECK;

/* Windows are many and kept for a short time; everything else is little and kept longer. */
enum items_shelf { ITEMS_WINDOWS, ITEMS_EVENTS, ITEMS_SHELF_MAX };

struct item_row {
	uint64_t n; /* grows over all devices */
	struct dev_id device;
	uint64_t epoch, seq;
	ms_t received;
	struct str body; /* the item as JSON, borrowed */
};
int items_add(struct db *db, enum items_shelf shelf, const struct item_row *row,
	struct err *e) MUST_CHECK;

/* Newest first, at most `limit`, of one device or of all (""). */
typedef int items_each_f(void *ctx, const struct item_row *row, struct err *e);
int items_each(struct db *db, enum items_shelf shelf, const char *device, unsigned limit,
	items_each_f *each, void *ctx, struct err *e) MUST_CHECK;

struct items_shelf_view {
	uint64_t rows; /* 0: it is empty, and the rest is 0 too */
	ms_t oldest;   /* when it was received */
};
/* Looks at both ends only. */
int items_look(struct db *db, enum items_shelf shelf, struct items_shelf_view *out,
	struct err *e) MUST_CHECK;
/* Of the `limit` oldest, forgets those received before that moment and those that are one of more
 * than `keep`. */
int items_prune(struct db *db, enum items_shelf shelf, ms_t before, uint64_t keep, unsigned limit,
	struct err *e) MUST_CHECK;

#endif
