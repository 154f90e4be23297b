/* The newest metadata files of each role that the director signed for a device. */
#ifndef SERVER_REPO_DEVICE_META_H
#define SERVER_REPO_DEVICE_META_H

#include "server/repo/metadata.h"

/* ERR_NOT_FOUND. */
int device_meta_get(struct db *db, const char *device, const char *role, struct meta_row *out,
	struct err *e) MUST_CHECK;
/* Adds or replaces. Fills m->etag. */
int device_meta_put(struct db *db, const char *device, const char *role, struct meta_row *m,
	struct err *e) MUST_CHECK;
/* Everything is signed again when it is asked for: the keys have changed. */
int device_meta_refresh(struct db *db, struct err *e) MUST_CHECK;

#endif
