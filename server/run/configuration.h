/* The history of what a device is: its hardware, agent, labels, slot and the release that it runs.
 */
#ifndef SERVER_RUN_CONFIGURATION_H
#define SERVER_RUN_CONFIGURATION_H

#include "proto/wire/json.h"
#include "proto/wire/report.h"
#include "server/repo/configurations.h"
#include "server/run/run_priv.h"

/* Within the transaction of a report: adds a row when the device is otherwise than it was, and one
 * to the audit log that names its digest, so that nobody can change the history unseen. */
int configuration_note(struct run *r, const struct device_row *d, enum report_kind source,
	struct err *e) MUST_CHECK;

/* The members that the digest is of, the caller's to free: {"device", "hardware", "agent",
 * "labels", "slot", "release", "release_digest"}, those that are empty left out. */
json_t *configuration_encode(const struct configuration_row *c);
/* SHA-256 of their canonical JSON. */
void configuration_digest(const struct configuration_row *c, struct sha256 *out);

#endif
