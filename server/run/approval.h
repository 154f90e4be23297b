/* Four eyes: who, by the name that his token says, has approved a release as which party. The
 * signatures say that three keys have signed, and every device checks them; that they are in three
 * people's hands is what these rows are for. */
#ifndef SERVER_RUN_APPROVAL_H
#define SERVER_RUN_APPROVAL_H

#include "proto/trust/verify.h"
#include "server/run/run.h"

struct approval_in {
	char path[LIMIT_TARGET_NAME];
	char role[LIMIT_ROLE_NAME];
	struct sha256 document;
	struct str file; /* the role's whole signed file, which lists the document */
	const char *who;
};

/* Records it, and an audit row. ERR_UNSIGNED when the file is not signed by the role; ERR_ALTERED
 * when it lists another document; ERR_NOT_FOUND when it does not list it, or the role is none of
 * the quorum; ERR_DENIED when the same user has approved that release as another party. */
int approval_record(struct run *r, const struct approval_in *in, struct err *e) MUST_CHECK;

/* Within a transaction, before a release is published: has every role of the quorum been approved
 * under a name that is not the publisher's? Since a user approves as one party only, those are
 * different people. ERR_DENIED names the party that is missing. Nothing is asked for unless the
 * configuration wants four eyes. `image` has a root. */
int approval_check(struct run *r, const struct trusted_set *image, const char *path,
	const struct sha256 *document, const char *publisher, struct err *e) MUST_CHECK;

#endif
