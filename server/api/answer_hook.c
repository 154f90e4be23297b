/* Hooks: whom the server tells; and drift, which it tells of. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/drifts.h"
#include "server/repo/releases.h"
#include "server/run/hook_order.h"

#define DEAD_MAX   1000
#define DRIFTS_MAX 1000
#define KEEP       ((uint64_t)MINUTE(60) * 24 * 7) /* an old secret, unless it is said */

/* ---- hooks ---- */

static int add_hook(void *ctx, const struct hook_row *h, struct err *e UNUSED)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", h->name, "kind",
		hook_kind_name(h->kind), "url", h->url, "events", h->events, "created_by",
		h->created_by);

	answer_set_number(o, "created_ms", h->created);
	answer_set_number(o, "letters", (int64_t)h->kept);
	answer_set_number(o, "delivered", (int64_t)h->delivered);
	answer_set_number(o, "dropped", (int64_t)h->dropped);
	answer_set_number(o, "delivered_ms", h->ok);
	answer_set_number(o, "failed_ms", h->failed);
	answer_set_text(o, "why", h->why);
	if (h->n_old)
		answer_set_number(o, "old_secret_until_ms", h->old_until);
	json_array_append_new(ctx, o);
	return 0;
}

int answer_HOOKS(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();

	TRY(hooks_each(a->db, add_hook, list, e));
	answer_json(out, json_pack("{s:O}", "hooks", list));
	return 0;
}

static int read_hook(const json_t *body, struct hook_new *in, struct err *e)
{
	const char *names[HOOK_KIND_MAX];
	unsigned kind = HOOK_KIND_WEBHOOK;

	for (enum hook_kind k = 0; k < HOOK_KIND_MAX; k++)
		names[k] = hook_kind_name(k);
	TRY(json_id(body, "body", "name", in->name, e));
	TRY(json_choice_opt(body, "body", "kind", names, HOOK_KIND_MAX, &kind, e));
	TRY(json_text(body, "body", "url", in->url, sizeof in->url, e));
	snprintf(in->events, sizeof in->events, "*");
	in->kind = (enum hook_kind)kind;
	return json_text_opt(body, "body", "events", in->events, sizeof in->events, e);
}

int answer_HOOK_ADD(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"name", "kind", "url", "events", NULL};
	struct hook_new *in CLEANUP(mem_free) = mem_new(sizeof *in);
	JSON_AUTO *body = NULL;
	char secret[HOOK_SECRET_TEXT];

	memset(in, 0, sizeof *in);
	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(read_hook(body, in, e));
	snprintf(in->by, sizeof in->by, "%s", a->user.name);
	TRY(hook_add(a->run, in, secret, e));
	out->status = 201;
	answer_json(out, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", in->name, "kind",
				 hook_kind_name(in->kind), "url", in->url, "events", in->events,
				 "secret", secret));
	return 0;
}

int answer_HOOK_REMOVE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	char name[ID_TEXT_MAX];

	TRY(answer_id(rq, 0, "hook", name, e));
	TRY(hook_remove(a->run, name, a->user.name, e));
	answer_json(out, json_pack("{s:s, s:b}", "name", name, "removed", 1));
	return 0;
}

int answer_HOOK_ROTATE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"keep_ms", "end", NULL};
	JSON_AUTO *body = NULL;
	char name[ID_TEXT_MAX], secret[HOOK_SECRET_TEXT];
	uint64_t keep = KEEP;
	bool end = false;
	ms_t until;

	TRY(answer_id(rq, 0, "hook", name, e));
	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(json_bool_opt(body, "body", "end", &end, e));
	TRY(json_u64_opt(body, "body", "keep_ms", 1, LIMIT_HOOK_KEEP_MS, &keep, e));
	if (end) {
		TRY(hook_rotated(a->run, name, a->user.name, e));
		answer_json(out, json_pack("{s:s, s:b}", "name", name, "ended", 1));
		return 0;
	}
	until = run_now(a->run) + (ms_t)keep;
	TRY(hook_rotate(a->run, name, until, a->user.name, secret, e));
	answer_json(out, json_pack("{s:s, s:s, s:I}", "name", name, "secret", secret,
				 "old_secret_until_ms", (json_int_t)until));
	return 0;
}

