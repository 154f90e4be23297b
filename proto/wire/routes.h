/* The routes as a table, and how a path is matched against them. */
#ifndef PROTO_WIRE_ROUTES_H
#define PROTO_WIRE_ROUTES_H

#include "lib/buf.h"
#include "proto/wire/limits.h"
#include "proto/wire/routes.tbl.h"

enum route {
#define X(id, ...) ROUTE_##id,
	ROUTE_TABLE(X)
#undef X
		ROUTE_MAX
};
enum route_caller {
	CALLER_ANYONE,
	CALLER_DEVICE,
	CALLER_INVITED, /* shows an invitation to enrol */
	CALLER_HOLDER,  /* shows a certificate that may have ended lately */
	CALLER_VIEWER,
	CALLER_OPERATOR,
	CALLER_APPROVER,
	CALLER_ADMIN,
	CALLER_MAX
};

#define ROUTE_ARGS_MAX 3

/* The route of a method and a path (without query). Each {name} takes one non-empty segment of at
 * most 256 bytes, already percent-decoded by the caller; views into `path`. ROUTE_MAX when none
 * fits; *out_other_method tells whether the path would fit with another method. */
enum route route_match(const char *method, struct str path, struct str args[ROUTE_ARGS_MAX],
	bool *out_other_method);

const char *route_method(enum route r);
const char *route_path(enum route r);
const char *route_text(enum route r);
enum route_caller route_caller(enum route r);
uint64_t route_body_limit(enum route r);

/* Writes the path of a route with its {names} filled in; ERR_TOO_LARGE. */
int route_format(
	enum route r, const char *const *args, char *out, size_t cap, struct err *e) MUST_CHECK;

#endif
