/* JSON as Backstay reads and signs it: jansson, made strict, with the canonical writer that
 * signatures are made over.
 *
 * Strict: duplicate names, floats, exponents, integers beyond 2^53-1, lone surrogates, NUL, invalid
 * UTF-8, trailing bytes and nesting deeper than LIMIT_JSON_DEPTH are refused (documents that need
 * fractions carry them as integers of a smaller unit). Canonical: OLPC canonical JSON as the TUF
 * community writes it (keys by code point, only '"' and '\' escaped). */
#ifndef PROTO_WIRE_JSON_H
#define PROTO_WIRE_JSON_H

#include <jansson.h>

#include "lib/buf.h"
#include "lib/id.h"

#define JSON_AUTO CLEANUP(json_release) json_t
void json_release(json_t **j);

/* Parses at most `max` bytes; the caller owns *out. ERR_TOO_LARGE, or ERR_BAD_INPUT with line and
 * column. */
int json_read(struct str text, size_t max, json_t **out, struct err *e) MUST_CHECK;

/* The same for documents of other makers (evidence), which may hold any number that JSON allows:
 * one that is no whole number of at most 53 bits becomes {"x-decimal": "44.7"}, its text as it
 * stood, so that nothing is ever rounded (proto/wire/decimal.h compares it). Such a value is for
 * reading only. */
int json_read_foreign(struct str text, size_t max, json_t **out, struct err *e) MUST_CHECK;

/* The bytes that are signed and hashed. Takes no fractions. Never fails on a value that json_read
 * gave. */
void json_canonical(const json_t *j, struct buf *out);

/* One line, keys in the order of insertion: for answers and logs, never for signing. */
void json_write(const json_t *j, struct buf *out);

/* Readers of one member. `where` names the object in the error text: "release.components[2]". Each
 * refuses a missing member and a wrong type with ERR_BAD_INPUT, more bytes or elements than fit
 * with ERR_TOO_LARGE, and control characters in text; the _opt forms leave the output as it is when
 * the member is missing. */
int json_obj(const json_t *o, const char *where, const char *key, const json_t **out,
	struct err *e) MUST_CHECK;
int json_arr(const json_t *o, const char *where, const char *key, size_t max_n, const json_t **out,
	struct err *e) MUST_CHECK;
int json_text(const json_t *o, const char *where, const char *key, char *dst, size_t cap,
	struct err *e) MUST_CHECK;
int json_text_opt(const json_t *o, const char *where, const char *key, char *dst, size_t cap,
	struct err *e) MUST_CHECK;
int json_u64(const json_t *o, const char *where, const char *key, uint64_t min, uint64_t max,
	uint64_t *out, struct err *e) MUST_CHECK;
int json_u64_opt(const json_t *o, const char *where, const char *key, uint64_t min, uint64_t max,
	uint64_t *out, struct err *e) MUST_CHECK;
int json_bool_opt(
	const json_t *o, const char *where, const char *key, bool *out, struct err *e) MUST_CHECK;
/* An id as id_parse takes it; a span of milliseconds in [min, LIMIT_SPAN_MS]; a digest as 64
 * lower-case hexadecimal digits. */
int json_id(const json_t *o, const char *where, const char *key, char out[ID_TEXT_MAX],
	struct err *e) MUST_CHECK;
int json_id_opt(const json_t *o, const char *where, const char *key, char out[ID_TEXT_MAX],
	struct err *e) MUST_CHECK;
int json_span_opt(const json_t *o, const char *where, const char *key, uint64_t min, ms_t *out,
	struct err *e) MUST_CHECK;
int json_digest(const json_t *o, const char *where, const char *key, struct sha256 *out,
	struct err *e) MUST_CHECK;
int json_digest_opt(const json_t *o, const char *where, const char *key, struct sha256 *out,
	struct err *e) MUST_CHECK;
/* Index of the member's text in names[0..n), for enumerations. */
int json_choice(const json_t *o, const char *where, const char *key, const char *const *names,
	unsigned n, unsigned *out, struct err *e) MUST_CHECK;
int json_choice_opt(const json_t *o, const char *where, const char *key, const char *const *names,
	unsigned n, unsigned *out, struct err *e) MUST_CHECK;

/* Writers of one member, which is left out when it is 0 or empty. What is no UTF-8 in a text, or a
 * control character, is made printable. */
void json_put_u64(json_t *o, const char *key, uint64_t v);
void json_put_text(json_t *o, const char *key, const char *text);
void json_put_digest(json_t *o, const char *key, const struct sha256 *d);

/* Refuses any member that is not among the NULL-terminated `known` (names that begin with "x-" are
 * let through), and proposes the nearest. */
int json_only(
	const json_t *o, const char *where, const char *const *known, struct err *e) MUST_CHECK;

#endif
