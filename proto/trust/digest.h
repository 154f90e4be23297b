/* SHA-256, streaming. Bulk hashing uses libcrypto, which uses the CPU's SHA instructions
 * (docs/adr/0004). Of the formats only the files behind this header and sig.h know a crypto
 * library. */
#ifndef PROTO_TRUST_DIGEST_H
#define PROTO_TRUST_DIGEST_H

#include "lib/id.h"

struct digest {
	void *ctx;
	uint64_t n; /* bytes so far */
};

void digest_init(struct digest *d);
void digest_add(struct digest *d, const void *p, size_t n);
/* Ends the stream and frees; harmless with out == NULL, for giving up. A zeroed digest may be
 * ended, too. */
void digest_fini(struct digest *d, struct sha256 *out);
/* Of the bytes so far; the stream goes on. */
void digest_look(const struct digest *d, struct sha256 *out);
void digest_of(const void *p, size_t n, struct sha256 *out);

/* SHA-512, which repositories of others may list; fed by digest_add, too. */
struct sha512 {
	uint8_t b[64];
};

void digest512_init(struct digest *d);
void digest512_fini(struct digest *d, struct sha512 *out);

#endif
