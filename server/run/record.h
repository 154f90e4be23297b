/* Records for those who must show how updates were done (docs/records.md): everything that the
 * store knows of one vehicle, or of one release, as JSON (manifests/schema/vehicle-record.json,
 * release-record.json). What is not known is said to be missing.
 *
 * A record is anchored in the audit log: a row tells who was given it, with its SHA-256, and a
 * checkpoint that is signed then covers this row and all rows that the record names. */
#ifndef SERVER_RUN_RECORD_H
#define SERVER_RUN_RECORD_H

#include "proto/wire/json.h"
#include "server/run/run.h"

/* {"format": 1, "record": {...}, "anchor": {...}}, the caller's to free. Blocks for as long as it
 * takes to read all that, which grows with the recipients. ERR_NOT_FOUND. */
int record_vehicle(
	struct run *r, const char *device, const char *by, json_t **out, struct err *e) MUST_CHECK;
int record_release(
	struct run *r, const char *release, const char *by, json_t **out, struct err *e) MUST_CHECK;

#endif
