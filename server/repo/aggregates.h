/* Aggregates by release, part of the fleet, layer and time. A row covers a span that begins at a
 * whole multiple of itself. */
#ifndef SERVER_REPO_AGGREGATES_H
#define SERVER_REPO_AGGREGATES_H

#include "proto/wire/telemetry.h"
#include "server/core/aggregate.h"
#include "server/db/db.h"

/*  id, name in the API, what it is. New rows come last: the store holds a part by its number, and
 *  a layer of telemetry, too. */
#define AGG_PART_TABLE(X)                                                                          \
	X(ALL, "all", "every device that runs the release")                                        \
	X(WAVE, "wave",                                                                            \
		"CAMPAIGN/N, the devices of a wave that run its release; CAMPAIGN/waiting, those " \
		"not admitted yet")                                                                \
	X(STRATUM, "stratum", "HARDWARE/LABEL, devices that are alike")

enum agg_part {
#define X(id, ...) AGG_PART_##id,
	AGG_PART_TABLE(X)
#undef X
		AGG_PART_MAX
};
const char *agg_part_name(enum agg_part p);
/* AGG_PART_MAX when there is none of that name. */
enum agg_part agg_part_by_name(const char *name);

#define AGG_KEY_TEXT (2 * ID_TEXT_MAX)

struct agg_key {
	struct sha256 release; /* zero: none, or one that was not published here */
	enum agg_part part;
	char key[AGG_KEY_TEXT]; /* which part; "" of ALL */
	enum telemetry_layer layer;
	ms_t span, at;
};
bool agg_key_eq(const struct agg_key *a, const struct agg_key *b);

/* An empty one when there is none. */
int aggregates_get(
	struct db *db, const struct agg_key *k, struct aggregate *out, struct err *e) MUST_CHECK;
int aggregates_put(struct db *db, const struct agg_key *k, const struct aggregate *a,
	struct err *e) MUST_CHECK;
int aggregates_remove(struct db *db, const struct agg_key *k, struct err *e) MUST_CHECK;

/* Is there a row of this key, whatever its layer? How many keys are there beside it in its span? */
int aggregates_keys(struct db *db, const struct agg_key *k, bool *out_has, unsigned *out_n,
	struct err *e) MUST_CHECK;

/* Rows of a release and part that begin in [from, to), whatever their span; by key, layer, time. */
typedef int aggregates_each_f(
	void *ctx, const struct agg_key *k, const struct aggregate *a, struct err *e);
int aggregates_each(struct db *db, const struct sha256 *release, enum agg_part part, ms_t from,
	ms_t to, aggregates_each_f *each, void *ctx, struct err *e) MUST_CHECK;

/* The oldest rows of that span that begin before a moment, at most `max`. */
int aggregates_oldest(struct db *db, ms_t span, ms_t before, struct agg_key *out, unsigned max,
	unsigned *out_n, struct err *e) MUST_CHECK;

#endif
