/* The roots of a repository that a person trusts, oldest first: for verifying what was signed at
 * any time. */
#ifndef SERVER_CLI_ROOTS_H
#define SERVER_CLI_ROOTS_H

#include "proto/trust/verify.h"

struct roots {
	unsigned n;
	struct meta *v; /* owned */
};

/* DIR/1.root.json is taken as it is (self-signed), each next one only as its successor. Expiry is
 * not looked at. ERR_NOT_FOUND without the first. */
int roots_load(const char *dir, struct roots *out, struct err *e) MUST_CHECK;
void roots_fini(struct roots *r);

#endif
