/* Names of metadata files: "7.engineering.json", or without a version "timestamp.json". */
#ifndef SERVER_RUN_META_NAME_H
#define SERVER_RUN_META_NAME_H

#include "lib/id.h"
#include "proto/wire/limits.h"

struct meta_name {
	uint64_t version; /* 0: not given */
	char role[LIMIT_ROLE_NAME];
};

/* ERR_NOT_FOUND when it is no such name. */
int meta_name_parse(struct str file, struct meta_name *out, struct err *e) MUST_CHECK;

#endif
