/* A request to approve a release: what its creator asks engineering, safety and compliance to sign,
 * signed with the creator's own key.
 *
 * {"signatures": [{"keyid", "sig"}], "signed": {"_type": "release-request", "format": 1, "path":
 * "ocr/ocr-4.json", "length": N, "sha256": of the document, "hardware": [ID, ...], "counter": N,
 * "rollbackTo": [RELEASE, ...], "creator": the public key as metadata lists keys, "evidence": as a
 * match has it, when there is any}}
 *
 * The creator's key is no role's. Whoever approves signs its digest along with the release
 * (custom.match.creator), and every device refuses a release whose creator holds a key of the
 * quorum. */
#ifndef KEYS_REQUEST_H
#define KEYS_REQUEST_H

#include "keys/release_sign.h"

struct request {
	char path[LIMIT_TARGET_NAME];
	uint64_t length;
	struct sha256 document;
	struct release_terms terms; /* with the creator */
	struct pub_key creator;
};

/* Appends the signed request. `document` is a release document; the terms' creator is taken from
 * `key`. */
int request_encode(struct str document, const struct release_terms *terms,
	const struct sign_key *key, struct buf *out, struct err *e) MUST_CHECK;

/* ERR_BAD_INPUT, ERR_TOO_LARGE; ERR_UNSIGNED when it is not signed with the key that it names. */
int request_decode(struct str bytes, struct request *out, struct err *e) MUST_CHECK;

/* Is this the document it is about? ERR_ALTERED. */
int request_check_document(const struct request *r, struct str document, struct err *e) MUST_CHECK;

#endif
