/* DSSE envelopes (https://github.com/secure-systems-lab/dsse, version 1): a payload with its type,
 * and signatures over both. Pure. What is inside is believed by nobody before a signature has been
 * verified: parse, verify, and only then read the payload. */
#ifndef PROTO_TRUST_DSSE_H
#define PROTO_TRUST_DSSE_H

#include "lib/buf.h"
#include "proto/trust/sig.h"
#include "proto/wire/limits.h"

#define DSSE_IN_TOTO "application/vnd.in-toto+json" /* the only payload type that is taken */

struct dsse_sig {
	uint8_t sig[SIG_MAX];
	size_t n;
};

struct dsse {
	struct buf payload; /* owned */
	unsigned n;
	struct dsse_sig sigs[LIMIT_ENVELOPE_SIGS];
};

void dsse_fini(struct dsse *d);
#define DSSE_AUTO CLEANUP(dsse_fini) struct dsse

/* Form only: strict JSON within `max` bytes, payloadType exactly DSSE_IN_TOTO, payload and
 * signatures in base64 of either alphabet, 1 to LIMIT_ENVELOPE_SIGS signatures. Key ids are not
 * kept: they decide nothing. Other members are allowed, as the specification wants, and ignored.
 * ERR_BAD_INPUT, ERR_TOO_LARGE. */
int dsse_parse(struct str text, size_t max, struct dsse *out, struct err *e) MUST_CHECK;

/* What is signed: the pre-authentication encoding of type and payload. */
void dsse_pae(struct str type, struct str payload, struct buf *out);

/* Signed by at least `threshold` different ones of these public keys, each counted once however
 * often it stands or signs. ERR_UNSIGNED. */
int dsse_verify(const struct dsse *d, const struct pub_key *keys, unsigned n, uint64_t threshold,
	struct err *e) MUST_CHECK;

#endif
