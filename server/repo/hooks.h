/* Whom to tell: hooks that administrators have made. */
#ifndef SERVER_REPO_HOOKS_H
#define SERVER_REPO_HOOKS_H

#include "proto/wire/limits.h"
#include "server/core/hook.h"
#include "server/db/db.h"

#define HOOK_SECRET  32
#define HOOK_OLD_MAX 2 /* secrets that letters are signed with besides the newest */

struct hook_row {
	char name[ID_TEXT_MAX];
	enum hook_kind kind; /* HOOK_KIND_MAX: of a newer program; gets nothing */
	char url[LIMIT_HOOK_URL];
	char events[LIMIT_HOOK_EVENTS];         /* as hook_events_parse takes them */
	uint8_t secret[HOOK_SECRET];            /* with which letters are signed */
	uint8_t old[HOOK_OLD_MAX][HOOK_SECRET]; /* and with these until then, newest first */
	unsigned n_old;
	ms_t old_until;
	ms_t created;
	char created_by[ID_TEXT_MAX];
	ms_t quiet_until; /* nothing is sent before */
	uint64_t kept, delivered,
		dropped;      /* letters that are there; that arrived; that had to go */
	ms_t ok, failed;      /* 0: never */
	char why[LIMIT_TEXT]; /* what went wrong last, or "" */
};

/* ERR_NOT_FOUND. */
int hooks_get(struct db *db, const char *name, struct hook_row *out, struct err *e) MUST_CHECK;
/* Adds or replaces. */
int hooks_put(struct db *db, const struct hook_row *h, struct err *e) MUST_CHECK;
/* Takes old secrets whose time is over out of the store. */
int hooks_forget_secrets(struct db *db, ms_t now, struct err *e) MUST_CHECK;
/* With all its letters. */
int hooks_remove(struct db *db, const char *name, struct err *e) MUST_CHECK;
int hooks_count(struct db *db, uint64_t *out, struct err *e) MUST_CHECK;

/* In order of name. A non-zero return of `each` ends it and is handed up. The row may be stored
 * from within `each`. */
typedef int hooks_each_f(void *ctx, const struct hook_row *h, struct err *e);
int hooks_each(struct db *db, hooks_each_f *each, void *ctx, struct err *e) MUST_CHECK;

/* Has this been told before? Remembers that it has been told now. Within a transaction. */
int hooks_told(
	struct db *db, const char *key, ms_t now, bool *out_before, struct err *e) MUST_CHECK;
/* Forgets what was told before `before`. */
int hooks_forget_told(struct db *db, ms_t before, struct err *e) MUST_CHECK;

#endif
