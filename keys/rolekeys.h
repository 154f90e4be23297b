/* Who may sign a role, as a root or targets file lists it, and a change of that. Pure.
 *
 * The roles "time" and "audit" stand beside the others in a director's root; a witness ("lab") is
 * in x-backstay-evidence of targets; any other is in "roles" of a root or in "delegations" of
 * targets.
 */
#ifndef KEYS_ROLEKEYS_H
#define KEYS_ROLEKEYS_H

#include "keys/pubfile.h"

struct role_change {
	const char *role;
	unsigned n_add;
	const struct pub_file *add;
	unsigned n_drop;
	const char *const *drop; /* key ids, or their beginning, at least 8 digits */
	bool only_added;         /* drop whatever is not added */
	unsigned threshold;      /* 0: as it is */
};

/* Roles that stand in a member of their own, because the roles of a TUF root are a closed list. */
#define ROLES_BESIDE 2
struct role_beside {
	const char *role, *member;
};
extern const struct role_beside roles_beside[ROLES_BESIDE];

/* {"keyids", "threshold"} of a role, borrowed; NULL when the file has no such role. */
json_t *role_signers(const json_t *part, const char *role);
/* The keys of a root or of delegations, by id, borrowed. */
json_t *role_key_list(const json_t *part);
/* Those among which a role's are listed: a witness has its own list. */
json_t *role_keys(const json_t *part, const char *role);

/* Changes a "signed" part in place; on failure it may be half changed, and is to be thrown away.
 * Keys that nobody refers to any more leave the list. ERR_NOT_FOUND: no such role or key.
 * ERR_CONFLICT: fewer keys than the threshold, a key that the role has, or one that another role
 * has (a public key counts in one role only). */
int role_change_apply(json_t *part, const struct role_change *c, struct err *e) MUST_CHECK;

#endif
