/* The life of keys: who may sign is changed by the next version of the file that lists it, signed
 * by those who may change it. A new root is signed by the threshold of the old root and of its own,
 * so that every device that trusts any older one can follow.
 *
 * What all functions share: `repo_dir` is somebody's copy of one repository (keys/folder.h). A file
 * that is signed by enough is written there; one that is not waits in repo_dir/waiting until
 * keylife_sign, here or on the machine of another holder, has made it whole. Keys sign what lists
 * them and nothing else. Everything written is durable on return, and no file is replaced but a
 * waiting one by itself with more signatures. */
#ifndef KEYS_KEYLIFE_H
#define KEYS_KEYLIFE_H

#include "keys/folder.h"
#include "keys/keystore.h"
#include "keys/rolekeys.h"

/* Where a role of the command line is listed. "safety" and whatever else top-level targets delegate
 * to goes by its own name. */
struct keylife_role {
	const char *repo;   /* "image" or "director" */
	const char *lister; /* "root" or "targets" */
	const char *role;   /* as metadata calls it */
};
void keylife_role(const char *name, struct keylife_role *out);

struct keylife_done {
	char file[FOLDER_NAME]; /* "2.root.json" */
	bool complete;          /* signed by enough: it is in repo_dir */
	unsigned added;         /* signatures that this call made */
	struct buf review;      /* owned: what changed, a line each, for people */
};
void keylife_done_fini(struct keylife_done *d);

/* The next version of `lister` with the change, for another year, signed with whatever keys of the
 * store may sign it. ERR_CONFLICT when a next version waits already. */
int keylife_change(const char *repo_dir, const char *lister, const struct role_change *c,
	const struct keystore *ks, int64_t now_s, struct keylife_done *out,
	struct err *e) MUST_CHECK;

/* The same for any other change: `edit` changes the "signed" part in place. */
typedef int keylife_edit_f(json_t *part, const void *ctx, struct err *e);
int keylife_edit(const char *repo_dir, const char *lister, keylife_edit_f *edit, const void *ctx,
	const struct keystore *ks, int64_t now_s, struct keylife_done *out,
	struct err *e) MUST_CHECK;

/* The next version of a file ("root", "targets", "safety") that says the same, for another year (an
 * approver's: half a year). An approver's file that was signed with keys that targets have replaced
 * is signed anew, if earlier targets in the folder vouch for it. */
int keylife_renew(const char *repo_dir, const char *role, const struct keystore *ks, int64_t now_s,
	struct keylife_done *out, struct err *e) MUST_CHECK;

/* What keylife_sign would sign: fills out->file, complete (as it is) and review, changes nothing.
 */
int keylife_look(const char *repo_dir, const char *file, int64_t now_s, struct keylife_done *out,
	struct err *e) MUST_CHECK;

/* Adds signatures to a file from anywhere that follows on what `repo_dir` holds. ERR_NOT_FOUND when
 * the store has no key that may sign it; ERR_MIXED when it does not follow, or would be valid for
 * longer than is usual. */
int keylife_sign(const char *repo_dir, const char *file, const struct keystore *ks, int64_t now_s,
	struct keylife_done *out, struct err *e) MUST_CHECK;

#endif
