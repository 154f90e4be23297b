/* Files of the image repository that people have signed, on their way into the store. Within a
 * transaction. */
#ifndef SERVER_RUN_ROLEFILES_H
#define SERVER_RUN_ROLEFILES_H

#include "proto/trust/meta.h"
#include "server/run/run.h"

struct role_file {
	char role[LIMIT_ROLE_NAME]; /* "targets", "engineering", ... */
	struct str bytes;           /* its whole signed file */
};

/* Top-level targets first, by the keys of `root`, then the others, by those of the newest targets.
 * Each is stored when it is signed by enough, has not expired, and is no older than what is there.
 * *io_stored counts those that were new. ERR_UNSIGNED, ERR_EXPIRED, ERR_ROLLED_BACK, ERR_CONFLICT,
 * ERR_BAD_INPUT. */
int rolefiles_add(struct run *r, const struct meta *root, const struct role_file *files, unsigned n,
	unsigned *io_stored, struct err *e) MUST_CHECK;

/* Stores a file that the caller has checked. ERR_CONFLICT when another one has that version. */
int rolefiles_put(struct run *r, const char *repo, const char *role, const struct meta *m,
	struct str bytes, unsigned *io_stored, struct err *e) MUST_CHECK;

#endif
