#include "server/run/hook_order.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/entropy.h"
#include "proto/wire/base64.h"
#include "proto/wire/time.h"
#include "server/run/hook.h"

/* ---- making ---- */

static int check_room(struct run *r, const struct hook_new *in, struct err *e)
{
	struct hook_row *there CLEANUP(mem_free) = mem_new(sizeof *there);
	uint64_t n;
	int rc = hooks_get(r->c.db, in->name, there, e);

	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "there is a hook %s already", in->name);
	if (rc != -ERR_NOT_FOUND)
		return rc;
	TRY(hooks_count(r->c.db, &n, e));
	if (n >= LIMIT_HOOKS)
		return err_set(
			e, ERR_CONFLICT, "there are %d hooks, and not more may be", LIMIT_HOOKS);
	return 0;
}

/* Scheme, host and port: what follows may be a secret of the receiver's. */
static struct str origin(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return (struct str){url, (size_t)(host - url) + strcspn(host, "/?")};
}

static int add(struct run *r, const struct hook_row *h, struct err *e)
{
	struct str to = origin(h->url);
	char text[2 * LIMIT_TEXT];

	TRY(hooks_put(r->c.db, h, e));
	snprintf(text, sizeof text, "%s made hook %s (%s): %.180s to %.*s", h->created_by, h->name,
		hook_kind_name(h->kind), h->events, (int)MIN(to.n, (size_t)180), to.p);
	return run_audit(r, NULL, h->created_by, "hook", "", text, e);
}

static void make_secret(uint8_t out[HOOK_SECRET], char out_text[HOOK_SECRET_TEXT])
{
	BUF_AUTO text = {0};

	entropy_fill(out, HOOK_SECRET);
	base64_encode((struct str){(const char *)out, HOOK_SECRET}, &text);
	snprintf(out_text, HOOK_SECRET_TEXT, HOOK_SECRET_PREFIX "%s", buf_cstr(&text));
}

int hook_add(
	struct run *r, const struct hook_new *in, char out_secret[HOOK_SECRET_TEXT], struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);
	char secret[HOOK_SECRET_TEXT];
	uint64_t mask;

	TRY(hook_url_check(str_of(in->url), e));
	TRY(hook_events_parse(str_of(in->events), &mask, e));
	TRY(check_room(r, in, e));
	*h = (struct hook_row){.kind = in->kind, .created = run_now(r)};
	snprintf(h->name, sizeof h->name, "%s", in->name);
	snprintf(h->url, sizeof h->url, "%s", in->url);
	snprintf(h->events, sizeof h->events, "%s", in->events);
	snprintf(h->created_by, sizeof h->created_by, "%s", in->by);
	make_secret(h->secret, secret);
	TRY(run_begin(r, e));
	TRY(run_end(r, add(r, h, e), e));
	memcpy(out_secret, secret, sizeof secret);
	return 0;
}

/* ---- another secret ---- */

static int get_signed(struct run *r, const char *name, struct hook_row *h, struct err *e)
{
	TRY(hooks_get(r->c.db, name, h, e));
	if (h->kind != HOOK_KIND_WEBHOOK)
		return err_set(e, ERR_BAD_INPUT, "%s is sent alerts, which are not signed", name);
	if (h->old_until <= run_now(r)) {
		memset(h->old, 0, sizeof h->old);
		h->n_old = 0;
		h->old_until = 0;
	}
	return 0;
}

static int store_said(
	struct run *r, const struct hook_row *h, const char *by, const char *what, struct err *e)
{
	char text[LIMIT_TEXT];

	TRY(hooks_put(r->c.db, h, e));
	snprintf(text, sizeof text, "%s %s hook %s", by, what, h->name);
	return run_audit(r, NULL, by, "hook", "", text, e);
}

static int rotate(struct run *r, const char *name, ms_t until, const char *by,
	char secret[HOOK_SECRET_TEXT], struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);
	char what[96], time[21];

	TRY(get_signed(r, name, h, e));
	if (h->n_old == HOOK_OLD_MAX)
		return err_set(e, ERR_CONFLICT,
			"%s is signed with %d secrets by now: end the old ones first (hook rotate --end)",
			name, HOOK_OLD_MAX + 1);
	memmove(h->old[1], h->old[0], (HOOK_OLD_MAX - 1) * sizeof h->old[0]);
	memcpy(h->old[0], h->secret, sizeof h->secret);
	h->n_old++;
	h->old_until = MAX(h->old_until, until);
	make_secret(h->secret, secret);
	time_format(h->old_until / 1000, time);
	snprintf(what, sizeof what, "made a new secret, the old one is good until %s, for", time);
	return store_said(r, h, by, what, e);
}

int hook_rotate(struct run *r, const char *name, ms_t until, const char *by,
	char out_secret[HOOK_SECRET_TEXT], struct err *e)
{
	char secret[HOOK_SECRET_TEXT];

	TRY(run_begin(r, e));
	TRY(run_end(r, rotate(r, name, until, by, secret, e), e));
	memcpy(out_secret, secret, sizeof secret);
	return 0;
}

