/* backstay audit replay: a campaign's recorded events, decided again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/policy.h"
#include "server/cli/cli.h"
#include "server/core/wave.h"

/* The decisions that stand in the audit log, in order. */
struct log {
	json_t *rows;
	size_t next;
	const char *engine; /* another one than ours that made them, or NULL */
};

struct replay {
	struct policy policy;
	bool other; /* not the policy that the campaign had: nothing to compare with */
	struct wave_state s;
	struct log log;
	uint64_t events, decisions, impossible;
	json_t *differs; /* the first difference, or NULL */
	json_t *phases;  /* of another policy: what it would have decided */
};

static void replay_fini(struct replay *p)
{
	json_decref(p->log.rows);
	json_decref(p->differs);
	json_decref(p->phases);
}

/* ---- what was recorded ---- */

static int read_state(const json_t *o, const char *key, enum recipient_state *out, struct err *e)
{
	*out = recipient_state_by_name(cli_text(o, key));
	if (*out == RECIPIENT_STATE_MAX)
		return err_set(
			e, ERR_BAD_INPUT, "an event with the unknown state '%s'", cli_text(o, key));
	return 0;
}

/* How many strata there are, and where waves end; an older server did not say. */
static int read_plan(const json_t *o, struct wave_event *ev, struct err *e)
{
	const json_t *ends = json_object_get(o, "ends"), *end;
	size_t i;

	ev->recipients = (uint32_t)cli_int(o, "recipients");
	ev->strata = (unsigned)cli_int(o, "strata");
	if (json_array_size(ends) > LIMIT_WAVES)
		return err_set(e, ERR_BAD_INPUT, "an event with too many waves");
	json_array_foreach (ends, i, end)
		ev->end[ev->n_ends++] = (uint32_t)json_integer_value(end);
	return 0;
}

static int read_event(const json_t *o, struct wave_event *out, struct err *e)
{
	struct wave_event ev = {.kind = wave_event_by_name(cli_text(o, "kind")),
		.now = cli_int(o, "now_ms"),
		.position = (uint32_t)cli_int(o, "position"),
		.stratum = (unsigned)cli_int(o, "stratum"),
		.bad = json_is_true(json_object_get(o, "bad"))};

	if (ev.kind == WEV_MAX)
		return err_set(e, ERR_BAD_INPUT, "an unknown event '%s'", cli_text(o, "kind"));
	if (ev.kind == WEV_MOVED) {
		TRY(read_state(o, "was", &ev.was, e));
		TRY(read_state(o, "is", &ev.is, e));
	}
	if (ev.kind == WEV_START)
		TRY(read_plan(o, &ev, e));
	snprintf(ev.who, sizeof ev.who, "%s", cli_text(o, "who"));
	snprintf(ev.text, sizeof ev.text, "%s", cli_text(o, "text"));
	*out = ev;
	return 0;
}

static int page_of_log(
	const struct cli *c, struct log *l, uint64_t *after, bool *out_more, struct err *e)
{
	JSON_AUTO *answer = NULL;
	char query[64];
	json_t *row;
	size_t i;

	TRY(cli_ask(c, ROUTE_AUDIT, NULL, cli_behind(*after, "", query), NULL, &answer, e));
	*out_more = false;
	json_array_foreach (json_object_get(answer, "rows"), i, row) {
		*after = (uint64_t)cli_int(row, "n");
		*out_more = true;
		if (strcmp(cli_text(row, "campaign"), c->args[0]) == 0 &&
			wave_event_by_name(cli_text(row, "what")) != WEV_MAX)
			json_array_append(l->rows, row);
	}
	return 0;
}

static int get_log(const struct cli *c, struct log *l, struct err *e)
{
	uint64_t after = 0;
	bool more = true;
	json_t *row;
	size_t i;

	l->rows = json_array();
	while (more)
		TRY(page_of_log(c, l, &after, &more, e));
	json_array_foreach (l->rows, i, row)
		if (strcmp(cli_text(row, "engine"), WAVE_ENGINE) != 0)
			l->engine = cli_text(row, "engine");
	return 0;
}

/* ---- deciding again ---- */

static void note_difference(struct replay *p, const json_t *row, const char *now)
{
	if (!p->differs)
		p->differs = json_pack("{s:I, s:s, s:s}", "row", row ? cli_int(row, "n") : 0,
			"recorded", row ? cli_text(row, "text") : "", "now", now);
}

/* Each action has written one row, with its sentence. */
static void compare(struct replay *p, const struct wave_event *ev, const struct wave_acts *acts)
{
	for (unsigned i = 0; i < acts->n; i++) {
		const json_t *row = json_array_get(p->log.rows, p->log.next++);

		p->decisions++;
		if (!row || strcmp(cli_text(row, "text"), acts->v[i].text) != 0 ||
			strcmp(cli_text(row, "who"), ev->who) != 0 ||
			strcmp(cli_text(row, "what"), wave_event_name(ev->kind)) != 0)
			note_difference(p, row, acts->v[i].text);
	}
}

