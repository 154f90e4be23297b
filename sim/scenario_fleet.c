/* Who is in the fleet, what is hidden in the release, and what happens to old and new alike. */
#include <stdio.h>
#include <string.h>

#include "proto/wire/report.h"
#include "sim/scenario_priv.h"

#define PPM 1000000U

static const uint32_t fault_amounts[] = {
#define X(id, name, unit, amount, text) amount,
	SCENARIO_FAULT_TABLE(X)
#undef X
};

static const uint32_t weather_amounts[] = {
#define X(id, name, unit, amount, text) amount,
	SCENARIO_WEATHER_TABLE(X)
#undef X
};

static const char *const fault_names[] = {
#define X(id, name, ...) name,
	SCENARIO_FAULT_TABLE(X)
#undef X
};

static const char *const weather_names[] = {
#define X(id, name, ...) name,
	SCENARIO_WEATHER_TABLE(X)
#undef X
};

const char *scenario_fault_name(unsigned kind)
{
	return kind < FAULT_KIND_MAX ? fault_names[kind] : "?";
}

/* ---- labels ---- */

static int labels_parse(
	const json_t *o, const char *where, const char *key, char out[LIMIT_TEXT], struct err *e)
{
	BUF_AUTO text = {0};
	const json_t *labels;
	const char *name;
	json_t *value;

	if (!json_object_get(o, key))
		return 0;
	TRY(json_obj(o, where, key, &labels, e));
	json_object_foreach ((json_t *)(uintptr_t)labels, name, value) {
		if (!json_is_string(value))
			return err_set(
				e, ERR_BAD_INPUT, "%s.%s.%.40s: text is wanted", where, key, name);
		buf_addf(&text, "%s%s=%s", text.n ? "," : "", name, json_string_value(value));
	}
	if (labels_check(buf_str(&text), e) < 0 || str_copy(buf_str(&text), out, LIMIT_TEXT, e) < 0)
		return err_wrap(e, "%s.%s", where, key);
	return 0;
}

/* ---- groups ---- */

#define GROUP(key, member, min, max) SCENARIO_ROW(struct scenario_group, key, member, min, max)

static const struct scenario_row group_rows[] = {
	GROUP("parts", parts, 1, PPM),
	GROUP("kbit", kbit, 1, 100000000),
	GROUP("loss_ppm", loss, 0, PPM - 1),
	GROUP("broken_every_ms", broken_every, 0, LIMIT_SPAN_MS),
	GROUP("offline_every_ms", offline_every, 0, LIMIT_SPAN_MS),
	GROUP("offline_for_ms", offline_for, 0, LIMIT_SPAN_MS),
	GROUP("power_cut_every_ms", cut_every, 0, LIMIT_SPAN_MS),
	GROUP("power_off_for_ms", off_for, 0, LIMIT_SPAN_MS),
	GROUP("requests_per_minute", per_minute, 0, PPM),
	GROUP("latency_micro", latency_micro, 1, 100 * PPM),
	GROUP("errors_ppm", errors, 0, PPM),
	GROUP("rejects_ppm", rejects, 0, PPM),
	GROUP("unhealthy_ppm", unhealthy, 0, PPM),
	GROUP("ends_per_day", ends_per_day, 0, 86400),
	GROUP("late_ppm", late, 0, PPM),
	GROUP("late_within_ms", late_within, 1, LIMIT_SPAN_MS),
};

/* A wired device with a model that answers 20 times a second, and is wrong now and then. */
static const struct scenario_group usual_group = {.name = "all",
	.parts = 1,
	.kbit = 20000,
	.off_for = MINUTE(2),
	.per_minute = 1200,
	.latency_micro = 20000,
	.errors = 1000,
	.rejects = 50000,
	.unhealthy = 1000,
	.late_within = MINUTE(60)};

/* A device that is offline longer than it lives would never do anything; one that is online for
 * moments only would be tried again and again. */
static int group_fits(const struct scenario_group *g, const char *where, struct err *e)
{
	if (g->offline_every && g->offline_for >= g->offline_every)
		return err_set(e, ERR_BAD_INPUT,
			"%s: offline_for_ms must be shorter than offline_every_ms", where);
	if (g->offline_every && g->offline_every - g->offline_for < LIMIT_SCENARIO_ONLINE_MS)
		return err_set(e, ERR_TOO_LARGE,
			"%s: a device is online for at least %u ms of each offline_every_ms", where,
			LIMIT_SCENARIO_ONLINE_MS);
	return 0;
}

