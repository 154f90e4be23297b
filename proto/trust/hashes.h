/* Hashes as metadata lists them: {"sha256": HEX, "sha512": HEX}. Of those that are known here every
 * one must fit; others say nothing. */
#ifndef PROTO_TRUST_HASHES_H
#define PROTO_TRUST_HASHES_H

#include "proto/trust/digest.h"
#include "proto/wire/json.h"

struct hashes {
	bool has_sha256, has_sha512;
	struct sha256 sha256;
	struct sha512 sha512;
};

#define HASHES_TEXT 129 /* hexadecimal of the longest one, with its NUL */

/* At most LIMIT_METADATA_HASHES, the known ones well-formed; perhaps none of them is known. */
int hashes_parse(const json_t *o, const char *where, struct hashes *out, struct err *e) MUST_CHECK;
/* Of all kinds. */
void hashes_all_of(const void *p, size_t n, struct hashes *out);

bool hashes_is_empty(const struct hashes *h);
/* The same kinds with the same values? */
bool hashes_is_same(const struct hashes *a, const struct hashes *b);
/* Are all that are listed those of these bytes, of which all kinds were taken? */
bool hashes_fit(const struct hashes *listed, const struct hashes *taken);
/* One of them, by which a file is named; "" when there is none. */
void hashes_format(const struct hashes *h, char out[HASHES_TEXT]);

/* All kinds over a stream. */
struct hashing {
	struct digest sha256, sha512;
};

void hashing_init(struct hashing *h);
void hashing_add(struct hashing *h, const void *p, size_t n);
/* Ends and frees; `out` may be NULL, for giving up. */
void hashing_fini(struct hashing *h, struct hashes *out);

#endif
