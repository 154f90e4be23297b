/* One approver's signature under a release. */
#ifndef KEYS_RELEASE_SIGN_H
#define KEYS_RELEASE_SIGN_H

#include "keys/keystore.h"
#include "proto/trust/evidence.h"

/* What every approver must state in the same way. */
struct release_terms {
	unsigned n_hardware; /* at least one */
	char hardware[LIMIT_HARDWARE_IDS][ID_TEXT_MAX];
	uint64_t counter;
	unsigned n_rollback_to; /* releases of the same product that the role has signed before */
	struct rel_id rollback_to[LIMIT_ROLLBACK_TO];
	struct sha256 creator; /* digest of the public key of whoever made it; zero: not named */
	struct evidence_list evidence;        /* envelopes that the release carries */
	struct str envelopes[LIMIT_EVIDENCE]; /* their bytes, borrowed */
};

struct release_signed {
	char file[96];                /* "3.engineering.json", in repo_dir */
	char path[LIMIT_TARGET_NAME]; /* "ocr/ocr-4.json": what was signed */
	struct sha256 document;
	bool changed;  /* false: it was signed already, nothing was written */
	bool complete; /* the role's threshold is reached */
};

/* Lists the release document in `role`'s file: a new file of the next version with fresh expiry
 * (half a year), signed with all keys that the store holds of the role. `repo_dir` is a copy of the
 * image repository (N.root.json, N.targets.json, N.ROLE.json). `bundle_dir` may be NULL, or a
 * folder that travels between the holders of the role's keys: a file that waits there for more
 * signatures is gone on with, and what was signed is written there, too.
 *
 * What is built upon was signed by the role's threshold, so nothing can be slipped in. A file that
 * waits for more signatures gets them when it says exactly what this call would have written, and
 * is refused as ERR_MIXED otherwise. A document that is listed under this name with other content
 * is ERR_CONFLICT: a release never changes. ERR_NOT_FOUND when the store has no key of the role or
 * a rollback_to is not listed; ERR_DENIED when the creator's key is one of the role's: nobody
 * approves what is his own; ERR_UNSIGNED when the repository does not verify. All evidence
 * is verified as everybody will, and where it is demanded, the gates must be passed: nobody is
 * asked to sign what no device would take (any error of proto/trust/evidence.h). */
int release_sign(const char *repo_dir, const char *bundle_dir, const struct keystore *ks,
	const char *role, const char *document_path, const struct release_terms *terms,
	int64_t now_s, struct release_signed *out, struct err *e) MUST_CHECK;

#endif
