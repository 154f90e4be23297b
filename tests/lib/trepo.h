/* A signed TUF repository for tests, made by the product's own builders (keys/), with fresh P-256
 * keys. Everything is open: a test changes a part, its signers or its bytes, and then signs again
 * whatever it wants to be signed.
 *
 *	struct trepo image;
 *
 *	trepo_init(&image, TREPO_IMAGE, TREPO_NOW);
 *	trepo_add_release(&image, "ocr/ocr-1.json", STR("{...}"), 1, "edge-x86");
 *	trepo_publish(&image);
 *	... trepo_bytes(&image, TREPO_SNAPSHOT) ...
 *	trepo_fini(&image);
 *
 * Failures inside end the test through cmocka's assertions. */
#ifndef TESTS_LIB_TREPO_H
#define TESTS_LIB_TREPO_H

#include "keys/repo.h"
#include "keys/sign.h"

#define TREPO_NOW ((int64_t)1790000000) /* 2026-09-21T14:13:20Z */
#define TREPO_DAY ((int64_t)86400)

enum trepo_kind { TREPO_IMAGE, TREPO_DIRECTOR };

enum trepo_file {
	TREPO_ROOT,
	TREPO_TIMESTAMP,
	TREPO_SNAPSHOT,
	TREPO_TARGETS,
	TREPO_ENGINEERING, /* from here on: image repository only */
	TREPO_SAFETY,
	TREPO_COMPLIANCE,
	TREPO_FILES
};

#define TREPO_KEYS 4 /* at most, of one role */

struct trepo_role {
	const char *name; /* "root", "engineering" */
	unsigned threshold, n_keys;
	struct sign_key keys[TREPO_KEYS];
	json_t *part;    /* what is signed */
	struct buf file; /* as signed last */
};

struct trepo {
	enum trepo_kind kind;
	int64_t now_s;
	unsigned n; /* roles in use */
	struct trepo_role role[TREPO_FILES];
};

/* Root with two keys and threshold 2, every other role with one; version 1 of everything; expiries
 * from one day (timestamp) to a year (root); no targets. The director is for the device "dev-1".
 * Not yet signed: trepo_publish. */
void trepo_init(struct trepo *r, enum trepo_kind kind, int64_t now_s);
void trepo_fini(struct trepo *r);

/* Replaces a role's keys by n fresh ones. The delegating file still names the old ones:
 * trepo_rebuild_root or trepo_rebuild_delegations writes it anew. */
void trepo_new_keys(struct trepo *r, enum trepo_file f, unsigned n);
void trepo_rebuild_root(struct trepo *r);
void trepo_rebuild_delegations(struct trepo *r);

/* Signs one part as it stands, with all keys of its role. */
void trepo_sign(struct trepo *r, enum trepo_file f);
/* Sets the pin that `lister` (snapshot or timestamp) has of another role's bytes. */
void trepo_pin(struct trepo *r, enum trepo_file lister, enum trepo_file listed);
/* Signs every part, and sets the pins of snapshot and timestamp to what was signed. */
void trepo_publish(struct trepo *r);
/* The same, but `after` may change each file once it is signed and before anything pins it. */
typedef void trepo_after_f(struct trepo *r, enum trepo_file f, void *ctx);
void trepo_publish_changed(struct trepo *r, trepo_after_f *after, void *ctx);

struct str trepo_bytes(const struct trepo *r, enum trepo_file f);
uint64_t trepo_version(const struct trepo *r, enum trepo_file f);
void trepo_set_version(struct trepo *r, enum trepo_file f, uint64_t version);
void trepo_set_expiry(struct trepo *r, enum trepo_file f, int64_t expires_s);

/* Lists a release document in all three approvers' parts. */
void trepo_add_release(
	struct trepo *r, const char *path, struct str document, const struct repo_match *match);
/* The director's part: what the device shall run; NULL: nothing. */
void trepo_direct(struct trepo *r, const char *device, enum desired_order order, const char *path,
	struct str document, const struct repo_match *match);

/* A match for one kind of hardware. */
struct repo_match trepo_match(const char *hardware, uint64_t counter);

/* The client workflow over what the repository serves: root, timestamp, snapshot, targets and, in
 * an image repository, the approvers. Ends at the first refusal. */
int trepo_refresh(const struct trepo *r, struct trusted_set *t, struct err *e);

/* Writes the files as a server keeps them into an existing folder: N.root.json, timestamp.json,
 * N.snapshot.json, N.targets.json, N.ROLE.json. */
void trepo_save(const struct trepo *r, const char *dir);

#endif
