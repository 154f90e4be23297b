/* Who may be disrupted: one lease a device, in the group that its label puts it in. */
#ifndef SERVER_REPO_LEASES_H
#define SERVER_REPO_LEASES_H

#include "proto/wire/limits.h"
#include "server/db/db.h"

#define LEASE_GROUP_MAX (2 * ID_TEXT_MAX) /* "line=north" */

struct lease_row {
	struct dev_id device;
	char group[LEASE_GROUP_MAX];
	struct camp_id campaign;
	struct sha256 document;
	ms_t since, until;
};

/* ERR_NOT_FOUND. */
int leases_get(struct db *db, const char *device, struct lease_row *out, struct err *e) MUST_CHECK;
/* Adds or replaces. */
int leases_put(struct db *db, const struct lease_row *l, struct err *e) MUST_CHECK;
int leases_remove(struct db *db, const char *device, struct err *e) MUST_CHECK;
/* Leases of a group that have not ended, `but` not counted, and when the first of them ends (0:
 * none). Looks at no more than `most` of them. */
int leases_taken(struct db *db, const char *group, const char *but, ms_t now, uint32_t most,
	uint32_t *out_n, ms_t *out_first, struct err *e) MUST_CHECK;
/* One that has ended; ERR_NOT_FOUND. */
int leases_due(struct db *db, ms_t now, struct lease_row *out, struct err *e) MUST_CHECK;

#endif
