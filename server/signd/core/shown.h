/* The image repository as the process that signs believes it: shown by the server, verified from
 * the root that was provisioned, never going back. Pure. */
#ifndef SERVER_SIGND_CORE_SHOWN_H
#define SERVER_SIGND_CORE_SHOWN_H

#include "server/signd/core/ask.h"
#include "server/signd/core/reply.h"

struct shown_role {
	char name[LIMIT_ROLE_NAME]; /* "targets", "engineering", ... */
	uint64_t version;
	struct buf bytes;
};

struct shown {
	/* What a device would trust that asks now. has_targets is false as long as that is not
	 * known: then no release is allowed. */
	struct trusted_set trusted;
	struct buf root; /* the newest */
	unsigned n;
	struct shown_role roles[LIMIT_ROLES];
	struct signed_file files[SIGN_FILE_MAX]; /* snapshot and timestamp as signed last */
};

void shown_init(struct shown *im);
void shown_fini(struct shown *im);
/* For CLEANUP on a pointer. */
void shown_free(struct shown **im);

/* What was kept, into an empty *im: the root must verify by itself; whether the rest does, and has
 * not expired, shows in trusted.has_targets. ERR_UNSIGNED, ERR_BAD_INPUT. */
int shown_load(struct shown *im, int64_t now_s, struct err *e) MUST_CHECK;

/* What `have` becomes when it is shown these files: newer roots by the chain, of every role the
 * newest file, each signed by who may sign it and not expired. A file that is older than the one
 * that is held leaves that one in place. `have` is not touched. ERR_UNSIGNED, ERR_EXPIRED,
 * ERR_CONFLICT (a version that is held with other content), ERR_BAD_INPUT. */
int shown_draft(const struct shown *have, const struct ask_image *shown, int64_t now_s,
	struct shown *out, struct err *e) MUST_CHECK;

/* Does the snapshot that was signed last pin exactly the role files that are held, under a root
 * that still vouches for it? */
bool shown_is_pinned(const struct shown *draft);

/* After files[] are signed: the whole client workflow over all of it, as a device does it; with a
 * path, the quorum's agreement on this document, too. Whatever it refuses, a device would. */
int shown_settle(struct shown *draft, const struct ask_image *shown, struct err *e) MUST_CHECK;

#endif
