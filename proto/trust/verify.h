/* The TUF client workflow (specification section 5) as pure steps: (trusted set, new bytes, now) ->
 * trusted set or refusal. A refused file leaves the set exactly as it was. The caller fetches and
 * stores; this decides. One engine serves both repositories. */
#ifndef PROTO_TRUST_VERIFY_H
#define PROTO_TRUST_VERIFY_H

#include "proto/trust/meta.h"

struct trusted_role {
	char name[LIMIT_ROLE_NAME]; /* of a delegated role */
	struct meta meta;
	bool present;
};

struct trusted_set {
	struct meta root, timestamp, snapshot, targets;
	bool has_root, has_timestamp, has_snapshot, has_targets;
	unsigned n_delegated;
	struct trusted_role delegated[LIMIT_DELEGATIONS];
	int64_t now_s; /* fixed for one refresh (section 5.1) */
};

void trusted_init(struct trusted_set *t, int64_t now_s);
void trusted_fini(struct trusted_set *t);

/* The root that was provisioned, or stored by an earlier refresh: form and self-signature, not
 * expiry. */
int trusted_load_root(struct trusted_set *t, struct str bytes, struct err *e) MUST_CHECK;
/* N+1.root.json: signed by the threshold of the present root and of itself, version exactly one
 * higher (5.3). */
int trusted_next_root(struct trusted_set *t, struct str bytes, struct err *e) MUST_CHECK;
/* After the newest root is known: ERR_EXPIRED. */
int trusted_roots_done(struct trusted_set *t, struct err *e) MUST_CHECK;

/* Metadata kept from an earlier refresh, oldest role first. It may have expired: it is the base for
 * rollback checks only. When it no longer verifies under the present root it is dropped silently
 * (fast-forward recovery, 5.3.11). */
void trusted_load_stored(struct trusted_set *t, enum role_kind kind, struct str bytes);

/* New files in the order timestamp, snapshot, targets, delegated (5.4 to 5.6). *out_changed is
 * false when the timestamp is the one that is trusted already, and then nothing further need be
 * fetched. Snapshot and targets are checked against what timestamp and snapshot pin. ERR_UNSIGNED,
 * ERR_EXPIRED, ERR_ROLLED_BACK, ERR_ALTERED, ERR_MIXED (version differs from the pinned one),
 * ERR_BAD_INPUT, ERR_TOO_LARGE. */
int trusted_timestamp(
	struct trusted_set *t, struct str bytes, bool *out_changed, struct err *e) MUST_CHECK;
int trusted_snapshot(struct trusted_set *t, struct str bytes, struct err *e) MUST_CHECK;
int trusted_targets(struct trusted_set *t, struct str bytes, struct err *e) MUST_CHECK;
/* A role that top-level targets delegates to directly. */
int trusted_delegated(
	struct trusted_set *t, const char *role, struct str bytes, struct err *e) MUST_CHECK;

/* What to fetch next: version and byte limit of a pinned file ("snapshot.json", "targets.json",
 * "engineering.json"). */
int trusted_want(const struct trusted_set *t, const char *file, struct meta_pin *out,
	size_t *out_max, struct err *e) MUST_CHECK;

const struct meta *trusted_find_delegated(const struct trusted_set *t, const char *role);

#endif