static void note_phase(struct replay *p, enum wave_phase was, const struct wave_event *ev)
{
	if (p->s.phase != was)
		json_array_append_new(
			p->phases, json_pack("{s:I, s:s, s:s}", "at_ms", (json_int_t)ev->now,
					   "phase", wave_phase_name(p->s.phase), "why", p->s.why));
}

/* Under another policy, what a device did that would not have had the release cannot be. */
static int decide(struct replay *p, const json_t *o, struct err *e)
{
	enum wave_phase was = p->s.phase;
	struct wave_event ev;
	struct wave_acts acts;
	struct err refused = {0};

	TRY(read_event(o, &ev, e));
	p->events++;
	if (wave_step(&p->policy, &p->s, &ev, &p->s, &acts, &refused) < 0) {
		p->impossible++;
		if (!p->other)
			note_difference(p, NULL, refused.text);
		return 0;
	}
	if (p->other)
		p->decisions += acts.n;
	else
		compare(p, &ev, &acts);
	note_phase(p, was, &ev);
	return 0;
}

static int page_of_events(
	const struct cli *c, struct replay *p, uint64_t *after, bool *out_more, struct err *e)
{
	JSON_AUTO *answer = NULL;
	char query[64];
	json_t *o;
	size_t i;

	TRY(cli_ask(c, ROUTE_CAMPAIGN_EVENTS, c->args, cli_behind(*after, "", query), NULL, &answer,
		e));
	*out_more = false;
	json_array_foreach (json_object_get(answer, "events"), i, o) {
		TRY(decide(p, o, e));
		*after = (uint64_t)cli_int(o, "rev");
		*out_more = true;
	}
	return 0;
}

/* ---- the policy ---- */

static int read_policy(const struct cli *c, struct replay *p, struct err *e)
{
	const char *path = cli_value(c, CLI_OPT_POLICY, NULL);
	JSON_AUTO *campaign = NULL;
	BUF_AUTO text = {0};

	p->other = path != NULL;
	if (path)
		return cli_policy(path, &p->policy, NULL, e);
	TRY(cli_ask(c, ROUTE_CAMPAIGN, c->args, NULL, NULL, &campaign, e));
	json_canonical(json_object_get(campaign, "policy"), &text);
	if (policy_parse(buf_str(&text), &p->policy, e) < 0)
		return err_wrap(e, "the campaign's policy");
	return 0;
}

/* ---- what is said ---- */

static json_t *json_of(const struct replay *p)
{
	json_t *o = json_pack("{s:I, s:I, s:b, s:s, s:s, s:s}", "events", (json_int_t)p->events,
		"decisions", (json_int_t)p->decisions, "same", !p->other && !p->differs, "phase",
		wave_phase_name(p->s.phase), "why", p->s.why, "engine", WAVE_ENGINE);

	if (p->other) {
		json_object_del(o, "same");
		json_object_set(o, "phases", p->phases);
		json_object_set_new(o, "impossible", json_integer((json_int_t)p->impossible));
	}
	if (p->differs)
		json_object_set(o, "differs", p->differs);
	return o;
}

static void print_other(const struct replay *p)
{
	json_t *o;
	size_t i;

	json_array_foreach (p->phases, i, o)
		printf("%s: %s\n", cli_text(o, "phase"), cli_text(o, "why"));
	printf("Policy %s would have ended in: %s. %llu of %llu recorded events could not have happened then: "
	       "those devices would not have had the release. What other devices would have done is not known.\n",
		p->policy.name, wave_phase_name(p->s.phase), (unsigned long long)p->impossible,
		(unsigned long long)p->events);
}

static int verdict(const struct cli *c, const struct replay *p, struct err *e)
{
	JSON_AUTO *answer = json_of(p);
	bool printed = cli_json(c, answer);

	if (!printed && p->other)
		print_other(p);
	else if (!printed && !p->differs)
		printf("%llu events, %llu decisions, all identical; %s: %s\n",
			(unsigned long long)p->events, (unsigned long long)p->decisions,
			wave_phase_name(p->s.phase), p->s.why);
	if (!p->differs)
		return 0;
	return err_set(e, ERR_ALTERED, "row %lld says \"%s\", decided again: \"%s\"",
		(long long)cli_int(p->differs, "row"), cli_text(p->differs, "recorded"),
		cli_text(p->differs, "now"));
}

int cmd_AUDIT_REPLAY(const struct cli *c, struct err *e)
{
	struct replay p CLEANUP(replay_fini) = {.phases = json_array()};
	uint64_t after = 0;
	bool more = true;

	TRY(read_policy(c, &p, e));
	if (!p.other)
		TRY(get_log(c, &p.log, e));
	if (p.log.engine)
		return err_set(e, ERR_CONFLICT,
			"the engine %s made these decisions and this is " WAVE_ENGINE
			": replay it with the release of backstay that had it, or with --policy",
			p.log.engine);
	wave_init(&p.s);
	while (more)
		TRY(page_of_events(c, &p, &after, &more, e));
	if (!p.other && p.log.next != json_array_size(p.log.rows))
		note_difference(&p, json_array_get(p.log.rows, p.log.next), "(nothing)");
	return verdict(c, &p, e);
}
