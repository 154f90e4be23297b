/* What the files of this folder share. */
#ifndef SERVER_SIGND_SIGND_PRIV_H
#define SERVER_SIGND_SIGND_PRIV_H

#include "keys/keystore.h"
#include "keys/repo.h"
#include "lib/sys/fs.h"
#include "server/signd/book.h"
#include "server/signd/signd.h"
#include "server/signd/store.h"

struct signd {
	struct signd_conf c;
	struct fs fs; /* the data folder */
	int lock;
	struct keystore *keys;
	struct db db;
	struct book book;
	struct shown *image;
	struct sign_budgets budgets;
	int64_t time_said;      /* the latest that a token has told */
	struct bucket refusals; /* lines for refusals; what is above is refused without a line */
};

#define SIGND_NOTES 4 /* lines that one answer needs, at most */

/* An answer under way: who asks, and what is to be noted before it is given. */
struct signing {
	struct signd *d;
	const char *peer;
	ms_t now;
	unsigned n;
	struct chain_note notes[SIGND_NOTES];
	struct reply *reply;
};

/* Takes over `part`, signs it with the keys of a role ("director-targets") and fills *out; adds a
 * note, which the caller completes. */
int signing_sign(struct signing *s, const char *key_role, const char *role, json_t *part,
	struct repo_head head, struct signed_file *out, struct err *e) MUST_CHECK;

/* First the log, then the store: `put` writes what is to be remembered, within the transaction.
 * NULL: nothing has to survive but the log. */
typedef int signing_put_f(void *ctx, struct db *db, struct err *e);
int signing_commit(struct signing *s, const struct sign_budgets *left, signing_put_f *put,
	void *ctx, struct err *e) MUST_CHECK;

int signing_director(struct signing *s, const struct ask_director *a, struct err *e) MUST_CHECK;
int signing_time(struct signing *s, const struct ask_time *a, struct err *e) MUST_CHECK;
int signing_checkpoint(struct signing *s, const struct ask_checkpoint *a, struct err *e) MUST_CHECK;
int signing_image(struct signing *s, const struct ask_image *a, struct err *e) MUST_CHECK;

#endif
