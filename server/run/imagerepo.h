/* The image repository as this server publishes it: role files come signed from people, snapshot
 * and timestamp are signed here, and everything is verified the way a device does before it is
 * committed. */
#ifndef SERVER_RUN_IMAGEREPO_H
#define SERVER_RUN_IMAGEREPO_H

#include "proto/trust/verify.h"
#include "server/run/run.h"

/* Takes the first files of both repositories from REPO/image and REPO/director, and any newer root
 * that follows on the one that is stored. Called at every start. */
int imagerepo_import(struct run *r, const char *repo_dir, struct err *e) MUST_CHECK;

/* Signs timestamp and snapshot again when less than half of their life is left. */
int imagerepo_refresh(struct run *r, struct err *e) MUST_CHECK;

/* Within a transaction: shows the signer the newest role files, and stores the snapshot and the new
 * timestamp that it makes of them; a new snapshot in any case when it is due. */
int imagerepo_sign(struct run *r, bool snapshot_due, struct err *e) MUST_CHECK;
/* The same for files that are to be carried to a device, with that life. They are served only until
 * the next imagerepo_refresh. */
int imagerepo_sign_carried(struct run *r, ms_t life, struct err *e) MUST_CHECK;
/* The same, unless the role files do not agree on this document. */
int imagerepo_sign_for(
	struct run *r, const char *path, const struct sha256 *digest, struct err *e) MUST_CHECK;
/* The same for what has less than half of its life left; mostly nothing. A signer that may know
 * more than the store, or nothing yet, is shown what there is. */
int imagerepo_sign_due(struct run *r, struct err *e) MUST_CHECK;

/* What a device trusts that asks now: the whole client workflow over what is stored. `t` has been
 * initialised; for rollback checks it may hold what was trusted before (imagerepo_load_before). */
int imagerepo_load_before(struct run *r, struct trusted_set *t, struct err *e) MUST_CHECK;
int imagerepo_load(struct run *r, struct trusted_set *t, struct err *e) MUST_CHECK;

/* One file by its name in the repository, "7.engineering.json" or "timestamp.json". ERR_NOT_FOUND.
 * `repo` is REPO_IMAGE or REPO_DIRECTOR (root files only). */
struct meta_row;
int imagerepo_file(struct run *r, const char *repo, struct str name, struct meta_row *out,
	struct err *e) MUST_CHECK;

#endif
