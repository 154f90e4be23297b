/* The desired state of one device: what the director repository asks for and the image repository
 * allows. Pure.
 *
 * Director targets.json: top-level "x-backstay": {"device": ID, "campaign": ID or "", "order":
 * "install" | "rollback" | "nothing", "imageRepo": {"root": N, "snapshot": N} (the versions of the
 * image repository that the director planned with; may be missing), "offline": true when the files
 * are made to be carried to the device, and may not be served}; at most one entry in "targets": the
 * release document that the device shall run (none: stay as you are). Image repository: root.json
 * carries "x-backstay-quorum": [{"paths": [PATTERN, ...], "all_of": ["engineering", "safety",
 * "compliance"]}]; each named role is a direct delegation of top-level targets and must list the
 * same release document with the same length, hash and custom.match. A rule in root may add roles,
 * never go below the minimum compiled in. custom.match: {"hardwareIds": [sorted], "releaseCounter":
 * N, "rollbackTo": [{"path", "sha256"}], "creator": digest of the DER public key of whoever made
 * it, "evidence": see evidence.h}; a creator that is named may have none of the quorum's keys. */
#ifndef PROTO_TRUST_DIRECTOR_H
#define PROTO_TRUST_DIRECTOR_H

#include "proto/trust/verify.h"

enum desired_order { DESIRED_NOTHING, DESIRED_INSTALL, DESIRED_ROLLBACK, DESIRED_ORDER_MAX };
const char *desired_order_name(enum desired_order o); /* "nothing", "install", "rollback" */

/* What no root can take away: each of these roles must have signed what a device installs. */
#define DIRECTOR_MINIMUM 3
extern const char *const director_minimum[DIRECTOR_MINIMUM];

struct rollback_to {
	char path[LIMIT_TARGET_NAME];
	struct sha256 hash;
};

struct desired {
	enum desired_order order;
	struct camp_id campaign;             /* "" when none */
	bool offline;                        /* made to be carried to the device */
	uint64_t image_root, image_snapshot; /* what was planned with; 0: not told */
	uint64_t director_version;           /* of the director's targets.json */
	struct sha256 manifest;              /* digest of the director's targets.json as received */
	char path[LIMIT_TARGET_NAME];        /* "ocr/ocr-4.json" */
	uint64_t length;
	struct sha256 hash; /* of the release document */
	bool has_hash512;   /* signed besides, and to fit as well */
	struct sha512 hash512;
	uint64_t counter; /* releaseCounter */
	unsigned n_rollback_to;
	struct rollback_to rollback_to[LIMIT_ROLLBACK_TO];
};

/* The rollbackTo list of a target's custom.match, by which a running release says what may follow
 * it in spite of a lower counter. `match` may be NULL: nothing is authorised. */
int director_rollback_to(const json_t *match, struct rollback_to out[LIMIT_ROLLBACK_TO],
	unsigned *out_n, struct err *e) MUST_CHECK;

/* What the device is and has. */
struct device_facts {
	struct dev_id device;
	char hardware[ID_TEXT_MAX];
	uint64_t counter_floor; /* highest committed releaseCounter */
	struct sha256 running;  /* release document that runs, or zero */
	unsigned n_rollback_to; /* what that one pre-authorised */
	struct rollback_to rollback_to[LIMIT_ROLLBACK_TO];
};

/* Reads the director's (already verified) targets alone: for whom, which campaign, which target.
 * ERR_WRONG_DEVICE, ERR_EXPIRED (targets that were only kept, and are too old), ERR_BAD_INPUT
 * (delegations present, more than one target). */
int director_read(const struct trusted_set *director, const struct device_facts *dev,
	struct desired *out, struct err *e) MUST_CHECK;

/* Roles of the image repository that must agree on `path`, for fetching. At least the built-in
 * minimum. Each name is an id (lib/id.h), so that it may become a file's name. */
int director_quorum(const struct trusted_set *image, const char *path,
	char roles[LIMIT_DELEGATIONS][LIMIT_ROLE_NAME], unsigned *out_n, struct err *e) MUST_CHECK;

/* Is it the release that runs, or a rollback to one that the release that runs pre-authorised? */
bool director_is_authorised(const struct device_facts *dev, const struct desired *d);

/* The agreement: same name, length, hash and custom.match in the director and in every role of the
 * quorum (no public key counting in two roles), an image repository no older than the director
 * planned with, hardware fits, counter not below the floor unless this is the release that runs, or
 * the order is a rollback and the release that runs pre-authorised exactly this one. Every role of
 * the quorum must have been accepted by trusted_delegated. Completes *io. ERR_MIXED, ERR_UNSIGNED,
 * ERR_WRONG_DEVICE, ERR_ROLLED_BACK, ERR_BAD_INPUT. */
int director_agree(const struct trusted_set *director, const struct trusted_set *image,
	const struct device_facts *dev, struct desired *io, struct err *e) MUST_CHECK;

/* The last of these rules alone, about the counter, path, hash and order of `d`. ERR_ROLLED_BACK.
 */
int director_counter_check(
	const struct device_facts *dev, const struct desired *d, struct err *e) MUST_CHECK;

/* The image repository's half of the agreement: do all roles of the quorum list `path` with the
 * same length, hash and match? For the server, before it signs a snapshot or a director's file.
 * ERR_MIXED, ERR_UNSIGNED. */
int director_image_agrees(const struct trusted_set *image, const char *path, struct target *out,
	struct err *e) MUST_CHECK;

#endif
