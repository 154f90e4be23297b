/* Base64 (RFC 4648) in both alphabets, strictly: full padding, no blanks, no bits that nothing is
 * made of, and not both alphabets in one text. So one text stands for one row of bytes, and only
 * the alphabet is left to the writer. */
#ifndef PROTO_WIRE_BASE64_H
#define PROTO_WIRE_BASE64_H

#include "lib/buf.h"

/* Appends to *out, which is left as it was on failure. ERR_BAD_INPUT. */
int base64_decode(struct str text, struct buf *out, struct err *e) MUST_CHECK;
/* The standard alphabet, padded. */
void base64_encode(struct str bytes, struct buf *out);

#endif
