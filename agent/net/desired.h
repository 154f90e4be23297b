/* Fetches and verifies the desired state: refreshes both TUF repositories, lets proto/trust decide,
 * and stores what is trusted beneath home:
 *
 *   trust/director/, trust/image/   root.json and N.root.json (every version, for ever),
 *                                   timestamp.json, and the files that it leads to as N.NAME.json
 *   trust/director/timestamp.etag   for asking whether anything is new
 *   trust/time.json                 the time floor: the latest time that the director has signed
 *   documents/DIGEST.json           release documents, and beside them DIGEST.rollback.json, and
 *                                   DIGEST.summary-N.json where evidence is demanded
 *
 * When the director's root names keys that say the time, each fetch that believes anything new asks
 * for it first, with a nonce: nothing that was recorded earlier is an answer. What is fetched is
 * judged by that time, and the director's timestamp must be the one that the token names, or newer.
 *
 * A new root is stored as soon as it is trusted, and so is the time floor. All else is stored only
 * after both repositories agree, timestamp.json last: a power cut leaves the old state or the new
 * one, and what is half stored is fetched again. */
#ifndef AGENT_NET_DESIRED_H
#define AGENT_NET_DESIRED_H

#include "agent/net/http.h"
#include "lib/sys/fs.h"
#include "proto/trust/director.h"
#include "proto/trust/timebase.h"
#include "proto/wire/release.h"

struct desired_in {
	struct fs *fs; /* home */
	const struct http_conf *http;
	const char *server; /* "http://127.0.0.1:8080", without a '/' at its end */
	struct device_facts facts;
	/* What time it may be (proto/trust/timebase.h): the machine's clock, whether somebody has
	 * set that, when this agent was built, and what the last token of this process said, with
	 * the time that has passed since. */
	int64_t now_s;
	bool clock_set;
	int64_t built_s;
	struct signed_time heard;
	char nonce[NONCE_TEXT]; /* made up for this fetch alone */
	bool ask_time;          /* although nothing may be new: `heard` is old */
	bool carried;           /* http answers from a folder that was carried here */
	ms_t budget; /* for all questions to one repository; 0: each has its own bound only */
	/* Go through with it although the director has nothing new: the caller may have lost what
	 * an earlier fetch stored (power cut before it was decided on), or think otherwise now. */
	bool again;
	const atomic_bool *cancel;
};

struct desired_out {
	bool unchanged; /* the director's timestamp is the one known and `again` was not asked for:
			   nothing else was fetched */
	struct desired desired;   /* unless unchanged */
	struct release *release;  /* unless unchanged or DESIRED_NOTHING; the caller's to free */
	struct signed_time heard; /* what a token has just said; zero when none was asked for */
	int64_t now_s;            /* by which it was judged */
	ms_t retry_after;         /* what the server asked for, 0 when nothing */
	bool turned_away;         /* it failed because the server answered with a failure, or there
				     is no identity to ask it with: nothing that it sent was
				     refused here */
};

/* Stored roots must exist (provisioned): trust/director/root.json, trust/image/root.json. Any error
 * of proto/trust, or ERR_NET, ERR_TIMEOUT, ERR_CANCELLED; ERR_DENIED when what was made to be
 * carried is served, or the other way round; ERR_BUSY when there are more new roots than are taken
 * at once. The text says which file of which repository. Nothing but new roots and the time floor
 * is stored then, and of *out only retry_after and turned_away are set. */
int desired_fetch(const struct desired_in *in, struct desired_out *out, struct err *e) MUST_CHECK;

/* The same from what is stored, without the network: every signature, pin and expiry is checked
 * again. ERR_NOT_FOUND when nothing was stored yet, ERR_EXPIRED when it is too old to act upon. */
int desired_load(struct fs *fs, const struct device_facts *facts, int64_t now_s,
	struct desired_out *out, struct err *e) MUST_CHECK;

/* The release document of an earlier fetch, as stored under documents/DIGEST.json. ERR_NOT_FOUND,
 * ERR_ALTERED. */
int desired_load_release(struct fs *fs, const struct sha256 *document, struct release *out,
	struct err *e) MUST_CHECK;
/* What that document's targets entry pre-authorised, as stored beside it. ERR_NOT_FOUND. */
int desired_load_rollback_to(struct fs *fs, const struct sha256 *document, struct device_facts *io,
	struct err *e) MUST_CHECK;

/* Removes all release documents but those of keep[0..n). */
int desired_prune(struct fs *fs, const struct sha256 *keep, unsigned n, struct err *e) MUST_CHECK;

/* Puts provisioned roots in place. Harmless when these very roots are there already or have been
 * replaced by their successors; ERR_CONFLICT when the device trusts another first root. */
int desired_provision(
	struct fs *fs, struct str director_root, struct str image_root, struct err *e) MUST_CHECK;

#endif
