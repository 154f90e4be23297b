/* The kinds of evidence as a table. */
#ifndef PROTO_WIRE_PREDICATE_H
#define PROTO_WIRE_PREDICATE_H

#include "lib/str.h"
#include "proto/wire/limits.h"
#include "proto/wire/predicate.tbl.h"

enum predicate {
#define X(id, ...) PREDICATE_##id,
	PREDICATE_TABLE(X)
#undef X
		PREDICATE_MAX
};

const char *predicate_name(enum predicate p); /* "test-result" */
const char *predicate_type(enum predicate p); /* its predicateType, without a version */
const char *predicate_made_at(enum predicate p);
const char *predicate_text(enum predicate p);

/* The kind of a predicateType, or PREDICATE_MAX. */
enum predicate predicate_by_type(struct str type);
/* The first kind of that short name, or PREDICATE_MAX. */
enum predicate predicate_by_name(const char *name);

#endif
