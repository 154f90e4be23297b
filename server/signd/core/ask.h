/* What the server asks the process that signs, as it crosses the socket: a frame is four bytes of
 * length, most significant first, and one JSON object. Pure. Nobody can ask for a signature over
 * bytes, and nobody can ask for a version: the server says what it wants to be true, and which
 * versions it has. */
#ifndef SERVER_SIGND_CORE_ASK_H
#define SERVER_SIGND_CORE_ASK_H

#include "proto/trust/director.h"
#include "proto/trust/timetoken.h"
#include "server/signd/core/ask.tbl.h"

enum ask_kind {
#define X(id, ...) ASK_##id,
	ASK_TABLE(X)
#undef X
		ASK_KIND_MAX
};
const char *ask_kind_name(enum ask_kind k);

/* The files of a repository that are signed on demand. The image repository has no targets here. */
enum sign_file { SIGN_TARGETS, SIGN_SNAPSHOT, SIGN_TIMESTAMP, SIGN_FILE_MAX };
const char *sign_file_name(enum sign_file f); /* "targets" */

struct sign_want {
	uint64_t has; /* the version that the server has, 0: none */
	bool due;     /* wants a higher one, whether what it says has changed or not */
};

struct ask_director {
	struct dev_id device;
	struct camp_id campaign;
	enum desired_order order;
	char path[LIMIT_TARGET_NAME]; /* "" with DESIRED_NOTHING */
	struct sha256 digest;         /* of the release document */
	struct sign_want want[SIGN_FILE_MAX];
	uint64_t life_s; /* of targets and snapshot */
	uint64_t timestamp_life_s;
	bool offline; /* for a folder that is carried to the device */
};

struct ask_time {
	struct dev_id device;
	char nonce[NONCE_TEXT];
};

/* Row `n` of the audit log is the newest, and this the chain's value behind it. */
struct ask_checkpoint {
	uint64_t n;
	struct sha256 chain;
};

struct ask_file {
	char role[LIMIT_ROLE_NAME]; /* "root", "targets", "engineering", ... */
	struct str bytes;
};

struct ask_image {
	struct sign_want want[SIGN_FILE_MAX]; /* snapshot and timestamp */
	uint64_t life_s;                      /* of the snapshot */
	uint64_t timestamp_life_s;
	bool offline; /* for a folder that is carried to a device */
	/* When there is a path, nothing is signed unless the files agree on this document. */
	char path[LIMIT_TARGET_NAME];
	struct sha256 digest;
	/* Every root in order of version, and the newest file of every other role. */
	unsigned n;
	struct ask_file files[LIMIT_SIGN_FILES];
};

struct ask {
	enum ask_kind kind;
	json_t *doc; /* owned; what the files borrow from */
	struct ask_director director;
	struct ask_time time;
	struct ask_checkpoint checkpoint;
	struct ask_image image;
};
void ask_fini(struct ask *a);
#define ASK_AUTO CLEANUP(ask_fini) struct ask

/* One frame without its length. ERR_BAD_INPUT with the place, ERR_TOO_LARGE. */
int ask_parse(struct str frame, struct ask *out, struct err *e) MUST_CHECK;
/* Appends what ask_parse reads. */
void ask_format(const struct ask *a, struct buf *out);

#endif
