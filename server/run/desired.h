/* The director's files of one device, signed on demand and kept until what they say changes or half
 * of their life is over. */
#ifndef SERVER_RUN_DESIRED_H
#define SERVER_RUN_DESIRED_H

#include "server/repo/devices.h"
#include "server/repo/metadata.h"
#include "server/run/run.h"

/* Signs what is not there, is about an older desired state or is getting old. */
int desired_sign(struct run *r, const char *device, struct err *e) MUST_CHECK;
/* The same within a transaction. */
int desired_renew(struct run *r, const char *device, struct err *e) MUST_CHECK;

/* Within a transaction: all of a device's files anew, to be carried to it, with that life. The next
 * poll signs others with higher versions: what is carried is never what is served. */
struct desired_files {
	struct device_row d;
	struct meta_row file[SIGN_FILE_MAX]; /* owned */
};
int desired_sign_carried(struct run *r, const char *device, ms_t life, struct desired_files *out,
	struct err *e) MUST_CHECK;
void desired_files_fini(struct desired_files *f);

/* One file by name. timestamp.json is what is stored: admit_poll comes before it. */
int desired_file(struct run *r, const char *device, struct str name, struct meta_row *out,
	struct err *e) MUST_CHECK;

/* Appends a time token for a device whose files are signed: what time it is, and which
 * timestamp.json is the newest. `nonce` has been parsed. ERR_NOT_FOUND when the fleet has none. */
int desired_time(struct run *r, const char *device, const char *nonce, struct buf *out,
	struct err *e) MUST_CHECK;

#endif
