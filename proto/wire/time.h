/* Points in time as documents write them. */
#ifndef PROTO_WIRE_TIME_H
#define PROTO_WIRE_TIME_H

#include "lib/err.h"
#include "lib/str.h"

/* Seconds since 1970 for "YYYY-MM-DDThh:mm:ssZ", and nothing else. */
int time_parse(struct str text, int64_t *out_s, struct err *e) MUST_CHECK;
void time_format(int64_t s, char out[21]);

#endif
