/* The server's online keys at work: the image repository's snapshot and timestamp, and the
 * director's files of one device. Makes bytes and stores nothing; who calls has checked that what
 * is listed may be signed. */
#ifndef SERVER_SIGN_SIGNER_H
#define SERVER_SIGN_SIGNER_H

#include "keys/repo.h"

struct signer;

/* Loads the private keys of a folder: image-snapshot, image-timestamp, director-targets,
 * director-snapshot, director-timestamp, and, where the fleet has tokens, director-time.
 * ERR_NOT_FOUND names the role that is missing. */
int signer_open(const char *dir, struct signer **out, struct err *e) MUST_CHECK;
void signer_close(struct signer **s);

/* Each appends a whole signed file. */
int signer_image_snapshot(struct signer *s, struct repo_head head, const struct repo_pin *pins,
	unsigned n, struct buf *out, struct err *e) MUST_CHECK;
int signer_image_timestamp(struct signer *s, struct repo_head head, const struct repo_pin *snapshot,
	struct buf *out, struct err *e) MUST_CHECK;
int signer_director_targets(struct signer *s, struct repo_head head, const struct dev_id *device,
	const struct camp_id *campaign, enum desired_order order, const struct target *t,
	const struct repo_plan *plan, struct buf *out, struct err *e) MUST_CHECK;
int signer_director_snapshot(struct signer *s, struct repo_head head,
	const struct repo_pin *targets, struct buf *out, struct err *e) MUST_CHECK;
int signer_director_timestamp(struct signer *s, struct repo_head head,
	const struct repo_pin *snapshot, struct buf *out, struct err *e) MUST_CHECK;

/* A time token. ERR_NOT_FOUND when there is no key director-time: such a fleet has none. */
int signer_time(
	struct signer *s, const struct timetoken *t, struct buf *out, struct err *e) MUST_CHECK;

/* Files signed since signer_open. */
uint64_t signer_count(const struct signer *s);

#endif
