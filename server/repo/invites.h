/* Invitations to enrol: one per device, of which the store has the digest, good for one key. */
#ifndef SERVER_REPO_INVITES_H
#define SERVER_REPO_INVITES_H

#include "server/db/db.h"

struct invite_row {
	struct dev_id device;
	struct sha256 token;
	ms_t created, expires;
	char created_by[ID_TEXT_MAX];
	ms_t used;              /* 0: not yet */
	struct sha256 used_key; /* by the holder of this key */
};

/* ERR_NOT_FOUND. */
int invites_get(
	struct db *db, const char *device, struct invite_row *out, struct err *e) MUST_CHECK;
/* Adds or replaces. */
int invites_put(struct db *db, const struct invite_row *i, struct err *e) MUST_CHECK;
int invites_remove(struct db *db, const char *device, struct err *e) MUST_CHECK;

#endif
