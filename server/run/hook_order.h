/* What administrators do with hooks, and what is to be sent. Each call is one transaction; changes
 * of hooks have an audit row. */
#ifndef SERVER_RUN_HOOK_ORDER_H
#define SERVER_RUN_HOOK_ORDER_H

#include "server/repo/hooks.h"
#include "server/repo/letters.h"
#include "server/run/run.h"

#define HOOK_SECRET_PREFIX "whsec_" /* as Standard Webhooks writes a secret: then base64 */
#define HOOK_SECRET_TEXT   64       /* with its NUL */

struct hook_new {
	char name[ID_TEXT_MAX];
	enum hook_kind kind;
	char url[LIMIT_HOOK_URL], events[LIMIT_HOOK_EVENTS];
	char by[ID_TEXT_MAX];
};

/* Its secret is told here, once. ERR_BAD_INPUT for the address or the events; ERR_CONFLICT when
 * there is a hook of that name, or as many as there may be. */
int hook_add(struct run *r, const struct hook_new *in, char out_secret[HOOK_SECRET_TEXT],
	struct err *e) MUST_CHECK;
/* A new secret, told here, once. Letters are signed with the old one, too, until `until` (and with
 * the one before that, if it is still in use), so that no letter is lost while receivers change
 * over. ERR_NOT_FOUND; ERR_BAD_INPUT for alerts, which are not signed; ERR_CONFLICT when it is
 * signed with as many as there may be. */
int hook_rotate(struct run *r, const char *name, ms_t until, const char *by,
	char out_secret[HOOK_SECRET_TEXT], struct err *e) MUST_CHECK;
/* From now on with the newest alone. ERR_NOT_FOUND; ERR_CONFLICT when there is no other. */
int hook_rotated(struct run *r, const char *name, const char *by, struct err *e) MUST_CHECK;
/* With its letters. ERR_NOT_FOUND. */
int hook_remove(struct run *r, const char *name, const char *by, struct err *e) MUST_CHECK;
/* The event hook.test, to this hook alone. ERR_NOT_FOUND. */
int hook_test(struct run *r, const char *name, const char *by, uint64_t *out_event,
	struct err *e) MUST_CHECK;
/* Sends dead letters of a hook again: that of one event, or all (0). ERR_NOT_FOUND when the hook or
 * the letter is not there. */
int hook_resend(struct run *r, const char *name, uint64_t event, const char *by, uint64_t *out_n,
	struct err *e) MUST_CHECK;

/* ---- for whom carries letters out ---- */

/* The next letter of a hook that is due, with its event, which is the caller's to finish. 1: there
 * is one; 0: none is due. Nothing is changed: who carries it remembers that it does. */
int hook_next(struct run *r, const struct hook_row *h, struct letter *out,
	struct hook_event_row *out_event, struct err *e) MUST_CHECK;

/* What came of it: delivered and gone, tried again later, or dead. Nothing when somebody has
 * removed it meanwhile. *out_dead: it has just died. */
int hook_settle(struct run *r, const struct letter *l, const struct hook_rule *rule,
	const struct hook_answer *a, const char *why, bool *out_dead, struct err *e) MUST_CHECK;

#endif