static int end_old(struct run *r, const char *name, const char *by, struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);

	TRY(get_signed(r, name, h, e));
	if (!h->n_old)
		return err_set(e, ERR_CONFLICT, "%s is signed with one secret alone", name);
	memset(h->old, 0, sizeof h->old);
	h->n_old = 0;
	h->old_until = 0;
	return store_said(r, h, by, "ended the old secret of", e);
}

int hook_rotated(struct run *r, const char *name, const char *by, struct err *e)
{
	TRY(run_begin(r, e));
	return run_end(r, end_old(r, name, by, e), e);
}

/* ---- removing ---- */

static int remove_said(struct run *r, const char *name, const char *by, struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);
	char text[LIMIT_TEXT];

	TRY(hooks_get(r->c.db, name, h, e));
	snprintf(text, sizeof text, "%s removed hook %s with %llu letters", by, name,
		(unsigned long long)h->kept);
	TRY(hooks_remove(r->c.db, name, e));
	return run_audit(r, NULL, by, "hook", "", text, e);
}

int hook_remove(struct run *r, const char *name, const char *by, struct err *e)
{
	TRY(run_begin(r, e));
	return run_end(r, remove_said(r, name, by, e), e);
}

/* ---- trying, and sending again ---- */

static int test(struct run *r, const char *name, const char *by, uint64_t *out_event, struct err *e)
{
	char text[LIMIT_TEXT];
	struct hook_fact f = {.event = HOOK_TEST, .text = text};

	snprintf(text, sizeof text, "%s tries hook %s", by, name);
	TRY(run_audit(r, NULL, by, "hook", "", text, e));
	return hook_raise_to(r, name, &f, out_event, e);
}

int hook_test(struct run *r, const char *name, const char *by, uint64_t *out_event, struct err *e)
{
	TRY(run_begin(r, e));
	return run_end(r, test(r, name, by, out_event, e), e);
}

static int resend(struct run *r, const char *name, uint64_t event, const char *by, uint64_t *out_n,
	struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);
	char text[LIMIT_TEXT];

	TRY(hooks_get(r->c.db, name, h, e));
	TRY(letters_revive(r->c.db, name, event, run_now(r), out_n, e));
	if (event && !*out_n)
		return err_set(e, ERR_NOT_FOUND, "%s has no dead letter %llu", name,
			(unsigned long long)event);
	h->quiet_until = 0;
	TRY(hooks_put(r->c.db, h, e));
	snprintf(text, sizeof text, "%s sends %llu dead letters of hook %s again", by,
		(unsigned long long)*out_n, name);
	return *out_n ? run_audit(r, NULL, by, "hook", "", text, e) : 0;
}

int hook_resend(struct run *r, const char *name, uint64_t event, const char *by, uint64_t *out_n,
	struct err *e)
{
	TRY(run_begin(r, e));
	return run_end(r, resend(r, name, event, by, out_n, e), e);
}

/* ---- carrying out ---- */

int hook_next(struct run *r, const struct hook_row *h, struct letter *out,
	struct hook_event_row *out_event, struct err *e)
{
	int rc;

	if (h->kind >= HOOK_KIND_MAX || h->quiet_until > run_now(r))
		return 0;
	rc = letters_due(r->c.db, h->name, run_now(r), out, e);
	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	TRY(letters_event(r->c.db, out->event, out_event, e));
	return 1;
}

static int arrived(struct run *r, const struct letter *l, struct hook_row *h, struct err *e)
{
	h->delivered++;
	h->kept--;
	h->ok = run_now(r);
	h->quiet_until = 0;
	h->why[0] = 0;
	TRY(letters_remove(r->c.db, l->hook, l->event, e));
	return hooks_put(r->c.db, h, e);
}

static int failed(struct run *r, const struct letter *l, struct hook_row *h,
	const struct hook_plan *plan, struct err *e)
{
	struct letter next = *l;

	next.due = run_now(r) + plan->wait;
	next.dead = plan->fate == HOOK_DEAD ? run_now(r) : 0;
	h->failed = run_now(r);
	h->quiet_until = plan->quiet ? run_now(r) + plan->quiet : 0;
	snprintf(h->why, sizeof h->why, "%s", l->why);
	TRY(letters_put(r->c.db, &next, e));
	return hooks_put(r->c.db, h, e);
}

static int settle(struct run *r, struct letter *l, const struct hook_rule *rule,
	const struct hook_answer *a, bool *out_dead, struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);
	struct hook_plan plan;
	struct letter there;
	uint64_t chance;
	int rc = hooks_get(r->c.db, l->hook, h, e);

	if (rc == 0)
		rc = letters_get(r->c.db, l->hook, l->event, &there, e);
	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	entropy_fill(&chance, sizeof chance);
	l->tries++;
	hook_step(rule, l->tries, a, chance, &plan);
	*out_dead = plan.fate == HOOK_DEAD;
	return plan.fate == HOOK_DELIVERED ? arrived(r, l, h, e) : failed(r, l, h, &plan, e);
}

int hook_settle(struct run *r, const struct letter *l, const struct hook_rule *rule,
	const struct hook_answer *a, const char *why, bool *out_dead, struct err *e)
{
	struct letter next = *l;

	*out_dead = false;
	next.status = a->status;
	snprintf(next.why, sizeof next.why, "%s", why);
	TRY(run_begin(r, e));
	return run_end(r, settle(r, &next, rule, a, out_dead, e), e);
}
