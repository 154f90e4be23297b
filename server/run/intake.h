/* Reports of devices. */
#ifndef SERVER_RUN_INTAKE_H
#define SERVER_RUN_INTAKE_H

#include "proto/wire/report.h"
#include "server/run/run.h"

/* A report that was decoded from `body`: registers the device if it is new, updates what is known
 * of it, moves its campaign. Durable on return, except for PROGRESS, which is gathered and written
 * within a second. Idempotent by sequence number: *out_duplicate, and nothing has happened. A
 * device that says hello with an old number, but other words, has been reinstalled and begins to
 * count anew. */
int intake_report(struct run *r, const char *device, const struct report *report, struct str body,
	bool *out_duplicate, struct err *e) MUST_CHECK;

#endif
