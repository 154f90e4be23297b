/* A device asks for its desired state: the hot path of the server. */
#ifndef SERVER_RUN_ADMIT_H
#define SERVER_RUN_ADMIT_H

#include "server/run/run.h"

/* Notes the contact, admits the device when its campaign lets it in, and signs its files when they
 * are not current. *out_etag is that of its timestamp.json afterwards; `has` is the one that the
 * device has already, or "". Costs one read when nothing is to do. ERR_NOT_FOUND when the device
 * has never reported. */
int admit_poll(struct run *r, const char *device, const char *has, char out_etag[80],
	struct err *e) MUST_CHECK;

/* Somebody carries its files to a device that cannot ask: admits it when its campaign lets it in.
 * No contact is noted, because there was none. ERR_NOT_FOUND. */
int admit_carried(struct run *r, const char *device, struct err *e) MUST_CHECK;

#endif
