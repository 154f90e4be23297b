/* In-toto statements, version 1 (https://github.com/in-toto/attestation): somebody says something
 * of a predicate type about subjects, which are named by digest. Pure. To be read from a payload
 * whose signature has been verified, and not before. */
#ifndef PROTO_TRUST_ATTEST_H
#define PROTO_TRUST_ATTEST_H

#include "lib/id.h"
#include "proto/wire/json.h"
#include "proto/wire/predicate.h"

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"

struct statement {
	json_t *doc; /* owned; as json_read_foreign gave it */
	enum predicate kind;
	char type[LIMIT_PREDICATE_TYPE]; /* predicateType as it stands */
	unsigned n_subjects;
	struct sha256 subjects[LIMIT_SUBJECTS];
	const json_t *predicate; /* in doc */
	int64_t made_s;          /* when, by its own words; 0: it does not say */
};

void statement_fini(struct statement *s);
#define STATEMENT_AUTO CLEANUP(statement_fini) struct statement

/* Checks _type, that every subject has a sha256 (others are of no use here), that the predicateType
 * is a row of predicate.tbl.h, and the fields which that kind must have. Other members are allowed.
 * Numbers may be fractions. ERR_BAD_INPUT, ERR_TOO_LARGE. */
int statement_parse(struct str payload, struct statement *out, struct err *e) MUST_CHECK;

/* Is it about these bytes? Names of subjects decide nothing. */
bool statement_is_about(const struct statement *s, const struct sha256 *digest);

/* The value of "metrics.p99_ms" or "configuration.0.name" in the predicate, or NULL. */
const json_t *statement_field(const struct statement *s, const char *path);

/* What a test ran as and where: name and annotations.deviceClass of its first configuration; "" for
 * other kinds. */
const char *statement_suite(const struct statement *s);
const char *statement_device_class(const struct statement *s);

/* The verdict of kinds that have one: a test's and a summary's result is PASSED, a consent was
 * granted, every licence was accepted. `out_seen` (of at least 48 bytes) says what stands there.
 * True for kinds without a verdict, with "". */
bool statement_says_yes(const struct statement *s, char *out_seen, size_t cap);

#endif
