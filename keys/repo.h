/* What the metadata of both repositories says, before it is signed: one builder per role. Pure;
 * each returns a new "signed" part that is the caller's to free (JSON_AUTO), to be given to
 * sign_meta.
 *
 * The files of a repository and who signs them:
 *   image:    N.root.json (image-root), N.targets.json (image-targets), N.engineering.json,
 *             N.safety.json, N.compliance.json (each its own role), N.snapshot.json
 *             (image-snapshot), timestamp.json (image-timestamp)
 *   director: N.root.json (director-root), and for each device N.targets.json, N.snapshot.json,
 *             timestamp.json (director-targets, director-snapshot, director-timestamp), time
 *             tokens (director-time) and checkpoints of the audit log (director-audit)
 */
#ifndef KEYS_REPO_H
#define KEYS_REPO_H

#include "keys/sign.h"
#include "proto/trust/evidence.h"
#include "proto/trust/auditlog.h"
#include "proto/trust/timetoken.h"

#define REPO_SPEC_VERSION "1.0.31"

struct repo_head {
	uint64_t version;
	int64_t expires_s;
};

/* Who may sign a role. */
struct repo_role {
	const char *role; /* as metadata calls it: "targets", "engineering" */
	unsigned threshold;
	unsigned n_keys;
	const struct sign_key *const *keys;
};

/* `roles` are the four top-level ones. `with_quorum` adds x-backstay-quorum, for the image
 * repository. */
json_t *repo_root(
	struct repo_head head, const struct repo_role roles[ROLE_KIND_MAX], bool with_quorum);

/* Adds x-backstay-time to the director's root: who says the time (proto/trust/timetoken.h). */
void repo_root_add_time(json_t *root, const struct repo_role *role);
/* Adds x-backstay-audit: who signs the audit log's checkpoints (proto/trust/auditlog.h). */
void repo_root_add_audit(json_t *root, const struct repo_role *role);

/* The image repository's top-level targets: no targets, only delegations, each of every path of two
 * parts (PRODUCT/RELEASE.json). */
json_t *repo_delegating(struct repo_head head, const struct repo_role *roles, unsigned n);

/* Who may give evidence of which kinds. */
struct repo_witness {
	struct repo_role who;
	unsigned n_kinds;
	const enum predicate *kinds;
};
/* Adds x-backstay-evidence to the image repository's top-level targets: these witnesses, and for
 * every release each of the `n_gates` policies. */
void repo_set_witnesses(json_t *targets, const struct repo_witness *witnesses, unsigned n,
	const struct sha256 *gates, unsigned n_gates);
/* Replaces the policies that x-backstay-evidence of targets demands. ERR_NOT_FOUND when it has
 * none: a gate without witnesses could never be passed. */
int repo_set_gates(
	json_t *targets, const struct sha256 *gates, unsigned n_gates, struct err *e) MUST_CHECK;
/* Lets whoever gives evidence as `role` attest this kind, too: a kind that was not known when the
 * keys were founded. ERR_NOT_FOUND when targets do not name such a role. */
int repo_let_attest(
	json_t *targets, const char *role, enum predicate kind, struct err *e) MUST_CHECK;
/* Adds x-backstay-evidence to its root: no release without a summary. */
void repo_demand_evidence(json_t *root);

/* A delegated role's file without entries. */
json_t *repo_targets(struct repo_head head);
/* Adds or replaces an entry. */
void repo_targets_add(json_t *targets, const struct target *t);

/* custom.match of a release; "evidence" is left out when there is none. */
struct repo_match {
	unsigned n_hardware;
	char hardware[LIMIT_HARDWARE_IDS][ID_TEXT_MAX];
	uint64_t counter;
	unsigned n_rollback_to;
	struct rollback_to rollback_to[LIMIT_ROLLBACK_TO];
	struct evidence_list evidence;
	struct sha256 creator; /* zero: nobody is named */
};
json_t *repo_match(const struct repo_match *m);
/* Sets "evidence" as a match has it, in one order. */
void repo_set_evidence(json_t *match, struct evidence_list list);

/* One device's targets. `t` (path, length, hash, match as the image repository has them) may be
 * NULL when the device shall stay as it is; `campaign` may be "". */
json_t *repo_director_targets(struct repo_head head, const struct dev_id *device,
	const struct camp_id *campaign, enum desired_order order, const struct target *t);

/* What the director knew and meant, signed along with what it asks for. */
struct repo_plan {
	uint64_t image_root, image_snapshot; /* versions of the image repository; 0: not told */
	bool offline;                        /* for a folder that is carried to the device */
};
/* Adds it to a device's targets. */
void repo_director_plan(json_t *targets, const struct repo_plan *plan);

/* The answer to a device that asks what time it is. */
json_t *repo_timetoken(const struct timetoken *t);
/* How far the audit log has come. */
json_t *repo_checkpoint(const struct auditlog_checkpoint *c);

/* A file that a snapshot or timestamp pins. */
struct repo_pin {
	char file[LIMIT_ROLE_NAME + 8]; /* "targets.json", without version */
	uint64_t version, length;
	struct sha256 hash;
};
void repo_pin_of(const char *file, uint64_t version, struct str bytes, struct repo_pin *out);
json_t *repo_snapshot(struct repo_head head, const struct repo_pin *pins, unsigned n);
json_t *repo_timestamp(struct repo_head head, const struct repo_pin *snapshot);

#endif
