/* Borrowed text: a pointer and a length, valid as long as whatever owns the bytes. Never
 * NUL-terminated by contract. */
#ifndef LIB_STR_H
#define LIB_STR_H

#include "lib/err.h"

struct str {
	const char *p;
	size_t n;
};

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})

/* A view of a NUL-terminated string. */
struct str str_of(const char *s);

bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *s);
bool str_has_prefix(struct str s, const char *prefix);

/* Is `c` one of the characters of `set`? A NUL never is. */
bool str_has_char(const char *set, char c);

/* Takes everything up to the first `sep` (or all that is left) off *rest. Returns false when *rest
 * was used up. */
bool str_split(struct str *rest, char sep, struct str *out_field);

/* Without blanks and tabs at both ends. */
struct str str_trim(struct str s);

/* Decimal, no sign for u64, no blanks, nothing after it; ERR_BAD_INPUT when it is not a number in
 * [min, max]. */
int str_to_u64(struct str s, uint64_t min, uint64_t max, uint64_t *out, struct err *e) MUST_CHECK;

/* Copies into a fixed array, always terminated; ERR_TOO_LARGE when it does not fit, ERR_BAD_INPUT
 * on a NUL inside. */
int str_copy(struct str s, char *dst, size_t cap, struct err *e) MUST_CHECK;

/* For error texts about foreign bytes: printable ASCII stays, anything else becomes '?', and what
 * does not fit is cut off with "...". `cap` is at least 4. Returns dst. */
const char *str_printable(struct str s, char *dst, size_t cap);

/* The name that was probably meant: fewest single-character edits, at most two and fewer than its
 * length; else NULL. */
const char *str_nearest(struct str s, const char *const *names, size_t n);

/* Lower-case hexadecimal. `dst` holds 2n + 1 bytes. */
void hex_encode(const uint8_t *src, size_t n, char *dst);
/* Exactly 2n hexadecimal digits of either case. */
int hex_decode(struct str s, uint8_t *dst, size_t n, struct err *e) MUST_CHECK;

#endif
