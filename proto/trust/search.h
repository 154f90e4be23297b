/* Which role speaks of a target? The search through delegations (TUF specification 5.6.7): in the
 * order in which they stand, depth first, each role asked before those below it and once at most,
 * and no more of them than a bound. Pure: what it lacks it names, and goes on when the set holds
 * it. */
#ifndef PROTO_TRUST_SEARCH_H
#define PROTO_TRUST_SEARCH_H

#include "proto/trust/verify.h"

/* A delegation that is still to be followed. */
struct search_edge {
	uint8_t delegator; /* place in the set's `delegated`; SEARCH_TOP: targets */
	uint8_t at;        /* place among its delegations */
};
#define SEARCH_TOP LIMIT_ROLES

struct search {
	char path[LIMIT_TARGET_NAME];
	bool began;
	uint64_t asked; /* bit i: delegated[i] */
	unsigned n_asked;
	unsigned n_edges; /* the last one is next */
	struct search_edge edges[(LIMIT_SEARCH_ROLES + 1) * LIMIT_DELEGATIONS];
};

enum search_state { SEARCH_ABSENT, SEARCH_FOUND, SEARCH_WANTS };

struct search_at {
	enum search_state state;
	struct meta_pin file; /* found: its length and hashes */
	/* wanted: the role to be given to trusted_delegated_by, and who delegates to it */
	char delegator[LIMIT_ROLE_NAME], role[LIMIT_ROLE_NAME];
};

/* ERR_TOO_LARGE, ERR_BAD_INPUT for a name that cannot be a target's. */
int search_init(struct search *s, const char *path, struct err *e) MUST_CHECK;

/* As far as it gets with what the set holds; the set may gain roles between two calls, and nothing
 * else. A role that is held already is checked by the keys of the delegator it is now reached by:
 * ERR_UNSIGNED ends the search, as does a target that is listed without any known hash
 * (ERR_BAD_INPUT), and more than LIMIT_SEARCH_ROLES roles (ERR_TOO_LARGE). */
int search_step(struct search *s, const struct trusted_set *t, struct search_at *out,
	struct err *e) MUST_CHECK;

#endif
