/* The evidence in a release's folder:
 *
 *   DIR/evidence/NAME.json        a statement, as its maker wrote it
 *   DIR/evidence/NAME.dsse.json   the envelope around it: this is what the release carries
 *   DIR/evidence/NAME.gate.json   a gate that it has passed
 */
#ifndef SERVER_CLI_PACKED_EVIDENCE_H
#define SERVER_CLI_PACKED_EVIDENCE_H

#include "server/cli/packed.h"

#define EVIDENCE_FOLDER   "evidence"
#define EVIDENCE_ENVELOPE ".dsse.json"
#define EVIDENCE_GATE     ".gate.json"
#define EVIDENCE_NAME     96

struct packed_evidence {
	unsigned n;
	char name[LIMIT_EVIDENCE][EVIDENCE_NAME]; /* of the files, in order */
	struct buf bytes[LIMIT_EVIDENCE];
	struct evidence_list refs;
};

/* All envelopes of DIR, none when there is no such folder. Nothing is verified: a reference says
 * what the envelope says of itself. */
int packed_evidence_load(const char *dir, struct packed_evidence *out, struct err *e) MUST_CHECK;
void packed_evidence_fini(struct packed_evidence *ev);
/* Fini and free, for CLEANUP. */
void packed_evidence_drop(struct packed_evidence **ev);

/* Lets the terms name all of it; they borrow the bytes. */
void packed_evidence_all(const struct packed_evidence *ev, struct release_terms *io);
/* Brings the bytes of what the terms name already. ERR_NOT_FOUND. */
int packed_evidence_named(
	const struct packed_evidence *ev, struct release_terms *io, struct err *e) MUST_CHECK;

/* Calls `each` with the path of every file of DIR/evidence whose name ends so, in order of names.
 */
typedef int packed_each_f(void *ctx, const char *path, const char *name, struct err *e);
int packed_evidence_each(const char *dir, const char *suffix, packed_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

#endif
