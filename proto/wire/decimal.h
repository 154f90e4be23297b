/* Numbers of documents that other tools wrote, compared exactly (docs/adr/0006).
 * A decimal is kept as its digits, never as a double: 45.00000000000000001 is more than 45. */
#ifndef PROTO_WIRE_DECIMAL_H
#define PROTO_WIRE_DECIMAL_H

#include "lib/str.h"
#include "proto/wire/limits.h"

/* 0.DIGITS x 10^exponent, DIGITS without a zero at either end; "" and 0 for zero. */
struct decimal {
	bool negative;
	int exponent;
	char digits[LIMIT_NUMBER_CHARS + 1];
};

/* Is it a number as JSON writes it (RFC 8259, section 6)? Says nothing of its length. */
bool decimal_is(struct str text);
/* ERR_BAD_INPUT when it is no number, ERR_TOO_LARGE beyond LIMIT_NUMBER_CHARS characters or an
 * exponent of more than three digits. */
int decimal_parse(struct str text, struct decimal *out, struct err *e) MUST_CHECK;
/* Below, equal, above: -1, 0, 1. */
int decimal_compare(const struct decimal *a, const struct decimal *b);

#endif
