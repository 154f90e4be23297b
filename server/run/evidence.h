/* Evidence at the server: it believes neither who uploads nor the verifier alone, but reads every
 * envelope that a release names, and judges by the gates themselves. */
#ifndef SERVER_RUN_EVIDENCE_H
#define SERVER_RUN_EVIDENCE_H

#include "proto/trust/evidence.h"
#include "server/repo/releases.h"
#include "server/run/run.h"

/* Within a transaction, for a release that is about to be published: `match` is what people signed
 * of it. Everything that it names must be here and verify; where gates are demanded, their files
 * must be here, too, and be passed now. Keeps the verdicts. ERR_UNPROVEN lists what is missing;
 * ERR_NOT_FOUND names what was not uploaded; errors of proto/trust/evidence.h. */
int evidence_check(struct run *r, const struct meta *root, const struct meta *targets,
	const char *path, const struct sha256 *document, const json_t *match,
	struct err *e) MUST_CHECK;

/* For a published release, by path or by id, before a campaign may open: the same, once more, since
 * evidence grows old and gates change. Not within a transaction: the verdicts are kept when it
 * refuses, too. Nothing is done, and 0 returned, when there is no such release: whoever opens the
 * campaign says so. */
int evidence_check_again(struct run *r, const char *release, struct err *e) MUST_CHECK;

#endif
