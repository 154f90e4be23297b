/* A folder with files of one repository, N.ROLE.json each: somebody's copy of what is signed. The
 * oldest root in it is what its owner trusts without proof; everything else is proved from there.
 */
#ifndef KEYS_FOLDER_H
#define KEYS_FOLDER_H

#include "lib/sys/fs.h"
#include "proto/trust/verify.h"

/* ERR_NOT_FOUND when there is no file N.ROLE.json. */
int folder_span(struct fs *fs, const char *role, uint64_t *out_lowest, uint64_t *out_highest,
	struct err *e) MUST_CHECK;

/* Appends the bytes of VERSION.ROLE.json. */
int folder_read(struct fs *fs, const char *role, uint64_t version, struct buf *out,
	struct err *e) MUST_CHECK;
/* The same, parsed as root ("root") or targets (any other); ERR_MIXED when it says that it is
 * another version. */
int folder_meta(struct fs *fs, const char *role, uint64_t version, struct meta *out,
	struct err *e) MUST_CHECK;

/* The roots, from the oldest to the newest, each vouched for by the one before. Expiry is not asked
 * for. *t was initialised, and holds the newest root then. */
int folder_load_roots(struct fs *fs, struct trusted_set *t, struct err *e) MUST_CHECK;

/* "3.engineering.json" */
#define FOLDER_NAME 96
void folder_name(const char *role, uint64_t version, char out[FOLDER_NAME]);

/* Writes VERSION.ROLE.json; durable on return. */
int folder_write(struct fs *fs, const char *role, uint64_t version, const struct buf *bytes,
	struct err *e) MUST_CHECK;

/* Copies the newest file of a role, or all that there are; nothing when there is none. */
int folder_copy(
	struct fs *from, struct fs *to, const char *role, bool all, struct err *e) MUST_CHECK;

/* Takes over from another folder what is newer and proves itself here: roots that follow, then the
 * newest top-level targets signed as the newest root says, then each delegated role's newest file,
 * signed as targets say. A root that does not prove itself is an error; another file that does not
 * (it may wait for signatures) is left where it is. *out_taken counts what was taken, durable on
 * return. For a repository without top-level targets (the director's) only roots are taken. */
int folder_update(struct fs *fs, struct fs *from, unsigned *out_taken, struct err *e) MUST_CHECK;

#endif
