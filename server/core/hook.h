/* Hooks: which events there are, which of them a hook is for, and what becomes of a letter, which
 * is one event on its way to one hook. Pure. */
#ifndef SERVER_CORE_HOOK_H
#define SERVER_CORE_HOOK_H

#include "lib/str.h"
#include "server/core/hook.tbl.h"

enum hook_event {
#define X(id, ...) HOOK_##id,
	HOOK_EVENT_TABLE(X)
#undef X
		HOOK_EVENT_MAX
};

enum hook_kind {
#define X(id, ...) HOOK_KIND_##id,
	HOOK_KIND_TABLE(X)
#undef X
		HOOK_KIND_MAX
};

enum hook_gravity {
#define X(id, ...) HOOK_GRAVITY_##id,
	HOOK_GRAVITY_TABLE(X)
#undef X
		HOOK_GRAVITY_MAX
};

/* Facts of the tables. Of a name that is none: the MAX. */
const char *hook_event_name(enum hook_event ev);
enum hook_event hook_event_by_name(const char *name);
const char *hook_event_text(enum hook_event ev);
enum hook_gravity hook_event_gravity(enum hook_event ev);
const char *hook_gravity_name(enum hook_gravity g);
const char *hook_kind_name(enum hook_kind k);
enum hook_kind hook_kind_by_name(const char *name);

/* Which events a hook is for: names, groups ("campaign.*") or "*", separated by commas. A bit for
 * each event; hook.test is always among them. ERR_BAD_INPUT names the word, and the nearest. */
int hook_events_parse(struct str text, uint64_t *out_mask, struct err *e) MUST_CHECK;
bool hook_is_for(uint64_t mask, enum hook_event ev);

/* Where letters may go: http:// or https:// and a host, with neither a name nor a password in it
 * (it would stand in logs), no fragment, printable ASCII only. ERR_BAD_INPUT. */
int hook_url_check(struct str url, struct err *e) MUST_CHECK;

/* ---- one attempt ---- */

struct hook_rule {
	unsigned tries;   /* attempts, then the letter is dead */
	ms_t first, last; /* wait behind the first failure, tripled each time up to `last` */
};

struct hook_answer {
	int status;       /* HTTP; 0: none came */
	ms_t retry_after; /* 0: none was asked for */
};

enum hook_fate { HOOK_DELIVERED, HOOK_AGAIN, HOOK_DEAD };

struct hook_plan {
	enum hook_fate fate;
	ms_t wait;  /* AGAIN: until this letter is tried again */
	ms_t quiet; /* until the hook's next letter is tried at all; 0: at once */
};

#define HOOK_WAIT_MAX MINUTE(24 * 60) /* of a Retry-After */

/* What follows from the answer to attempt number `tries` (from 1). Any 2xx delivers; 410 ends it,
 * as the receiver says that it is gone; everything else, redirects too, is tried again, behind a
 * wait with jitter between half of it and all (`chance`: any 64 random bits), and never before the
 * receiver's Retry-After. No answer, 429 and 5xx keep the hook's other letters back as well. */
void hook_step(const struct hook_rule *rule, unsigned tries, const struct hook_answer *a,
	uint64_t chance, struct hook_plan *out);

#endif
