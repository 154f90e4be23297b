/* Releases of a toy product, made and signed in the current folder by the product's own code: keys/
 * comes from ceremony_init, signed/ is the approvers' copy of the image repository. Failures inside
 * end the test. */
#ifndef TESTS_LIB_PAPER_H
#define TESTS_LIB_PAPER_H

#include "lib/buf.h"
#include "lib/id.h"

#define PAPER_ROLES 3

extern const char *const paper_roles[PAPER_ROLES]; /* "engineering", ... */

/* Further members of the documents that are made: ", \"preconditions\": [...]"; "" at first. */
extern const char *paper_members;

struct paper {
	char path[80]; /* "toy/ID.json" */
	struct buf document;
	struct buf roles[PAPER_ROLES]; /* the approvers' files */
	struct buf artifact;           /* its only component */
	struct sha256 artifact_digest;
};

/* Makes keys/ and signed/ unless they are there. */
void paper_folder(int64_t now_s);

/* Makes ./ID.json for the hardware "edge" and has it signed by all roles. `back_to` is NULL or a
 * release that it pre-authorises. */
void paper_sign(
	const char *id, uint64_t counter, const char *back_to, int64_t now_s, struct paper *out);
/* The same with evidence: `give` names it in the terms once the document is known. The approvers'
 * answer is handed up. */
struct release_terms;
typedef void paper_give_f(void *ctx, const struct sha256 *document, struct release_terms *io);
int paper_sign_proven(const char *id, uint64_t counter, const char *back_to, int64_t now_s,
	paper_give_f *give, void *ctx, struct paper *out, struct err *e);
void paper_fini(struct paper *p);

/* The body of POST /v1/releases. */
void paper_body(const struct paper *p, struct buf *out);

/* The digest of ./ID.json; zero for "". */
void paper_digest(const char *id, struct sha256 *out);

#endif
