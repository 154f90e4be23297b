/* Channels: for which products no campaign may start. */
#include "server/api/api_priv.h"

#include "server/repo/channels.h"
#include "server/run/channel.h"

static int add_channel(void *ctx, const struct channel_row *c, struct err *e UNUSED)
{
	json_t *o = json_pack("{s:s, s:I, s:s, s:s}", "product", c->product, "frozen_ms",
		(json_int_t)c->frozen, "frozen_by", c->by, "why", c->why);

	answer_set_text(o, "campaign", c->campaign.s);
	json_array_append_new(ctx, o);
	return 0;
}

int answer_CHANNELS(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();

	TRY(channels_each(a->db, add_channel, list, e));
	answer_json(out, json_pack("{s:O}", "frozen", list));
	return 0;
}

typedef int order_f(
	struct run *r, const char *product, const char *who, const char *reason, struct err *e);

static int answer(struct api *a, const struct web_request *rq, order_f *order,
	struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"reason", NULL};
	char product[ID_TEXT_MAX], reason[LIMIT_TEXT] = "";
	JSON_AUTO *body = NULL;

	TRY(answer_id(rq, 0, "product", product, e));
	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(json_text_opt(body, "body", "reason", reason, sizeof reason, e));
	TRY(order(a->run, product, a->user.name, reason, e));
	return answer_CHANNELS(a, rq, out, e);
}

int answer_CHANNEL_FREEZE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	return answer(a, rq, channel_freeze, out, e);
}

int answer_CHANNEL_THAW(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	return answer(a, rq, channel_thaw, out, e);
}
