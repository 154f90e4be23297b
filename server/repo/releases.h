/* Published releases. Never edited. */
#ifndef SERVER_REPO_RELEASES_H
#define SERVER_REPO_RELEASES_H

#include "proto/wire/limits.h"
#include "server/db/db.h"

struct release_row {
	char path[LIMIT_TARGET_NAME]; /* "ocr/ocr-2.json" */
	struct rel_id id;
	struct sha256 digest; /* of the document */
	uint64_t length;
	char product[ID_TEXT_MAX], version[ID_TEXT_MAX], notes[LIMIT_TEXT];
	uint64_t counter;
	struct buf match; /* custom.match as JSON, owned */
	ms_t published;
};

void release_row_fini(struct release_row *r);
#define RELEASE_ROW_AUTO CLEANUP(release_row_fini) struct release_row

/* ERR_CONFLICT when path, id or digest is there already. */
int releases_add(
	struct db *db, const struct release_row *r, struct str document, struct err *e) MUST_CHECK;

/* By path or by id; ERR_NOT_FOUND. */
int releases_get(
	struct db *db, const char *name, struct release_row *out, struct err *e) MUST_CHECK;
int releases_by_digest(struct db *db, const struct sha256 *digest, struct release_row *out,
	struct err *e) MUST_CHECK;
int releases_document(
	struct db *db, const struct sha256 *digest, struct buf *out, struct err *e) MUST_CHECK;

/* Oldest first. */
typedef int releases_each_f(void *ctx, const struct release_row *r, struct err *e);
int releases_each(struct db *db, releases_each_f *each, void *ctx, struct err *e) MUST_CHECK;

#endif
