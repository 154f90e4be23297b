#include <stdio.h>

#include "agent/net/desired_priv.h"

void desired_time_init(struct desired_time *t, const struct desired_in *in)
{
	BUF_AUTO text = {0};
	struct err why;

	*t = (struct desired_time){.in = in,
		.base = {.heard = in->heard,
			.built_s = in->built_s,
			.system_s = in->now_s,
			.system_set = in->clock_set}};
	if (desired_store_load(in->fs, "trust", "time.json", LIMIT_TIMETOKEN_BYTES, &text, &why) ==
		0)
		(void)!timebase_parse(buf_str(&text), &t->base.floor, &why);
}

int desired_time_follow(
	struct desired_time *t, const struct meta *root, int64_t *out_now, struct err *e)
{
	TRY(timetoken_keys(root, &t->base.keys, e));
	*out_now = timebase_eval(&t->base);
	return 0;
}

static bool is_asked_for(const struct desired_time *t)
{
	return t->in->http && !t->in->carried && !sha256_is_zero(&t->base.keys);
}

bool desired_time_is_due(const struct desired_time *t)
{
	bool is_known = sha256_eq(&t->base.heard.keys, &t->base.keys);

	return is_asked_for(t) && (t->in->ask_time || !is_known);
}

/* ---- asking ---- */

static int store_floor(struct desired_time *t, const struct signed_time *floor, struct err *e)
{
	BUF_AUTO text = {0};

	timebase_format(floor, &text);
	TRY(desired_store_file(t->in->fs, "trust/time.json", buf_str(&text), e));
	t->base.floor = *floor;
	return 0;
}

/* The floor is durable before anything is believed by it. */
static int take(struct desired_time *t, const struct timetoken *token, struct err *e)
{
	struct signed_time heard = {token->time_s, t->base.keys}, floor;

	TRY(timebase_step(&t->base.floor, &heard, &floor, e));
	TRY(store_floor(t, &floor, e));
	t->base.heard = heard;
	t->token = *token;
	t->asked = true;
	return 0;
}

static int ask(struct desired_time *t, struct desired_repo *r, struct err *e)
{
	char name[sizeof "time/" + NONCE_TEXT];
	struct timetoken token;
	BUF_AUTO bytes = {0};

	snprintf(name, sizeof name, "time/%s", t->in->nonce);
	TRY(desired_repo_get(r, name, LIMIT_TIMETOKEN_BYTES, &bytes, e));
	TRY(timetoken_verify(
		&r->set.root, buf_str(&bytes), &t->in->facts.device, t->in->nonce, &token, e));
	return take(t, &token, e);
}

int desired_time_ask(struct desired_time *t, struct desired_repo *r, struct err *e)
{
	TRY(desired_time_follow(t, &r->set.root, &r->set.now_s, e));
	if (!is_asked_for(t) || t->asked)
		return 0;
	if (ask(t, r, e) < 0)
		return err_wrap(e, "%s: time", r->name);
	r->set.now_s = timebase_eval(&t->base);
	return 0;
}
