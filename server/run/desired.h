/* The director's files of one device, signed on demand and kept until what they say changes or half
 * of their life is over. */
#ifndef SERVER_RUN_DESIRED_H
#define SERVER_RUN_DESIRED_H

#include "server/run/run.h"

struct meta_row;

/* Signs what is not there, is about an older desired state or is getting old. */
int desired_sign(struct run *r, const char *device, struct err *e) MUST_CHECK;

/* One file by name. timestamp.json is what is stored: admit_poll comes before it. */
int desired_file(struct run *r, const char *device, struct str name, struct meta_row *out,
	struct err *e) MUST_CHECK;

/* Appends a time token for a device whose files are signed: what time it is, and which
 * timestamp.json is the newest. `nonce` has been parsed. ERR_NOT_FOUND when the fleet has none. */
int desired_time(struct run *r, const char *device, const char *nonce, struct buf *out,
	struct err *e) MUST_CHECK;

#endif
