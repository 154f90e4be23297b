/* TUF 1.0 metadata as values (https://theupdateframework.github.io/specification/latest/, section
 * 4). Both repositories, image and director, speak it. */
#ifndef PROTO_TRUST_META_H
#define PROTO_TRUST_META_H

#include "proto/trust/hashes.h"
#include "proto/trust/sig.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "proto/wire/time.h"

enum role_kind { ROLE_ROOT, ROLE_TIMESTAMP, ROLE_SNAPSHOT, ROLE_TARGETS, ROLE_KIND_MAX };
const char *role_kind_name(enum role_kind k);

/* A metadata file as received. `signed_bytes` (canonical) is what signatures are over; length and
 * digest are of the bytes as they came, which is what pins are about. */
struct meta {
	json_t *doc;               /* owned */
	const json_t *signed_part; /* in doc */
	struct buf signed_bytes;
	uint64_t length;
	struct sha256 digest;
	struct hashes hashes; /* the same digest among others */
	enum role_kind kind;
	uint64_t version;
	int64_t expires_s;
};

void meta_init(struct meta *m);
void meta_fini(struct meta *m);

/* Form only: strict JSON within `max` bytes, _type as wanted, spec_version 1.x, version in [1,
 * 2^53-1], expires, no key id that signs twice, and everything that the kind of role prescribes:
 * signers without duplicate key ids and with a threshold of at least 1, well-formed pins,
 * delegations with distinct names that are no top-level role's, each with either paths or
 * path_hash_prefixes. Unknown members are kept, because signatures cover them. Says nothing about
 * signatures or time. */
int meta_parse(struct str bytes, enum role_kind want, size_t max, struct meta *out,
	struct err *e) MUST_CHECK;

/* Signatures of `m` by `role` as `delegator` (root's "roles" or targets' "delegations") states it:
 * threshold of distinct public keys. A key that does not parse or whose scheme is unknown counts
 * nothing. ERR_UNSIGNED, also when `delegator` has no such role. */
int meta_check_signatures(const struct meta *m, const struct meta *delegator, const char *role,
	struct err *e) MUST_CHECK;

/* ERR_EXPIRED when expires <= now_s. */
int meta_check_expiry(
	const struct meta *m, const char *name, int64_t now_s, struct err *e) MUST_CHECK;

/* What timestamp lists of snapshot, and snapshot of targets files: version, and length and hashes
 * where they are given. What targets lists of a file has no version. */
struct meta_pin {
	uint64_t version; /* 0: none */
	bool has_length;
	uint64_t length;
	struct hashes hashes; /* empty when none are given */
};
/* ERR_MIXED when `file` is not listed. */
int meta_pin_of(const struct meta *lister, const char *file, struct meta_pin *out,
	struct err *e) MUST_CHECK;
/* ERR_ALTERED when length or any hash of the bytes differ from the pin. */
int meta_pin_check(
	const struct meta_pin *pin, const char *file, struct str bytes, struct err *e) MUST_CHECK;
/* Is this parsed file the very one that is pinned: version, length, hash? */
bool meta_pin_fits(const struct meta_pin *pin, const struct meta *m);

/* One entry of a targets file. */
struct target {
	char path[LIMIT_TARGET_NAME];
	uint64_t length;
	struct sha256 hash;
	bool has_hash512; /* listed besides */
	struct sha512 hash512;
	const json_t *match; /* custom.match, borrowed from the file, or NULL */
};
/* ERR_NOT_FOUND when it is not listed, ERR_BAD_INPUT when it is without SHA-256, by which releases
 * are named. */
int meta_target(
	const struct meta *targets, const char *path, struct target *out, struct err *e) MUST_CHECK;
/* What any file is listed with: *out has a length and at least one known hash. ERR_NOT_FOUND when
 * it is not listed, ERR_BAD_INPUT when none of its hashes is known. */
int meta_file(const struct meta *targets, const char *path, struct meta_pin *out,
	struct err *e) MUST_CHECK;
/* Same length, hashes and match; two without a match are not the same. */
bool meta_target_same(const struct target *a, const struct target *b);

/* May `role`, a direct delegation of `delegator`, speak of `path`? In its "paths", '*' and '?' do
 * not match '/'; or one of its "path_hash_prefixes" begins the SHA-256 of the path. False when
 * there is no such role. */
bool meta_covers(const struct meta *delegator, const char *role, const char *path);

/* The public keys that may sign for a role, for counting across roles. Keys that do not parse are
 * left out. ERR_UNSIGNED when `delegator` has no such role. */
int meta_role_keys(const struct meta *delegator, const char *role,
	struct sha256 out_spki[LIMIT_KEYS], unsigned *out_n, struct err *e) MUST_CHECK;

#endif
