/* What time it is on a device that cannot trust its clock. Pure.
 *
 * now = the greatest of: a clock that somebody vouches for, the time floor, the build date.
 *
 * The time floor is the latest time that the director has signed for this device. It is kept across
 * power cuts, and belongs to the keys that signed it: under the same keys it never sinks, and when
 * the director's root names others it is void, so that whoever stole the old key and signed a day
 * of the far future has not locked the device out for ever. */
#ifndef PROTO_TRUST_TIMEBASE_H
#define PROTO_TRUST_TIMEBASE_H

#include "proto/trust/timetoken.h"

/* A signed time and the keys it was signed by (timetoken_keys). All zero: none. */
struct signed_time {
	int64_t s;
	struct sha256 keys;
};

/* The stored form: {"keys": hexadecimal, "time": "2026-01-31T12:00:00Z"}. */
int timebase_parse(struct str text, struct signed_time *out, struct err *e) MUST_CHECK;
void timebase_format(const struct signed_time *t, struct buf *out);

struct timebase_in {
	struct sha256 keys; /* that the director's root names now; zero: it asks for no tokens */
	/* The last token of this process, with what a clock that only counts has added since. */
	struct signed_time heard;
	struct signed_time floor; /* as stored */
	int64_t built_s;          /* when this agent was built */
	int64_t system_s;         /* what the machine's clock says */
	bool system_set;          /* somebody has set it since the machine started */
};

/* What the director's token has just said outranks the machine's clock, even backwards: that is how
 * a clock in the far future does no harm. Without such a word the machine's clock counts when it
 * was set, or when the fleet has no tokens; one that starts in 1970 never matters, because of the
 * floor and the build date. */
int64_t timebase_eval(const struct timebase_in *in);

/* Takes a token's time over into the floor. ERR_ROLLED_BACK when it is older than the floor under
 * the same keys. */
int timebase_step(const struct signed_time *floor, const struct signed_time *heard,
	struct signed_time *out, struct err *e) MUST_CHECK;

#endif
