/* Updates that are carried to a device by hand: everything that `backstay-agent --from` reads, as
 * files of a folder. The two repositories are the same as those that are served; only the online
 * files are signed anew, for longer, and the director's say that they are made to be carried. */
#ifndef SERVER_RUN_CARRY_H
#define SERVER_RUN_CARRY_H

#include "server/run/run.h"

/* Each metadata file or document of the folder, and then each artifact that belongs into
 * artifacts/DIGEST. */
struct carry_out {
	void *ctx;
	int (*file)(void *ctx, const char *path, struct str text, struct err *e);
	int (*artifact)(void *ctx, const struct sha256 *digest, uint64_t length, struct err *e);
};

/* Asks in the device's place, signs, and hands out everything. `who` stands in the audit log.
 * ERR_NOT_FOUND, ERR_CONFLICT when nothing is desired of it. */
int carry_device(struct run *r, const char *device, ms_t life, const char *who,
	const struct carry_out *out, struct err *e) MUST_CHECK;

#endif
