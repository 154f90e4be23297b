/* Every decision, human or automatic, as a row with a sentence for people. Rows are only
 * added, each bound to those before it. */
#ifndef SERVER_REPO_AUDIT_H
#define SERVER_REPO_AUDIT_H

#include "proto/trust/auditlog.h"
#include "server/db/db.h"

/* Adds the row behind the newest, whose number and chain it follows; `a->n` is not looked at.
 * Within a transaction. */
int audit_add(struct db *db, const struct audit_row *a, struct err *e) MUST_CHECK;

/* The newest row's number and the chain's value behind it; 0 and zero: there is none. */
int audit_newest(
	struct db *db, uint64_t *out_n, struct sha256 *out_chain, struct err *e) MUST_CHECK;

/* Oldest first, at most `limit` rows with n above `after`. */
typedef int audit_each_f(
	void *ctx, const struct audit_row *a, const struct sha256 *chain, struct err *e);
int audit_each(struct db *db, uint64_t after, unsigned limit, audit_each_f *each, void *ctx,
	struct err *e) MUST_CHECK;

/* The same for rows about a device, and for rows about a campaign and no device of it. */
int audit_each_of_device(struct db *db, const char *device, uint64_t after, unsigned limit,
	audit_each_f *each, void *ctx, struct err *e) MUST_CHECK;
int audit_each_of_campaign(struct db *db, const char *campaign, uint64_t after, unsigned limit,
	audit_each_f *each, void *ctx, struct err *e) MUST_CHECK;
/* Rows of this kind about neither, whose sentence holds `piece`. */
int audit_each_saying(struct db *db, const char *what, const char *piece, unsigned limit,
	audit_each_f *each, void *ctx, struct err *e) MUST_CHECK;

/* Gives the chain's values to rows that were written before there was a chain: only as long as no
 * row has one, so that nobody can have a row chained anew by taking its value away. In a
 * transaction. */
int audit_chain_old(struct db *db, struct err *e) MUST_CHECK;

#endif
