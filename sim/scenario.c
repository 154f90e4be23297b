#include "sim/scenario_priv.h"

#include <stdio.h>
#include <string.h>
#include "server/core/wave.h"

#define DAY         MINUTE(24 * 60)
#define BEGIN       SEC(1767600000) /* Monday 2026-01-05, 08:00 UTC */
#define PLACE       "scenario"
#define WEEKS_LATER (2 * 7 * DAY)

static const char *const end_names[] = {
#define X(id, name, ...) name,
	SCENARIO_END_TABLE(X)
#undef X
};

static const char *const doubt_names[] = {
#define X(id, name, ...) name,
	SCENARIO_DOUBT_TABLE(X)
#undef X
};

const char *scenario_end_name(unsigned end)
{
	return end < END_MAX ? end_names[end] : "?";
}

/* ---- rows ---- */

static uint64_t get(const struct scenario_row *r, const void *base)
{
	const char *at = (const char *)base + r->offset;
	uint64_t wide;
	uint32_t narrow;

	if (r->size == sizeof narrow) {
		memcpy(&narrow, at, sizeof narrow);
		return narrow;
	}
	memcpy(&wide, at, sizeof wide);
	return wide;
}

static void put(const struct scenario_row *r, void *base, uint64_t v)
{
	char *at = (char *)base + r->offset;
	uint32_t narrow = (uint32_t)v;

	if (r->size == sizeof narrow)
		memcpy(at, &narrow, sizeof narrow);
	else
		memcpy(at, &v, sizeof v);
}

int scenario_rows(const json_t *o, const char *where, const struct scenario_row *rows, size_t n,
	void *base, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = get(&rows[i], base);

		TRY(json_u64_opt(o, where, rows[i].key, rows[i].min, rows[i].max, &v, e));
		put(&rows[i], base, v);
	}
	return 0;
}

/* Only these: the rows' keys and the others. */
int scenario_only(const json_t *o, const char *where, const struct scenario_row *rows, size_t n,
	const char *const *others, struct err *e)
{
	const char *known[SCENARIO_KEYS_MAX + 1] = {0};
	size_t k = 0;

	if (!json_is_object(o))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	for (size_t i = 0; i < n; i++)
		known[k++] = rows[i].key;
	while (*others)
		known[k++] = *others++;
	return json_only(o, where, known, e);
}

int scenario_list(const json_t *j, const char *key, unsigned max, scenario_item_f *item,
	struct scenario *s, unsigned *out_n, struct err *e)
{
	char where[SCENARIO_WHERE_MAX];
	const json_t *list;

	if (!json_object_get(j, key))
		return 0;
	TRY(json_arr(j, PLACE, key, max, &list, e));
	for (size_t i = 0; i < json_array_size(list); i++) {
		snprintf(where, sizeof where, PLACE ".%s[%zu]", key, i);
		TRY(item(json_array_get(list, i), where, s, (unsigned)i, e));
		++*out_n;
	}
	return 0;
}

/* ---- the release ---- */

static const struct scenario_row release_rows[] = {
	SCENARIO_ROW(struct scenario, "bytes", bytes, 1, 1ULL << 40),
	SCENARIO_ROW(struct scenario, "soak_ms", soak, 1, LIMIT_SPAN_MS),
	SCENARIO_ROW(struct scenario, "start_timeout_ms", start_timeout, 1, LIMIT_SPAN_MS),
	SCENARIO_ROW(struct scenario, "baseline_wait_ms", baseline_wait, 0, LIMIT_SPAN_MS),
};

static int triggers_parse(const json_t *o, struct scenario *s, struct err *e)
{
	char where[SCENARIO_WHERE_MAX];
	const json_t *list;

	if (!json_object_get(o, "triggers"))
		return 0;
	TRY(json_arr(o, PLACE ".release", "triggers", LIMIT_TRIGGERS, &list, e));
	s->n_triggers = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		snprintf(where, sizeof where, PLACE ".release.triggers[%zu]", i);
		TRY(trig_rule_parse(json_array_get(list, i), where, &s->triggers[i], e));
		s->n_triggers++;
	}
	return 0;
}

