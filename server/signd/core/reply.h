/* What the process that signs answers: files, or a refusal. Pure. */
#ifndef SERVER_SIGND_CORE_REPLY_H
#define SERVER_SIGND_CORE_REPLY_H

#include "proto/wire/json.h"
#include "proto/wire/limits.h"

struct signed_file {
	char role[LIMIT_ROLE_NAME];
	uint64_t version;
	int64_t expires_s;
	struct buf bytes; /* owned */
};

struct reply {
	uint64_t line; /* of its log, the newest */
	uint64_t made; /* signatures for this answer; 0: all of it had been signed before */
	unsigned n;
	struct signed_file files[LIMIT_ROLES];
};
void reply_fini(struct reply *r);
#define REPLY_AUTO CLEANUP(reply_fini) struct reply

/* NULL when there is no file of that role. */
const struct signed_file *reply_find(const struct reply *r, const char *role);
/* Copies the bytes. At most LIMIT_ROLES. */
void reply_add(struct reply *r, const struct signed_file *f);

void reply_format(const struct reply *r, struct buf *out);
void reply_format_err(const struct err *why, struct buf *out);

/* A refusal becomes that error. ERR_BAD_INPUT, ERR_TOO_LARGE. *out holds nothing on failure. */
int reply_parse(struct str frame, struct reply *out, struct err *e) MUST_CHECK;

#endif