int answer_HOOK_TEST(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	char name[ID_TEXT_MAX];
	uint64_t event;

	TRY(answer_id(rq, 0, "hook", name, e));
	TRY(hook_test(a->run, name, a->user.name, &event, e));
	out->status = 202;
	answer_json(out, json_pack("{s:s, s:I}", "name", name, "event", (json_int_t)event));
	return 0;
}

/* ---- dead letters ---- */

struct listing {
	struct db *db;
	json_t *list;
};

static int add_dead(void *ctx, const struct letter *l, struct err *e)
{
	HOOK_EVENT_AUTO ev = {0};
	struct listing *d = ctx;
	json_t *o;

	TRY(letters_event(d->db, l->event, &ev, e));
	o = json_pack("{s:s, s:I, s:s, s:s}", "hook", l->hook, "event", (json_int_t)l->event, "id",
		ev.id, "type", hook_event_name(ev.type));
	answer_set_number(o, "at_ms", ev.at);
	answer_set_number(o, "dead_ms", l->dead);
	answer_set_number(o, "tries", l->tries);
	if (l->status)
		answer_set_number(o, "status", l->status);
	answer_set_text(o, "campaign", ev.campaign);
	answer_set_text(o, "device", ev.device);
	answer_set_text(o, "text", ev.text);
	answer_set_text(o, "why", l->why);
	json_array_append_new(d->list, o);
	return 0;
}

int answer_HOOK_DEAD(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	struct hook_row *h CLEANUP(mem_free) = mem_new(sizeof *h);
	JSON_AUTO *list = json_array();
	struct listing d = {a->db, list};
	char name[ID_TEXT_MAX];
	uint64_t after;

	TRY(answer_id(rq, 0, "hook", name, e));
	TRY(answer_number(rq, "after", 0, INT64_MAX, &after, e));
	TRY(hooks_get(a->db, name, h, e));
	TRY(letters_each_dead(a->db, name, after, DEAD_MAX, add_dead, &d, e));
	answer_json(out, json_pack("{s:O}", "dead", list));
	return 0;
}

int answer_HOOK_RESEND(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"event", NULL};
	JSON_AUTO *body = NULL;
	char name[ID_TEXT_MAX];
	uint64_t event = 0, n;

	TRY(answer_id(rq, 0, "hook", name, e));
	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(json_u64_opt(body, "body", "event", 1, INT64_MAX, &event, e));
	TRY(hook_resend(a->run, name, event, a->user.name, &n, e));
	answer_json(out, json_pack("{s:s, s:I}", "name", name, "resent", (json_int_t)n));
	return 0;
}

/* ---- drift ---- */

static int set_release(struct db *db, const struct drift_row *d, json_t *o, struct err *e)
{
	RELEASE_ROW_AUTO release = {0};
	int rc;

	answer_set_digest(o, "release_digest", &d->document);
	if (sha256_is_zero(&d->document))
		return 0;
	rc = releases_by_digest(db, &d->document, &release, e);
	if (rc == 0)
		answer_set_text(o, "release", release.id.s);
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

static int add_drift(void *ctx, const struct drift_row *d, struct err *e)
{
	struct listing *to = ctx;
	json_t *o = json_pack("{s:I, s:s, s:b}", "drift", (json_int_t)d->n, "metric", d->metric,
		"open", d->closed == 0);

	json_array_append_new(to->list, o);
	answer_set_digest(o, "reference", &d->reference);
	answer_set_number(o, "value_milli", (int64_t)d->value_milli);
	answer_set_number(o, "threshold_milli", (int64_t)d->threshold_milli);
	answer_set_number(o, "opened_ms", d->opened);
	answer_set_number(o, "from_ms", d->from);
	answer_set_number(o, "to_ms", d->to);
	answer_set_number(o, "samples", (int64_t)d->samples);
	answer_set_number(o, "devices", (int64_t)d->devices);
	answer_set_number(o, "reports", (int64_t)d->reports);
	answer_set_number(o, "told_devices", (int64_t)d->told);
	answer_set_number(o, "told_ms", d->told_at);
	return set_release(to->db, d, o, e);
}

int answer_DRIFTS(struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();
	struct listing to = {a->db, list};
	uint64_t last;

	TRY(answer_number(rq, "last", 50, DRIFTS_MAX, &last, e));
	TRY(drifts_each(a->db, (unsigned)last, add_drift, &to, e));
	answer_json(out, json_pack("{s:O}", "drifts", list));
	return 0;
}
