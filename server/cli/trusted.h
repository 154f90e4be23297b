/* The copy of the image repository that a command trusts. */
#ifndef SERVER_CLI_TRUSTED_H
#define SERVER_CLI_TRUSTED_H

#include "proto/trust/verify.h"
#include "server/cli/packed.h"

/* Roots from the oldest to the newest, then the newest top-level targets, signed and not expired.
 * *out is the caller's to trusted_fini, also on failure. */
int trusted_open(const struct cli *c, struct trusted_set *out, struct err *e) MUST_CHECK;

/* The digest of a packed release's document, and its name in the repository ("ocr/ocr-4.json";
 * `path` may be NULL). */
int trusted_document(const char *dir, char path[LIMIT_TARGET_NAME], struct sha256 *out,
	struct err *e) MUST_CHECK;

/* The digests of the gates that --gate names, each of which must be one. */
int trusted_gates(const struct cli *c, struct sha256 out[LIMIT_GATES], unsigned *out_n,
	struct err *e) MUST_CHECK;

#endif
