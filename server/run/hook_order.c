#include "server/run/hook_order.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/entropy.h"
#include "proto/wire/base64.h"
#include "server/run/hook.h"

/* ---- making and removing ---- */

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

int hook_add(
	struct run *r, const struct hook_new *in, char out_secret[HOOK_SECRET_TEXT], struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);
	BUF_AUTO secret = {0};
	uint64_t mask;

	TRY(hook_url_check(str_of(in->url), e));
	TRY(hook_events_parse(str_of(in->events), &mask, e));
	TRY(check_room(r, in, e));
	*h = (struct hook_row){.kind = in->kind, .created = run_now(r)};
	snprintf(h->name, sizeof h->name, "%s", in->name);
	snprintf(h->url, sizeof h->url, "%s", in->url);
	snprintf(h->events, sizeof h->events, "%s", in->events);
	snprintf(h->created_by, sizeof h->created_by, "%s", in->by);
	entropy_fill(h->secret, sizeof h->secret);
	base64_encode((struct str){(const char *)h->secret, sizeof h->secret}, &secret);
	TRY(run_begin(r, e));
	TRY(run_end(r, add(r, h, e), e));
	snprintf(out_secret, HOOK_SECRET_TEXT, HOOK_SECRET_PREFIX "%s", buf_cstr(&secret));
	return 0;
}

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
