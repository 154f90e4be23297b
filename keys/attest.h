/* Evidence being written: statements, the envelopes that hold them signed, and the summary of a
 * gate that was passed. Pure but for the private keys. */
#ifndef KEYS_ATTEST_H
#define KEYS_ATTEST_H

#include "keys/sign.h"
#include "proto/trust/attest.h"

struct attest_subject {
	char name[LIMIT_TARGET_NAME]; /* for people; the digest is what counts */
	struct sha256 digest;
};

/* Appends a statement. `predicate` is JSON as its maker wrote it, fractions and all: it is taken
 * over byte for byte. The result is read back as everybody will read it. ERR_BAD_INPUT. */
int attest_write(const char *type, const struct attest_subject *subjects, unsigned n,
	struct str predicate, struct buf *out, struct err *e) MUST_CHECK;

/* Appends an envelope around a statement, with one signature of each key. ERR_BAD_INPUT when it is
 * no statement: nobody signs what nobody can read. */
int attest_sign(struct str statement, const struct sign_key *const *keys, unsigned n,
	struct buf *out, struct err *e) MUST_CHECK;
/* The same for an envelope that is signed already: its signatures stay. */
int attest_sign_more(struct str envelope, const struct sign_key *const *keys, unsigned n,
	struct buf *out, struct err *e) MUST_CHECK;

/* Appends the predicate of a verification summary that says PASSED. */
struct attest_summary {
	const char *verifier; /* name of the key that signs it */
	const char *path;     /* "ocr/ocr-4.json" */
	const char *gate;     /* its name */
	struct sha256 policy; /* digest of the gate's file */
	int64_t now_s;
	unsigned n_inputs; /* envelopes that were judged */
	struct sha256 inputs[LIMIT_EVIDENCE];
};
void attest_summary(const struct attest_summary *s, struct buf *out);

#endif
