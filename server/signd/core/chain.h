/* The log of the process that signs: one JSON object a line, each with the digest of the line
 * before it and its own. Whoever changes, removes, adds or reorders one has to write all that
 * follow anew, and the newest digest with them. Pure.
 *
 * {"n", "at_ms", "peer", "what", "device", "version", "digest", "release", "order", "error",
 * "reason", "before", "line"}: what is empty is left out; "line" is the SHA-256 of everything
 * before its own comma. */
#ifndef SERVER_SIGND_CORE_CHAIN_H
#define SERVER_SIGND_CORE_CHAIN_H

#include "proto/trust/digest.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"

/* Where a log stands. */
struct chain {
	uint64_t n;    /* lines */
	uint64_t size; /* bytes of them */
	struct sha256 last;
};

/* One signature, or one refusal. */
struct chain_note {
	ms_t at;
	char peer[48];          /* "uid=1000 pid=77" */
	char what[ID_TEXT_MAX]; /* "director-targets", or what was asked */
	char device[ID_TEXT_MAX];
	uint64_t version;
	struct sha256 digest; /* of the whole file that was signed */
	char release[LIMIT_TARGET_NAME], order[ID_TEXT_MAX];
	struct err why; /* ERR_OK: signed */
};

/* Appends a line, and moves on. */
void chain_add(struct chain *c, const struct chain_note *note, struct buf *out);

/* The next line of a log, without its end: does it follow? ERR_ALTERED, ERR_BAD_INPUT. */
int chain_check(struct chain *io, struct str line, struct err *e) MUST_CHECK;

/* Is this the line at which a log stands? ERR_ALTERED, ERR_BAD_INPUT. */
int chain_is_last(const struct chain *c, struct str line, struct err *e) MUST_CHECK;

#endif