static int release_parse_in(const json_t *j, struct scenario *s, struct err *e)
{
	static const char *const others[] = {"triggers", NULL};
	const json_t *o;

	if (!json_object_get(j, "release"))
		return 0;
	TRY(json_obj(j, PLACE, "release", &o, e));
	TRY(scenario_only(o, PLACE ".release", release_rows, ARRAY_LEN(release_rows), others, e));
	TRY(scenario_rows(o, PLACE ".release", release_rows, ARRAY_LEN(release_rows), s, e));
	return triggers_parse(o, s, e);
}

/* As the reader of releases does: health may take as long as the start. */
static void give_grace(struct scenario *s)
{
	for (unsigned i = 0; i < s->n_triggers; i++)
		s->triggers[i].grace = s->start_timeout;
}

/* ---- the expected end ---- */

static const struct scenario_row expect_rows[] = {
	SCENARIO_ROW(struct scenario_expect, "had_it_most", had_it, 0, LIMIT_SCENARIO_DEVICES),
	SCENARIO_ROW(struct scenario_expect, "bad_committed_most", bad_committed, 0,
		LIMIT_SCENARIO_DEVICES),
	SCENARIO_ROW(struct scenario_expect, "bricked_most", bricked, 0, LIMIT_SCENARIO_DEVICES),
	SCENARIO_ROW(struct scenario_expect, "false_rollbacks_most", false_rollbacks, 0,
		LIMIT_SCENARIO_DEVICES),
};

static int expect_parse(const json_t *j, struct scenario_expect *x, struct err *e)
{
	static const char *const others[] = {"end", NULL};
	const json_t *o;

	if (!json_object_get(j, "expect"))
		return 0;
	TRY(json_obj(j, PLACE, "expect", &o, e));
	TRY(scenario_only(o, PLACE ".expect", expect_rows, ARRAY_LEN(expect_rows), others, e));
	*x = (struct scenario_expect){.on = true,
		.had_it = LIMIT_SCENARIO_DEVICES,
		.bad_committed = LIMIT_SCENARIO_DEVICES,
		.bricked = LIMIT_SCENARIO_DEVICES};
	TRY(json_choice(o, PLACE ".expect", "end", end_names, END_MAX, &x->end, e));
	return scenario_rows(o, PLACE ".expect", expect_rows, ARRAY_LEN(expect_rows), x, e);
}

/* ---- people ---- */

static int order_parse(
	const json_t *j, const char *where, struct scenario *s, unsigned i, struct err *e)
{
	static const char *const names[] = {
		"pause", "resume", "halt", "rollback", "approve", "break_glass"};
	static const enum wave_ev_kind kinds[] = {
		WEV_PAUSE, WEV_RESUME, WEV_HALT, WEV_ROLL_BACK, WEV_APPROVE, WEV_BREAK_GLASS};
	static const char *const others[] = {"order", "who", "reason", NULL};
	static const struct scenario_row rows[] = {
		SCENARIO_ROW(struct scenario_order, "at_ms", at, 0, LIMIT_SCENARIO_MS),
	};
	struct scenario_order *o = &s->orders[i];
	unsigned which;

	TRY(scenario_only(j, where, rows, ARRAY_LEN(rows), others, e));
	TRY(scenario_rows(j, where, rows, ARRAY_LEN(rows), o, e));
	TRY(json_choice(j, where, "order", names, ARRAY_LEN(names), &which, e));
	o->order = kinds[which];
	snprintf(o->who, sizeof o->who, "ann");
	snprintf(o->reason, sizeof o->reason, "simulated");
	TRY(json_id_opt(j, where, "who", o->who, e));
	return json_text_opt(j, where, "reason", o->reason, sizeof o->reason, e);
}

static int people_parse(const json_t *j, struct scenario *s, struct err *e)
{
	static const char *const others[] = {"doubt", NULL};
	static const struct scenario_row rows[] = {
		SCENARIO_ROW(
			struct scenario, "approve_after_ms", approve_after, 1, LIMIT_SCENARIO_MS),
	};
	const json_t *o;

	if (!json_object_get(j, "people"))
		return 0;
	TRY(json_obj(j, PLACE, "people", &o, e));
	TRY(scenario_only(o, PLACE ".people", rows, ARRAY_LEN(rows), others, e));
	TRY(scenario_rows(o, PLACE ".people", rows, ARRAY_LEN(rows), s, e));
	return json_choice_opt(o, PLACE ".people", "doubt", doubt_names, DOUBT_MAX, &s->doubt, e);
}

