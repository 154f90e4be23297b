/* The two kinds of records, filled from the store. */
#ifndef SERVER_RUN_RECORD_WHOLE_H
#define SERVER_RUN_RECORD_WHOLE_H

#include "server/run/record_priv.h"

int record_whole_vehicle(
	struct run *r, const char *device, json_t *record, struct err *e) MUST_CHECK;
int record_whole_release(
	struct run *r, const struct release_row *row, json_t *record, struct err *e) MUST_CHECK;

#endif
