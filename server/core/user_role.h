/* The roles that people have on the server, and which routes each opens. */
#ifndef SERVER_CORE_USER_ROLE_H
#define SERVER_CORE_USER_ROLE_H

#include "proto/wire/routes.h"
#include "server/core/user_role.tbl.h"

enum user_role {
#define X(id, ...) USER_##id,
	USER_ROLE_TABLE(X)
#undef X
		USER_ROLE_MAX
};

const char *user_role_name(enum user_role r);
/* USER_ROLE_MAX when none is called so. */
enum user_role user_role_by_name(const char *name);
const char *user_role_text(enum user_role r);

/* Does a role open the routes of this caller? Routes for anyone and for devices are no person's. */
bool user_role_may(enum user_role r, enum route_caller caller);
/* Is it a route that asks who the person is? */
bool caller_is_person(enum route_caller caller);

#endif
