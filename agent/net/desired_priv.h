/* What the files desired*.c share. */
#ifndef AGENT_NET_DESIRED_PRIV_H
#define AGENT_NET_DESIRED_PRIV_H

#include "agent/net/desired.h"
#include "proto/trust/evidence.h"

#define DESIRED_FILE_NAME (LIMIT_ROLE_NAME + 32) /* "18446744073709551615.ROLE.json" */

/* ---- desired_repo.c: one of the two repositories ---- */

struct desired_file {
	char name[DESIRED_FILE_NAME];
	struct buf bytes;
};

struct desired_repo {
	const struct desired_in *in; /* http == NULL: from the store alone */
	const char *name;            /* "director" */
	const char *dir;             /* "trust/director" */
	char url[512];
	struct trusted_set set;
	struct buf stored; /* timestamp.json of an earlier refresh */
	/* accepted in this refresh, to be stored; timestamp.json is apart because it is last */
	struct buf timestamp;
	unsigned n_files;
	struct desired_file file[2 + LIMIT_DELEGATIONS];
	char etag[sizeof((struct http_answer *)0)->etag];
	ms_t retry_after;
};

void desired_repo_init(struct desired_repo *r, const struct desired_in *in, bool is_director);
void desired_repo_fini(struct desired_repo *r);

/* Root chain, timestamp, snapshot, targets. With `may_skip`, *out_unchanged is true and nothing but
 * the timestamp was looked at when that is the known one. */
int desired_repo_refresh(
	struct desired_repo *r, bool may_skip, bool *out_unchanged, struct err *e) MUST_CHECK;
/* One delegated role. */
int desired_repo_role(struct desired_repo *r, const char *role, struct err *e) MUST_CHECK;
/* Stores what was accepted, timestamp.json last, then removes what it no longer leads to. */
int desired_repo_store(struct desired_repo *r, struct err *e) MUST_CHECK;

/* ---- desired_store.c: files beneath home ---- */

/* Writes only what differs. Durable on return. */
int desired_store_file(struct fs *fs, const char *path, struct str bytes, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND. */
int desired_store_load(struct fs *fs, const char *dir, const char *name, size_t max,
	struct buf *out, struct err *e) MUST_CHECK;
/* Removes the files N.NAME.json of `dir` that are neither roots nor among `keep`. */
int desired_store_prune(struct fs *fs, const char *dir, const struct desired_file *keep, unsigned n,
	struct err *e) MUST_CHECK;
/* The release document and what it pre-authorises. */
int desired_store_document(
	struct fs *fs, const struct desired *d, struct str document, struct err *e) MUST_CHECK;
int desired_store_load_document(
	struct fs *fs, const struct sha256 *digest, struct buf *out, struct err *e) MUST_CHECK;

/* ---- desired_evidence.c: what a release must show ---- */

struct desired_evidence {
	struct evidence_list wanted;
	struct buf bytes[LIMIT_EVIDENCE]; /* one for each that is wanted */
};

void desired_evidence_fini(struct desired_evidence *ev);
/* After director_agree: brings what is wanted for `d` and judges it. Any error of evidence.h, or of
 * fetching. */
int desired_evidence_bring(struct desired_evidence *ev, const struct desired_in *in,
	const struct trusted_set *director, const struct trusted_set *image,
	const struct desired *d, struct err *e) MUST_CHECK;
/* Beside the release document; before the metadata that leads there. */
int desired_evidence_store(const struct desired_evidence *ev, const struct desired_in *in,
	const struct desired *d, struct err *e) MUST_CHECK;

#endif
