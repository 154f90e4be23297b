/* The TUF client workflow (specification section 5) as pure steps: (trusted set, new bytes, now) ->
 * trusted set or refusal. A refused file leaves the set exactly as it was. The caller fetches and
 * stores; this decides. One engine serves both repositories. */
#ifndef PROTO_TRUST_VERIFY_H
#define PROTO_TRUST_VERIFY_H

#include "proto/trust/meta.h"

#define TRUSTED_TARGETS "targets" /* the delegator where delegations begin */

struct trusted_role {
	char name[LIMIT_ROLE_NAME]; /* of a delegated role */
	char by[LIMIT_ROLE_NAME];   /* the delegator by whose keys it was accepted */
	struct meta meta;
	bool present;
};

struct trusted_set {
	struct meta root, timestamp, snapshot, targets;
	bool has_root, has_timestamp, has_snapshot, has_targets;
	unsigned n_delegated;
	struct trusted_role delegated[LIMIT_ROLES];
	int64_t now_s; /* fixed for one refresh (section 5.1) */
};

void trusted_init(struct trusted_set *t, int64_t now_s);
void trusted_fini(struct trusted_set *t);

/* The root that was provisioned, or stored by an earlier refresh: form and self-signature, not
 * expiry. */
int trusted_load_root(struct trusted_set *t, struct str bytes, struct err *e) MUST_CHECK;
/* N+1.root.json: signed by the threshold of the present root and of itself, version exactly one
 * higher (5.3). What the set held of other roles is dropped: the new root may not vouch for it. */
int trusted_next_root(struct trusted_set *t, struct str bytes, struct err *e) MUST_CHECK;
/* After the newest root is known: ERR_EXPIRED. */
int trusted_roots_done(struct trusted_set *t, struct err *e) MUST_CHECK;

/* Metadata kept from an earlier refresh: timestamp, snapshot, targets, in this order, after the
 * newest root is known. It may have expired: it is the base for rollback checks only. When it no
 * longer verifies under the present root it is dropped silently (fast-forward recovery, 5.3.11),
 * and so are targets that the kept snapshot does not pin. */
void trusted_load_stored(struct trusted_set *t, enum role_kind kind, struct str bytes);

/* New files in the order timestamp, snapshot, targets, delegated (5.4 to 5.6). A timestamp of the
 * version that is trusted already leaves the trusted one in place (5.4.3). *out_changed is false
 * when, besides, the snapshot and targets loaded from the store are the pinned ones and have not
 * expired: then nothing further need be fetched. Snapshot and targets are checked against what
 * timestamp and snapshot pin; stored bytes may be offered first, to save fetching what has not
 * changed. ERR_UNSIGNED, ERR_EXPIRED, ERR_ROLLED_BACK, ERR_ALTERED, ERR_MIXED (version differs from
 * the pinned one, or no pin), ERR_BAD_INPUT, ERR_TOO_LARGE. */
int trusted_timestamp(
	struct trusted_set *t, struct str bytes, bool *out_changed, struct err *e) MUST_CHECK;
int trusted_snapshot(struct trusted_set *t, struct str bytes, struct err *e) MUST_CHECK;
int trusted_targets(struct trusted_set *t, struct str bytes, struct err *e) MUST_CHECK;
/* A role that top-level targets delegates to directly, by the keys under its delegation. */
int trusted_delegated(
	struct trusted_set *t, const char *role, struct str bytes, struct err *e) MUST_CHECK;
/* The same for a role that `delegator` delegates to: TRUSTED_TARGETS, or a role that is held. */
int trusted_delegated_by(struct trusted_set *t, const char *delegator, const char *role,
	struct str bytes, struct err *e) MUST_CHECK;
/* Is a role held, and do the keys under this delegation vouch for it? Several may delegate to one
 * role, each by other keys; what one of them vouched for says nothing of the others. *out_index is
 * its place in t->delegated. ERR_NOT_FOUND when it is not held, ERR_UNSIGNED. */
int trusted_held_by(const struct trusted_set *t, const char *delegator, const char *role,
	unsigned *out_index, struct err *e) MUST_CHECK;

/* What to fetch next, or what is kept: pin and byte limit of a pinned file ("snapshot.json",
 * "targets.json", "engineering.json"). The limit is the listed length or else the bound of the
 * role. Expiry is not asked for: what was kept is found under its version by a timestamp that has
 * expired, too, and the steps above check it. ERR_MIXED when the file is not pinned, ERR_TOO_LARGE
 * when more is listed than the bound allows. */
int trusted_want(const struct trusted_set *t, const char *file, struct meta_pin *out,
	size_t *out_max, struct err *e) MUST_CHECK;

/* A direct delegation of targets; NULL when no file of that role has been accepted in this refresh,
 * or only by the keys of another delegator. */
const struct meta *trusted_find_delegated(const struct trusted_set *t, const char *role);

#endif
