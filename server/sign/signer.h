/* The server's side of the process that signs (server/signd): what it wants to be true goes there,
 * signed files come back. No private key is ever in this process. Whatever is asked may be asked
 * again and gets the same answer; a refusal has the code that a device would have for it. */
#ifndef SERVER_SIGN_SIGNER_H
#define SERVER_SIGN_SIGNER_H

#include "server/sign/link.h"
#include "server/signd/core/ask.h"
#include "server/signd/core/reply.h"

struct signer;

/* Reaches for it once, so that what is wrong with it shows at the start. ERR_BUSY: nobody is there.
 * The texts of `c` must outlive it. */
int signer_open(const struct link_conf *c, struct signer **out, struct err *e) MUST_CHECK;
void signer_close(struct signer **s);

/* One device's files: targets, snapshot, timestamp, in this order. Those that the device has are
 * the same ones, unless they are due or say something else. */
int signer_director(struct signer *s, const struct ask_director *a, struct reply *out,
	struct err *e) MUST_CHECK;

/* Snapshot and timestamp of the image repository, and the files of people that were shown there
 * before and are not in `a`. */
int signer_image(
	struct signer *s, const struct ask_image *a, struct reply *out, struct err *e) MUST_CHECK;

/* Appends a time token. ERR_NOT_FOUND when there is no key director-time: such a fleet has none. */
int signer_time(struct signer *s, const struct dev_id *device, const char *nonce, struct buf *out,
	struct err *e) MUST_CHECK;

/* Appends a checkpoint of the audit log: row `n` is the newest, `chain` the value behind it; the
 * signer's own clock says when. ERR_NOT_FOUND when there is no key director-audit; ERR_ROLLED_BACK,
 * ERR_ALTERED when the log is shorter than one that was signed, or another one. */
int signer_checkpoint(struct signer *s, uint64_t n, const struct sha256 *chain, struct buf *out,
	struct err *e) MUST_CHECK;

/* Grows whenever another process may have come to answer: it has to be shown the image repository
 * before it signs for a device. */
unsigned signer_epoch(const struct signer *s);

/* Files signed since signer_open. */
uint64_t signer_count(const struct signer *s);

#endif
