/* May this be signed? Pure: what is asked, what is remembered and what the image repository allows
 * go in; a plan or a typed refusal comes out. Who asks is not believed in anything: it may have
 * been taken over. */
#ifndef SERVER_SIGND_CORE_RULE_H
#define SERVER_SIGND_CORE_RULE_H

#include "proto/trust/auditlog.h"
#include "server/signd/core/ask.h"
#include "server/signd/core/bucket.h"

struct sign_limits {
	int64_t director_life_s, snapshot_life_s, timestamp_life_s, offline_life_s; /* at most */
	struct bucket_rule device;    /* orders that are signed for one device */
	struct bucket_rule newcomers; /* devices that nothing was signed for before */
	struct bucket_rule total;     /* orders for all devices together */
	struct bucket_rule image;     /* snapshots and timestamps of the image repository */
	struct bucket_rule time;      /* time tokens */
	struct bucket_rule audit;     /* checkpoints */
};

/* What is left of the budgets that are not one device's. */
struct sign_budgets {
	struct bucket newcomers, total, image, time, audit;
};

/* What is remembered of one device. */
struct sign_device {
	bool is_known;
	uint64_t version[SIGN_FILE_MAX]; /* last signed */
	struct bucket bucket;
	/* what the last targets say */
	struct camp_id campaign;
	enum desired_order order;
	bool offline;
	char path[LIMIT_TARGET_NAME];
	struct sha256 digest;
	/* the release that it was ordered last, which "nothing" does not change */
	uint64_t counter;
	struct sha256 release;
	unsigned n_rollback_to;
	struct rollback_to rollback_to[LIMIT_ROLLBACK_TO];
};

/* What to do about each file: sign it, or answer with the one that was signed last. */
struct sign_plan {
	bool fresh[SIGN_FILE_MAX];
	uint64_t version[SIGN_FILE_MAX];
	int64_t expires_s[SIGN_FILE_MAX];
};

/* One device's files. Nothing fresh: the same question as before, and no budget is spent. Else
 * *out_device is what is to be remembered, *out_entry what the targets list (its match borrowed
 * from `image`; path "" when nothing is ordered), and *io_budgets what is left. The rules:
 *   - lives are within the limits (ERR_DENIED);
 *   - versions are the last ones and one more; a server that has seen a version that was never
 *     signed here is refused (ERR_MIXED), a newcomer may bring a past of LIMIT_SIGN_FIRST;
 *   - the release is one that all roles of the image repository's quorum agree on now, none of
 *     them expired, and it is this very document (ERR_UNSIGNED, ERR_EXPIRED, ERR_MIXED or
 *     ERR_ALTERED);
 *   - its releaseCounter is not below that of the release which this device was ordered last, or
 *     it is a rollback that that one pre-authorised (ERR_ROLLED_BACK);
 *   - budgets: the device's, all devices', newcomers' (ERR_BUSY). */
int rule_director(const struct ask_director *a, const struct sign_device *dev,
	const struct trusted_set *image, const struct sign_limits *limits, ms_t now,
	struct sign_budgets *io_budgets, struct sign_plan *out, struct target *out_entry,
	struct sign_device *out_device, struct err *e) MUST_CHECK;

/* Snapshot and timestamp of the image repository, of which `last` versions were signed last (0:
 * never); `same` says whether the last snapshot pins exactly what is to be pinned now. ERR_DENIED,
 * ERR_MIXED, ERR_BUSY as above. */
int rule_image(const struct ask_image *a, const uint64_t last[SIGN_FILE_MAX], bool same,
	const struct sign_limits *limits, ms_t now, struct sign_budgets *io_budgets,
	struct sign_plan *out, struct err *e) MUST_CHECK;

/* A time token for a device that was signed for. ERR_NOT_FOUND, ERR_BUSY. */
int rule_time(const struct ask_time *a, const struct sign_device *dev,
	const struct sign_limits *limits, ms_t now, struct sign_budgets *io_budgets,
	struct err *e) MUST_CHECK;

/* A checkpoint of the audit log behind `last` (n 0: none was signed). *out_again: it is the last
 * one, and no budget is spent. A log that has become shorter, or whose row n is another one now, is
 * not signed: ERR_ROLLED_BACK, ERR_ALTERED. ERR_BUSY. */
int rule_checkpoint(const struct ask_checkpoint *a, const struct auditlog_checkpoint *last,
	const struct sign_limits *limits, ms_t now, struct sign_budgets *io_budgets,
	bool *out_again, struct err *e) MUST_CHECK;

/* Every delegated role that the quorum for `path` names is there and has not expired, top-level
 * targets neither, all agree on the document of this digest: *out is its entry. */
int rule_release(const struct trusted_set *image, const char *path, const struct sha256 *digest,
	struct target *out, struct err *e) MUST_CHECK;

#endif
