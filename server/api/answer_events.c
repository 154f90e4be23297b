/* What the wave engine was told of a campaign. */
#include "server/api/api_priv.h"

#include "server/repo/campaigns.h"
#include "server/repo/events.h"

#define EVENTS_MAX 5000

static void add_plan(json_t *o, const struct wave_event *ev)
{
	json_t *ends = json_array();

	answer_set_number(o, "recipients", ev->recipients);
	answer_set_number(o, "strata", ev->strata);
	for (unsigned i = 0; i < ev->n_ends; i++)
		json_array_append_new(ends, json_integer(ev->end[i]));
	json_object_set_new(o, "ends", ends);
}

static void add_device(json_t *o, const struct wave_event *ev)
{
	answer_set_number(o, "position", ev->position);
	answer_set_number(o, "stratum", ev->stratum);
	if (ev->kind == WEV_CONTROL)
		json_object_set_new(o, "bad", json_boolean(ev->bad));
}

static int add_event(void *ctx, uint64_t rev, const struct wave_event *ev, struct err *e UNUSED)
{
	json_t *o = json_pack("{s:I, s:s, s:I, s:s, s:s}", "rev", (json_int_t)rev, "kind",
		wave_event_name(ev->kind), "now_ms", (json_int_t)ev->now, "who", ev->who, "text",
		ev->text);

	if (ev->kind == WEV_START)
		add_plan(o, ev);
	if (ev->kind == WEV_ASK || ev->kind == WEV_MOVED || ev->kind == WEV_CONTROL)
		add_device(o, ev);
	if (ev->kind == WEV_MOVED) {
		answer_set_text(o, "was", recipient_state_name(ev->was));
		answer_set_text(o, "is", recipient_state_name(ev->is));
	}
	json_array_append_new(ctx, o);
	return 0;
}

int answer_CAMPAIGN_EVENTS(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	CAMPAIGN_ROW_AUTO c = {0};
	JSON_AUTO *list = json_array();
	char id[ID_TEXT_MAX];
	uint64_t after;

	TRY(answer_id(rq, 0, "campaign", id, e));
	TRY(answer_number(rq, "after", 0, INT64_MAX, &after, e));
	TRY(campaigns_get(a->db, id, &c, e));
	TRY(events_each(a->db, id, after, EVENTS_MAX, add_event, list, e));
	answer_json(out, json_pack("{s:O}", "events", list));
	return 0;
}
