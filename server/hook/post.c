#include "server/hook/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/log.h"
#include "server/run/hook_order.h"

/* A letter on its way. */
struct carried {
	bool busy;
	struct letter letter;
};

struct post {
	const struct post_conf *c;
	struct run *run;
	struct courier *courier;
	struct carried carried[COURIER_AT_ONCE]; /* by tag */
};

/* ---- sending ---- */

/* The tag of a hook's letter that is on its way; else one that is free, or COURIER_AT_ONCE. */
static unsigned place(const struct post *p, const char *hook, bool *out_busy)
{
	unsigned free_tag = COURIER_AT_ONCE;

	*out_busy = false;
	for (unsigned i = 0; i < COURIER_AT_ONCE; i++) {
		if (!p->carried[i].busy) {
			free_tag = i;
			continue;
		}
		*out_busy = strcmp(p->carried[i].letter.hook, hook) == 0;
		if (*out_busy)
			return i;
	}
	return free_tag;
}

static int send_next(void *ctx, const struct hook_row *h, struct err *e)
{
	struct letter_out out CLEANUP(letter_out_fini) = {.url = ""};
	HOOK_EVENT_AUTO ev = {0};
	struct post *p = ctx;
	struct letter l;
	bool busy;
	unsigned tag = place(p, h->name, &busy);
	int rc;

	if (busy || tag == COURIER_AT_ONCE)
		return 0;
	rc = hook_next(p->run, h, &l, &ev, e);
	if (rc <= 0)
		return rc;
	p->carried[tag] = (struct carried){.busy = true, .letter = l};
	letter_encode(h, &ev, p->c->source, run_now(p->run), &out);
	courier_carry(p->courier, tag, &out);
	return 0;
}

int post_tick(struct post *p, struct err *e)
{
	return hooks_each(p->c->db, send_next, p, e);
}

/* ---- what came of it ---- */

static int send_next_of(struct post *p, const char *hook, struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);
	int rc = hooks_get(p->c->db, hook, h, e);

	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	return send_next(p, h, e);
}

static void say(const struct letter *l, const char *why, bool dead)
{
	if (dead)
		log_ev(LOG_ID_HOOK_DEAD, "hook=%s event=%llu why=\"%s\"", l->hook,
			(unsigned long long)l->event, why);
	else if (*why && l->tries == 0)
		log_ev(LOG_ID_HOOK_LATE, "hook=%s event=%llu why=\"%s\"", l->hook,
			(unsigned long long)l->event, why);
}

/* If it cannot be stored, the letter is there as it was, and is carried again: twice is allowed,
 * never is not. */
static void on_done(void *ctx, unsigned tag, const struct hook_answer *a, const char *why)
{
	struct post *p = ctx;
	struct letter l = p->carried[tag].letter;
	struct err e;
	bool dead;
	int rc = hook_settle(p->run, &l, &p->c->rule, a, why, &dead, &e);

	p->carried[tag].busy = false;
	if (rc == 0) {
		say(&l, why, dead);
		rc = send_next_of(p, l.hook, &e);
	}
	if (rc < 0)
		log_err(LOG_ID_STORE, &e, "what=letter");
}

/* ---- life ---- */

int post_open(
	sd_event *loop, const struct post_conf *c, struct run *r, struct post **out, struct err *e)
{
	struct post *p = mem_new(sizeof *p);
	int rc;

	memset(p, 0, sizeof *p);
	p->c = c;
	p->run = r;
	rc = courier_open(loop, &c->courier, on_done, p, &p->courier, e);
	if (rc < 0)
		post_close(&p);
	else
		*out = p;
	return rc;
}

void post_close(struct post **p)
{
	if (!*p)
		return;
	courier_close(&(*p)->courier);
	free(*p);
	*p = NULL;
}
