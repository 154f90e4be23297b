/* Evidence for tests: the witnesses with fresh keys, as a ceremony makes them, statements, and
 * the field of top-level targets that allows them. Failures inside end the test. */
#ifndef TESTS_LIB_WITNESS_H
#define TESTS_LIB_WITNESS_H

#include "keys/attest.h"
#include "keys/repo.h"

enum witness_role { WITNESS_BUILDER, WITNESS_LAB, WITNESS_COUNSEL, WITNESS_JUDGE, WITNESS_ROLES };

struct witness {
	struct sign_key keys[WITNESS_ROLES];
	unsigned lab_threshold; /* 1 */
	struct sign_key lab_2;  /* the lab's second key */
};

void witness_init(struct witness *w);
/* With the keys that a ceremony left in a folder. */
void witness_load(struct witness *w, const char *dir);
void witness_fini(struct witness *w);

/* Puts the witnesses, and each of the gates, into a repository's top-level targets. */
void witness_allow(
	const struct witness *w, json_t *targets, const struct sha256 *gates, unsigned n_gates);

/* A predicate that passes for the kind: TEST_RESULT as suite "hil" on "edge" with p99_ms as given;
 * VSA: see witness_summary. `now_s` is when it says it was made. */
void witness_predicate(enum predicate kind, const char *p99_ms, int64_t now_s, struct buf *out);
/* A statement of that predicate type about a document. */
void witness_statement(
	const char *type, struct str predicate, const struct sha256 *document, struct buf *out);
/* The same for a kind with its own predicate, in an envelope signed by the right witness. */
void witness_envelope(const struct witness *w, enum predicate kind, const char *p99_ms,
	int64_t now_s, const struct sha256 *document, struct buf *out);
/* The verifier's summary: `path`, which is `document`, has passed the gate `policy`. */
void witness_summary(const struct witness *w, const char *path, const struct sha256 *document,
	const struct sha256 *policy, int64_t now_s, struct buf *out);
/* The same, made from this evidence. */
void witness_summary_of(const struct witness *w, const char *path, const struct sha256 *document,
	const struct sha256 *policy, const struct evidence_list *inputs, int64_t now_s,
	struct buf *out);
/* Names an envelope in a match. */
void witness_name(const char *type, struct str envelope, struct evidence_list *list);

#endif
