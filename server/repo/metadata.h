/* Signed metadata files that all devices share: the image repository, and the director's root.
 * Every version is kept under its number. */
#ifndef SERVER_REPO_METADATA_H
#define SERVER_REPO_METADATA_H

#include "server/db/db.h"

#define REPO_IMAGE    "image"
#define REPO_DIRECTOR "director"

struct meta_row {
	uint64_t version;
	int64_t expires_s;
	int64_t refresh_s; /* when it, or what it lists, must be signed again */
	char etag[SHA256_TEXT];
	struct buf bytes; /* owned */
};

void meta_row_fini(struct meta_row *m);
#define META_ROW_AUTO CLEANUP(meta_row_fini) struct meta_row

/* Gives m->etag its value: what stores a file calls it. */
void meta_row_tag(struct meta_row *m);

/* `version` 0: the newest. ERR_NOT_FOUND. */
int metadata_get(struct db *db, const char *repo, const char *role, uint64_t version,
	struct meta_row *out, struct err *e) MUST_CHECK;
/* The newest version of every role of a repository, in order of role. */
typedef int metadata_each_f(void *ctx, const char *role, const struct meta_row *m, struct err *e);
int metadata_each(struct db *db, const char *repo, metadata_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;
/* ERR_CONFLICT when that version is there. Fills m->etag. */
int metadata_add(struct db *db, const char *repo, const char *role, struct meta_row *m,
	struct err *e) MUST_CHECK;
/* Forgets all but the newest `keep` versions. */
int metadata_prune(
	struct db *db, const char *repo, const char *role, unsigned keep, struct err *e) MUST_CHECK;

#endif