/* A policy has a reader of its own, which also says what is wrong with it. */
static int policy_parse_in(const json_t *j, struct scenario *s, struct err *e)
{
	BUF_AUTO text = {0};
	const json_t *o;

	if (!json_object_get(j, "policy"))
		return 0;
	TRY(json_obj(j, PLACE, "policy", &o, e));
	json_canonical(o, &text);
	s->has_policy = true;
	return policy_parse(buf_str(&text), &s->policy, e);
}

/* ---- the whole ---- */

static const struct scenario_row rows[] = {
	SCENARIO_ROW(struct scenario, "devices", devices, 1, LIMIT_SCENARIO_DEVICES),
	SCENARIO_ROW(struct scenario, "begin_ms", begin, LIMIT_SCENARIO_MS, 1ULL << 43),
	SCENARIO_ROW(struct scenario, "poll_ms", poll, 1000, LIMIT_SPAN_MS),
	SCENARIO_ROW(struct scenario, "look_ms", look, LIMIT_WINDOW_MIN_MS, LIMIT_SPAN_MS),
	SCENARIO_ROW(struct scenario, "horizon_ms", horizon, 1, LIMIT_SCENARIO_MS),
};

/* What a release that states no triggers is watched for: the reader of releases reads it. */
static int usual_triggers(struct scenario *s, struct err *e)
{
	static const char text[] =
		"{\"triggers\": [{\"type\": \"crash_loop\"},"
		"{\"type\": \"health_failed\", \"window_ms\": 60000, \"min_samples\": 2},"
		"{\"type\": \"latency\", \"metric\": \"request_seconds\", \"comparator\": \"baseline\","
		" \"threshold_milli\": 2000, \"min_samples\": 500},"
		"{\"type\": \"error_rate\", \"metric\": \"failed_total\", \"total\": \"requests_total\","
		" \"excused\": \"cloud_failed_total\", \"comparator\": \"baseline\", \"threshold_milli\": 3000},"
		"{\"type\": \"quality\", \"of\": \"rate\", \"metric\": \"rejected_total\", \"total\": \"requests_total\"}]}";
	JSON_AUTO *j = NULL;

	TRY(json_read(STR(text), sizeof text, &j, e));
	return triggers_parse(j, s, e);
}

/* What a release of a few MiB that is watched for ten minutes would look like. */
static int set_defaults(struct scenario *s, struct err *e)
{
	*s = (struct scenario){.devices = 1000,
		.begin = BEGIN,
		.poll = MINUTE(5),
		.look = SEC(15),
		.horizon = WEEKS_LATER,
		.bytes = 64ULL << 20,
		.soak = MINUTE(10),
		.start_timeout = MINUTE(1),
		.baseline_wait = MINUTE(5),
		.approve_after = MINUTE(60)};
	return usual_triggers(s, e);
}

static int parse(const json_t *j, struct scenario *s, struct err *e)
{
	static const char *const others[] = {"format", "name", "text", "release", "fleet", "faults",
		"weather", "people", "orders", "policy", "expect", NULL};
	uint64_t format;

	TRY(scenario_only(j, PLACE, rows, ARRAY_LEN(rows), others, e));
	TRY(json_u64(j, PLACE, "format", 1, 1, &format, e));
	TRY(json_id(j, PLACE, "name", s->name, e));
	TRY(json_text_opt(j, PLACE, "text", s->text, sizeof s->text, e));
	TRY(scenario_rows(j, PLACE, rows, ARRAY_LEN(rows), s, e));
	TRY(release_parse_in(j, s, e));
	give_grace(s);
	TRY(scenario_fleet_parse(j, s, e));
	TRY(people_parse(j, s, e));
	TRY(scenario_list(j, "orders", LIMIT_SCENARIO_ORDERS, order_parse, s, &s->n_orders, e));
	TRY(policy_parse_in(j, s, e));
	return expect_parse(j, &s->expect, e);
}

int scenario_parse(struct str text, struct scenario *out, struct err *e)
{
	struct scenario *s CLEANUP(mem_free) = mem_new(sizeof *s);
	JSON_AUTO *j = NULL;

	TRY(json_read(text, LIMIT_SCENARIO_BYTES, &j, e));
	TRY(set_defaults(s, e));
	TRY(parse(j, s, e));
	if (scenario_bounded(s, s->devices, e) < 0)
		return err_wrap(e, PLACE);
	*out = *s;
	return 0;
}
