/* What several parts of the release document have in common. */
#ifndef PROTO_WIRE_RELEASE_PRIV_H
#define PROTO_WIRE_RELEASE_PRIV_H

#include "proto/wire/json.h"
#include "proto/wire/limits.h"

/* The member "argv": a command and its arguments; at least the command. */
int release_argv_parse(const json_t *j, const char *where, char argv[LIMIT_ARGV][LIMIT_ARG_BYTES],
	unsigned *out_argc, struct err *e) MUST_CHECK;
/* A path that goes into a request line as it is. */
int release_url_path_check(
	const char *path, const char *where, const char *key, struct err *e) MUST_CHECK;

#endif
