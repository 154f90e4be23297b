/* Certificates that were issued to devices. A certificate counts only while its row is here and is
 * not revoked: what the authority's key has signed elsewhere is worth nothing. */
#ifndef SERVER_REPO_CERTIFICATES_H
#define SERVER_REPO_CERTIFICATES_H

#include "server/db/db.h"

struct certificate_row {
	struct sha256 digest; /* of the DER bytes */
	struct dev_id device;
	struct sha256 key; /* of its SubjectPublicKeyInfo */
	int64_t until_s;
	ms_t issued, revoked; /* 0: not */
	char why[64];         /* it was revoked */
};

/* ERR_NOT_FOUND. */
int certificates_get(struct db *db, const struct sha256 *digest, struct certificate_row *out,
	struct err *e) MUST_CHECK;
/* The newest one of a device. ERR_NOT_FOUND. */
int certificates_newest(
	struct db *db, const char *device, struct certificate_row *out, struct err *e) MUST_CHECK;
/* The bytes of the newest one for this key that is not revoked. ERR_NOT_FOUND. */
int certificates_bytes(struct db *db, const char *device, const struct sha256 *key, struct buf *out,
	struct err *e) MUST_CHECK;
int certificates_add(
	struct db *db, const struct certificate_row *c, struct str bytes, struct err *e) MUST_CHECK;
/* Revokes all of a device but one; `but` may be NULL. */
int certificates_revoke(struct db *db, const char *device, const struct sha256 *but, ms_t now,
	const char *why, struct err *e) MUST_CHECK;
/* Forgets those of a device that nothing can be done with any more: they ended before `before_s`,
 * and are not its newest. */
int certificates_prune(
	struct db *db, const char *device, int64_t before_s, struct err *e) MUST_CHECK;

/* The newest of each device, if it is good, is not revoked and has less than a sixth of its life
 * left. */
typedef int certificates_each_f(void *ctx, const struct certificate_row *c, struct err *e);
int certificates_each_ending(struct db *db, int64_t now_s, certificates_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

#endif
