/* What the files verify*.c share. */
#ifndef PROTO_TRUST_VERIFY_PRIV_H
#define PROTO_TRUST_VERIFY_PRIV_H

#include "proto/trust/meta_priv.h"
#include "proto/trust/verify.h"

/* The set takes over what *m owns. */
void trusted_adopt(struct meta *m, struct meta *slot, bool *has);

/* The pin of a new file; all that leads to it must itself be valid now. */
int trusted_pin(const struct trusted_set *t, const char *file, struct meta_pin *out,
	struct err *e) MUST_CHECK;
int trusted_version_check(const struct meta *m, const struct meta_pin *pin, const char *file,
	struct err *e) MUST_CHECK;
/* Where in t->delegated a role is held, or -1. Says nothing of who vouches for it. */
int trusted_place(const struct trusted_set *t, const char *role);

#endif
