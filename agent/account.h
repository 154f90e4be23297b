/* Users that others than the agent run as. */
#ifndef AGENT_ACCOUNT_H
#define AGENT_ACCOUNT_H

#include "lib/err.h"

struct account {
	unsigned uid, gid; /* 0: as the agent */
};

/* The user called `name`; "" leaves *out as it is. ERR_CONFIG with the configuration's key when
 * there is none. */
int account_find(const char *key, const char *name, struct account *out, struct err *e) MUST_CHECK;

/* Whom the worker becomes: the user that is configured, else backstay-worker, else nobody. Who is
 * not root cannot become anybody else: then *out is left as it is. ERR_CONFIG. */
int account_of_worker(const char *configured, struct account *out, struct err *e) MUST_CHECK;

#endif
