/* One client's update cycle over one repository (TUF specification 5): what to bring next, and what
 * comes of the bytes. Pure. Whoever drives it brings files from a store and from a server:
 *
 *	refresh_begin(&r, root.json)
 *	while refresh_plan(&r, &want) says something is wanted:
 *		if the store has want.store, and refresh_offer(&r, bytes): next
 *		fetch want.remote, at most want.max bytes
 *		not there and want.may_miss: refresh_miss(&r)
 *		else refresh_accept(&r, bytes, &keep)
 *		keep: put the bytes into the store as want.store
 *
 * and the same again after each refresh_seek, which searches a target through delegations. Any
 * failure ends the cycle; what was accepted before stays good. */
#ifndef PROTO_TRUST_REFRESH_H
#define PROTO_TRUST_REFRESH_H

#include "proto/trust/search.h"

#define REFRESH_NAME (3 * LIMIT_ROLE_NAME + 32) /* "9007199254740991.ROLE.json", quoted */

enum refresh_step {
	REFRESH_ROOT,
	REFRESH_TIMESTAMP,
	REFRESH_SNAPSHOT,
	REFRESH_TARGETS,
	REFRESH_ROLE, /* a search is on */
	REFRESH_DONE,
	REFRESH_STEP_MAX
};

struct refresh {
	struct trusted_set set;
	enum refresh_step step;
	unsigned n_roots; /* taken in this cycle */
	struct search search;
	struct search_at at;
};

struct refresh_want {
	char remote[REFRESH_NAME]; /* beneath the address of the metadata: "2.root.json" */
	char store[REFRESH_NAME]; /* without a version: "root.json"; roles are quoted: "%3F.json" */
	size_t max;
	bool may_offer; /* what the store has of it may do, or is a base for rollback checks */
	bool may_miss;  /* that the server has none is an answer */
};

void refresh_init(struct refresh *r, int64_t now_s);
void refresh_fini(struct refresh *r);
/* The root that is trusted: provisioned, or stored by an earlier cycle. */
int refresh_begin(struct refresh *r, struct str root, struct err *e) MUST_CHECK;

/* *out_done: nothing more is wanted. ERR_MIXED when a role is wanted that the snapshot does not
 * list; the errors of search_step. */
int refresh_plan(
	struct refresh *r, struct refresh_want *out, bool *out_done, struct err *e) MUST_CHECK;
/* True when the stored bytes are what is wanted. Otherwise nothing is lost. */
bool refresh_offer(struct refresh *r, struct str bytes);
/* What the server sent. *out_keep: it is now trusted, and to be stored. A timestamp of the version
 * that is trusted already is fine, but not kept. The errors of trusted_*, and ERR_TOO_LARGE after
 * LIMIT_ROOT_ROTATIONS roots: the next cycle goes on behind them. */
int refresh_accept(struct refresh *r, struct str bytes, bool *out_keep, struct err *e) MUST_CHECK;
/* The server has no such file: after the last root that is as it should be, and its expiry is
 * looked at (ERR_EXPIRED); otherwise ERR_NOT_FOUND. */
int refresh_miss(struct refresh *r, struct err *e) MUST_CHECK;

/* Once a cycle is done: begins the search for a target. */
int refresh_seek(struct refresh *r, const char *path, struct err *e) MUST_CHECK;
/* After the search: length and hashes. ERR_NOT_FOUND when nobody who may speak of it lists it. */
int refresh_found(const struct refresh *r, struct meta_pin *out, struct err *e) MUST_CHECK;
/* Where the target that was found lies beneath the address of the targets, quoted: "a/HASH.name",
 * or as it is named when the root says that snapshots are not consistent. ERR_BAD_INPUT for a name
 * that could lead elsewhere. */
int refresh_target(const struct refresh *r, struct buf *out, struct err *e) MUST_CHECK;

#endif
