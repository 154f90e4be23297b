#include "server/core/user_role.h"

#include <string.h>

#define MAY(caller) (1U << CALLER_##caller)

static const struct user_role_row {
	const char *name;
	unsigned may;
	const char *text;
} rows[USER_ROLE_MAX] = {
#define X(id, name, may, text) [USER_##id] = {name, may, text},
	USER_ROLE_TABLE(X)
#undef X
};

const char *user_role_name(enum user_role r)
{
	return r < USER_ROLE_MAX ? rows[r].name : "unknown";
}

const char *user_role_text(enum user_role r)
{
	return r < USER_ROLE_MAX ? rows[r].text : "unknown";
}

enum user_role user_role_by_name(const char *name)
{
	enum user_role r = 0;

	while (r < USER_ROLE_MAX && strcmp(rows[r].name, name) != 0)
		r++;
	return r;
}

bool user_role_may(enum user_role r, enum route_caller caller)
{
	return r < USER_ROLE_MAX && caller_is_person(caller) && (rows[r].may >> caller & 1U);
}

bool caller_is_person(enum route_caller caller)
{
	return caller == CALLER_VIEWER || caller == CALLER_OPERATOR || caller == CALLER_APPROVER ||
	       caller == CALLER_ADMIN;
}