/* Of one device, in the whole horizon. */
static uint64_t troubles_of(const struct scenario *s, const struct scenario_group *g)
{
	const ms_t every[] = {g->offline_every, g->cut_every, g->broken_every};
	uint64_t n = g->ends_per_day * (uint64_t)s->horizon / (24 * MINUTE(60));

	for (size_t i = 0; i < ARRAY_LEN(every); i++)
		n += every[i] ? (uint64_t)(s->horizon / every[i]) : 0;
	return n;
}

int scenario_bounded(const struct scenario *s, uint32_t devices, struct err *e)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < s->n_groups; i++)
		most = MAX(most, troubles_of(s, &s->groups[i]));
	if (most > LIMIT_SCENARIO_TROUBLES / devices)
		return err_set(e, ERR_TOO_LARGE,
			"%u devices with up to %llu gaps, cuts and breaks each within horizon_ms; "
			"at most %llu in all",
			devices, (unsigned long long)most,
			(unsigned long long)LIMIT_SCENARIO_TROUBLES);
	return 0;
}

static int group_parse(
	const json_t *j, const char *where, struct scenario *s, unsigned i, struct err *e)
{
	static const char *const others[] = {"name", "labels", "boot", NULL};
	static const char *const boots[] = {"link", "loader"};
	struct scenario_group g = usual_group;

	TRY(scenario_only(j, where, group_rows, ARRAY_LEN(group_rows), others, e));
	TRY(json_id(j, where, "name", g.name, e));
	TRY(labels_parse(j, where, "labels", g.labels, e));
	TRY(json_choice_opt(j, where, "boot", boots, ARRAY_LEN(boots), &g.boot, e));
	TRY(scenario_rows(j, where, group_rows, ARRAY_LEN(group_rows), &g, e));
	TRY(group_fits(&g, where, e));
	s->groups[i] = g;
	return 0;
}

/* ---- faults and weather ---- */

static int fault_parse(
	const json_t *j, const char *where, struct scenario *s, unsigned i, struct err *e)
{
	static const char *const others[] = {"what", "where", NULL};
	static const struct scenario_row rows[] = {
		SCENARIO_ROW(struct scenario_fault, "share_ppm", share, 1, PPM),
		SCENARIO_ROW(struct scenario_fault, "amount", amount, 0, UINT32_MAX),
		SCENARIO_ROW(struct scenario_fault, "onset_ms", onset, 0, LIMIT_SPAN_MS),
	};
	struct scenario_fault *f = &s->faults[i];

	TRY(scenario_only(j, where, rows, ARRAY_LEN(rows), others, e));
	TRY(json_choice(j, where, "what", fault_names, FAULT_KIND_MAX, &f->what, e));
	f->share = PPM;
	f->amount = fault_amounts[f->what];
	TRY(labels_parse(j, where, "where", f->where, e));
	return scenario_rows(j, where, rows, ARRAY_LEN(rows), f, e);
}

static int weather_parse(
	const json_t *j, const char *where, struct scenario *s, unsigned i, struct err *e)
{
	static const char *const others[] = {"what", "where", NULL};
	static const struct scenario_row rows[] = {
		SCENARIO_ROW(struct scenario_weather, "share_ppm", share, 1, PPM),
		SCENARIO_ROW(struct scenario_weather, "amount", amount, 0, UINT32_MAX),
		SCENARIO_ROW(struct scenario_weather, "at_ms", at, 0, LIMIT_SCENARIO_MS),
		SCENARIO_ROW(struct scenario_weather, "for_ms", span, 1, LIMIT_SPAN_MS),
	};
	struct scenario_weather *w = &s->weather[i];

	TRY(scenario_only(j, where, rows, ARRAY_LEN(rows), others, e));
	TRY(json_choice(j, where, "what", weather_names, WEATHER_KIND_MAX, &w->what, e));
	w->share = PPM;
	w->amount = weather_amounts[w->what];
	w->span = MINUTE(60);
	TRY(labels_parse(j, where, "where", w->where, e));
	return scenario_rows(j, where, rows, ARRAY_LEN(rows), w, e);
}

int scenario_fleet_parse(const json_t *j, struct scenario *s, struct err *e)
{
	TRY(scenario_list(j, "fleet", LIMIT_SCENARIO_GROUPS, group_parse, s, &s->n_groups, e));
	if (!s->n_groups)
		s->groups[s->n_groups++] = usual_group;
	TRY(scenario_list(j, "faults", LIMIT_SCENARIO_FAULTS, fault_parse, s, &s->n_faults, e));
	return scenario_list(
		j, "weather", LIMIT_SCENARIO_WEATHER, weather_parse, s, &s->n_weather, e);
}
