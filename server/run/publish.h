/* Publishing a release: what people have signed is checked, and becomes part of the image
 * repository. */
#ifndef SERVER_RUN_PUBLISH_H
#define SERVER_RUN_PUBLISH_H

#include "proto/wire/limits.h"
#include "server/run/rolefiles.h"
#include "server/run/run.h"

struct publish_in {
	char path[LIMIT_TARGET_NAME]; /* "ocr/ocr-2.json" */
	struct str document;
	unsigned n_roles;
	struct role_file roles[LIMIT_ROLES];
	struct str root; /* the next root, or empty */
	char who[ID_TEXT_MAX];
};

/* Verifies the role files' signatures, versions and expiry, that all roles of the quorum list this
 * very document, that its counter is not lower than that of any release of the product, that every
 * artifact is here, that with four eyes every party is known by name (approval.h), and that its
 * evidence verifies and passes the gates that are demanded (evidence.h); has a new snapshot and
 * timestamp signed, and verifies the whole as a device would. All or nothing; durable on return.
 * *out_new is false when exactly this was published before. ERR_CONFLICT when the path or the
 * release's id has another document already; ERR_ROLLED_BACK for the counter; ERR_DENIED for four
 * eyes; errors of proto/trust; ERR_NOT_FOUND names an artifact. */
int publish_release(struct run *r, const struct publish_in *in, struct sha256 *out_document,
	bool *out_new, struct err *e) MUST_CHECK;

#endif
