/* Events that hooks are told of, and the letters: an event on its way to one hook. An event is kept
 * as long as there is a letter of it. */
#ifndef SERVER_REPO_LETTERS_H
#define SERVER_REPO_LETTERS_H

#include "proto/wire/limits.h"
#include "server/core/hook.h"
#include "server/db/db.h"

struct hook_event_row {
	uint64_t n;
	char id[ID_TEXT_MAX]; /* by which a receiver knows it again */
	enum hook_event type; /* HOOK_EVENT_MAX: of a newer program */
	ms_t at;
	char campaign[ID_TEXT_MAX], device[ID_TEXT_MAX]; /* or "" */
	char text[2 * LIMIT_TEXT];
	struct buf data; /* more of it as a JSON object, or empty; owned */
	uint64_t audit;  /* the row that the log had last then; 0: none */
};

void hook_event_row_fini(struct hook_event_row *ev);
#define HOOK_EVENT_AUTO CLEANUP(hook_event_row_fini) struct hook_event_row

int letters_add_event(
	struct db *db, const struct hook_event_row *ev, uint64_t *out_n, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND. */
int letters_event(struct db *db, uint64_t n, struct hook_event_row *out, struct err *e) MUST_CHECK;

struct letter {
	char hook[ID_TEXT_MAX];
	uint64_t event;
	ms_t due;
	unsigned tries;
	ms_t dead;            /* when it was given up; 0: it was not */
	int status;           /* HTTP, of the last answer; 0: none */
	char why[LIMIT_TEXT]; /* what went wrong last */
};

/* Adds or replaces. */
int letters_put(struct db *db, const struct letter *l, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND. */
int letters_get(struct db *db, const char *hook, uint64_t event, struct letter *out,
	struct err *e) MUST_CHECK;
/* The one of a hook that is due first; ERR_NOT_FOUND when none is. */
int letters_due(
	struct db *db, const char *hook, ms_t now, struct letter *out, struct err *e) MUST_CHECK;
/* And its event, if that was the last letter of it. ERR_NOT_FOUND. */
int letters_remove(struct db *db, const char *hook, uint64_t event, struct err *e) MUST_CHECK;
/* Makes room: the oldest dead one of a hook goes, or else the oldest. */
int letters_drop_one(struct db *db, const char *hook, struct err *e) MUST_CHECK;

/* The dead of a hook ("": of all), oldest first, at most `limit` with events above `after`. */
typedef int letters_each_f(void *ctx, const struct letter *l, struct err *e);
int letters_each_dead(struct db *db, const char *hook, uint64_t after, unsigned limit,
	letters_each_f *each, void *ctx, struct err *e) MUST_CHECK;
/* The dead of a hook are due again, as if never tried: all, or the one of `event` (not 0). */
int letters_revive(struct db *db, const char *hook, uint64_t event, ms_t now, uint64_t *out_n,
	struct err *e) MUST_CHECK;

#endif
