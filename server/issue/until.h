/* When a certificate file ends. */
#ifndef SERVER_ISSUE_UNTIL_H
#define SERVER_ISSUE_UNTIL_H

#include "lib/err.h"

/* Of the first certificate of a PEM file, in seconds since 1970. ERR_CONFIG when there is none. */
int certificate_until(const char *path, int64_t *out_s, struct err *e) MUST_CHECK;

#endif
