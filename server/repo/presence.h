/* Whether a broker has a connection of a device. For people to look at: nothing is decided by it.
 */
#ifndef SERVER_REPO_PRESENCE_H
#define SERVER_REPO_PRESENCE_H

#include "server/db/db.h"

/* Of a device that is registered; of another, nothing is kept. The time stays when it says nothing
 * new. */
int presence_put(
	struct db *db, const char *device, bool online, ms_t now, struct err *e) MUST_CHECK;
/* *out_since is 0 when it was never heard of. */
int presence_get(struct db *db, const char *device, bool *out_online, ms_t *out_since,
	struct err *e) MUST_CHECK;
int presence_count(struct db *db, uint64_t *out_online, struct err *e) MUST_CHECK;

#endif
