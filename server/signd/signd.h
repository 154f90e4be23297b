/* The process that signs, without its socket: an ask goes in, files or a typed refusal come out.
 * What was signed is in the log and in the store before it is answered; the same question gets the
 * same answer, also after a kill at any instant. One thread. */
#ifndef SERVER_SIGND_SIGND_H
#define SERVER_SIGND_SIGND_H

#include "lib/sys/clock.h"
#include "server/signd/core/rule.h"

struct signd;

struct signd_conf {
	const char *keys; /* folder: image-snapshot, image-timestamp, director-targets,
			     director-snapshot, director-timestamp; director-time where the fleet
			     has time tokens, director-audit where its audit log is signed */
	const char *root; /* the image repository's root, by which everything is verified; read
			     once, at the first start */
	const char *data; /* folder for store and log; made when it is missing */
	struct sign_limits limits;
	const struct clock *clock;
	ms_t patience; /* for an earlier process on the same folder to end */
};

/* ERR_BUSY: an earlier process on the same folder does not end. ERR_NOT_FOUND
 * names a role that has no key, ERR_ALTERED a log that is not the one that was written. */
int signd_open(const struct signd_conf *c, struct signd **out, struct err *e) MUST_CHECK;
void signd_close(struct signd **d);

/* One frame in (without its length), one out, appended. `peer` goes into the log. */
void signd_answer(struct signd *d, const char *peer, struct str frame, struct buf *out);

#define SIGND_LOG "signer.log" /* in the data folder */

#endif
