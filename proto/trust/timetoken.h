/* The time token: the director's signed answer to a device that asks what time it is. Pure.
 *
 * {"signed": {"_type": "x-backstay-time", "device": ID, "nonce": 32 hexadecimal digits that the
 * device has made up for this question, "time": "2026-01-31T12:00:00Z", "timestamp": version of the
 * device's timestamp.json that the director has signed last}, "signatures": [{"keyid", "sig"}]}
 *
 * Signed like any metadata, over the canonical "signed". Who may sign it is said by the director's
 * root in "x-backstay-time": {"keyids": [...], "threshold": N}, whose keys stand in the root's
 * "keys"; a root without that member asks for no tokens. No TUF role has that _type, so neither can
 * be taken for the other, whatever key signs. */
#ifndef PROTO_TRUST_TIMETOKEN_H
#define PROTO_TRUST_TIMETOKEN_H

#include "proto/trust/meta.h"

#define TIMETOKEN_TYPE "x-backstay-time"
#define NONCE_TEXT     33 /* 128 bits in hexadecimal, with its NUL */

struct timetoken {
	struct dev_id device;
	char nonce[NONCE_TEXT];
	int64_t time_s;
	uint64_t timestamp;
};

/* Exactly 32 lower-case hexadecimal digits; ERR_BAD_INPUT. */
int timetoken_nonce_parse(struct str text, char out[NONCE_TEXT], struct err *e) MUST_CHECK;

/* Which keys say the time: a digest over the distinct public keys that `root` lists for it, the
 * same in whatever order; all zero when it asks for no tokens. ERR_BAD_INPUT when what it says of
 * it is malformed, or names no key that can be used. */
int timetoken_keys(const struct meta *root, struct sha256 *out, struct err *e) MUST_CHECK;

/* Is it an answer to this very question, by the keys that `root` names? ERR_UNSIGNED,
 * ERR_WRONG_DEVICE, ERR_MIXED (another nonce: the answer to another question), ERR_BAD_INPUT,
 * ERR_TOO_LARGE. Whether the time is one to go by is the caller's to judge. */
int timetoken_verify(const struct meta *root, struct str bytes, const struct dev_id *device,
	const char nonce[NONCE_TEXT], struct timetoken *out, struct err *e) MUST_CHECK;

#endif
