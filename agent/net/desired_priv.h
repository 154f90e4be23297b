/* What the files desired*.c share. */
#ifndef AGENT_NET_DESIRED_PRIV_H
#define AGENT_NET_DESIRED_PRIV_H

#include "agent/net/desired.h"
#include "proto/trust/evidence.h"

#define DESIRED_FILE_NAME (LIMIT_ROLE_NAME + 32) /* "18446744073709551615.ROLE.json" */

/* ---- desired_time.c: what time it is, for both repositories ---- */

struct desired_time {
	const struct desired_in *in;
	struct timebase_in base;
	struct timetoken token; /* once `asked` */
	bool asked;
};

/* With the floor that is stored. One that was damaged counts as none: the next token sets it. */
void desired_time_init(struct desired_time *t, const struct desired_in *in);
/* Goes by the keys that this root names; and the time that results. */
int desired_time_follow(struct desired_time *t, const struct meta *root, int64_t *out_now,
	struct err *e) MUST_CHECK;
/* Must this fetch ask, although nothing may be new? */
bool desired_time_is_due(const struct desired_time *t);
/* Follows the root of `r`, the director, and asks it what time it is, unless the root names nobody
 * who could say, or the files were carried here. The floor is durable on return. */
struct desired_repo;
int desired_time_ask(struct desired_time *t, struct desired_repo *r, struct err *e) MUST_CHECK;

/* ---- desired_repo.c: one of the two repositories; desired_head.c: what comes first of it ---- */

struct desired_file {
	char name[DESIRED_FILE_NAME];
	struct buf bytes;
};

struct desired_repo {
	const struct desired_in *in; /* http == NULL: from the store alone */
	struct desired_time *time;   /* shared by both */
	ms_t until;                  /* mono; 0: no end */
	bool is_director;
	const char *name; /* "director" */
	const char *dir;  /* "trust/director" */
	char url[512];
	struct trusted_set set;
	struct buf stored; /* timestamp.json of an earlier refresh */
	/* accepted in this refresh, to be stored; timestamp.json is apart because it is last */
	struct buf timestamp;
	unsigned n_files;
	struct desired_file file[2 + LIMIT_DELEGATIONS];
	char etag[sizeof((struct http_answer *)0)->etag];
	ms_t retry_after;
	bool turned_away; /* the last answer that was checked was a failure */
};

void desired_repo_init(struct desired_repo *r, const struct desired_in *in,
	struct desired_time *time, bool is_director);
void desired_repo_fini(struct desired_repo *r);

/* What desired_head.c needs of the store and the server. */
int desired_repo_from_store(struct desired_repo *r, const char *name, size_t max, struct buf *out,
	struct err *e) MUST_CHECK;
int desired_repo_ask(struct desired_repo *r, const char *name, const char *etag, size_t max,
	struct http_answer *out, struct err *e) MUST_CHECK;
int desired_repo_check(struct desired_repo *r, const char *name, const struct http_answer *a,
	struct err *e) MUST_CHECK;
/* Ask and check: appends the whole file. */
int desired_repo_get(struct desired_repo *r, const char *name, size_t max, struct buf *out,
	struct err *e) MUST_CHECK;
int desired_repo_refuse(struct desired_repo *r, const char *name, struct err *e);
/* The base for rollback checks. What cannot be read or no longer verifies is as good as missing. */
void desired_repo_load_stored(struct desired_repo *r);

/* Roots, time and timestamp: from the server when there is one, else from the store. With
 * `may_skip`, *out_same tells that the timestamp is the known one and leads to nothing new. */
int desired_head(struct desired_repo *r, bool may_skip, bool *out_same, struct err *e) MUST_CHECK;

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
	bool turned_away;                 /* the server answered with a failure */
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
