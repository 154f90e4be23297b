#include "proto/wire/trigger.h"

#include <string.h>

struct type_row {
	const char *name, *text;
	enum trig_source source;
	enum trig_unit unit;
	uint64_t threshold_milli, window, hold_k, hold_m, min_samples;
};

static const struct type_row types[] = {
#define X(id, name, source, unit, threshold, window, k, m, min_samples, text)                      \
	[TRIG_##id] = {name, text, TRIG_SRC_##source, TRIG_UNIT_##unit, threshold, window, k, m,   \
		min_samples},
	TRIGGER_TABLE(X)
#undef X
};

static const char *const type_names[] = {
#define X(id, name, ...) name,
	TRIGGER_TABLE(X)
#undef X
};

static const char *const comparator_names[] = {
#define X(id, name, ...) name,
	TRIGGER_COMPARATOR_TABLE(X)
#undef X
};

static const char *const blind_names[] = {
#define X(id, name, ...) name,
	TRIGGER_BLIND_TABLE(X)
#undef X
};

static const char *const statistic_names[] = {"p50", "p90", "p95", "p99", "p999"};
static const uint32_t statistic_permille[] = {500, 900, 950, 990, 999};

/* Which members a type may have follows from its unit and source; an event has no numbers to tune.
 */
static const char *const event_members[] = {"type", "claim", NULL};
static const char *const look_members[] = {
	"type", "claim", "threshold_milli", "window_ms", "hold", "min_samples", "on_blind", NULL};
static const char *const latency_members[] = {"type", "claim", "threshold_milli", "window_ms",
	"hold", "min_samples", "on_blind", "comparator", "metric", "statistic", NULL};
static const char *const rate_members[] = {"type", "claim", "threshold_milli", "window_ms", "hold",
	"min_samples", "on_blind", "comparator", "metric", "total", NULL};

static const char *const *members_of(const struct type_row *t)
{
	if (t->unit == TRIG_UNIT_NONE)
		return event_members;
	if (t->source != TRIG_SRC_METRICS)
		return look_members;
	return t->unit == TRIG_UNIT_SECONDS ? latency_members : rate_members;
}

const char *trig_type_name(enum trig_type t)
{
	return types[t].name;
}

const char *trig_type_text(enum trig_type t)
{
	return types[t].text;
}

enum trig_source trig_type_source(enum trig_type t)
{
	return types[t].source;
}

enum trig_unit trig_type_unit(enum trig_type t)
{
	return types[t].unit;
}

const char *trig_comparator_name(enum trig_comparator c)
{
	return comparator_names[c];
}

static bool name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
	       (!first && c >= '0' && c <= '9');
}

static int metric_parse(
	const json_t *j, const char *where, const char *key, char *dst, size_t cap, struct err *e)
{
	TRY(json_text(j, where, key, dst, cap, e));
	for (size_t i = 0; dst[i] || i == 0; i++)
		if (!name_char(dst[i], i == 0))
			return err_set(
				e, ERR_BAD_INPUT, "%s.%s: not the name of a metric", where, key);
	return 0;
}

/* Least and greatest threshold_milli. A share of 1 can never be exceeded, and a factor below 1
 * would call a release bad for being as good as the old one. */
static void threshold_bounds(
	const struct trig_rule *r, enum trig_unit unit, uint64_t *out_min, uint64_t *out_max)
{
	*out_min = 1;
	*out_max = LIMIT_SPAN_MS;
	if (r->comparator == TRIG_CMP_BASELINE) {
		*out_min = 1000;
		*out_max = 1000 * 1000;
	} else if (unit == TRIG_UNIT_SHARE) {
		*out_min = 0;
		*out_max = 999;
	} else if (unit == TRIG_UNIT_COUNT) {
		*out_min = 1000;
		*out_max = 1000 * 1000;
	}
}

static int threshold_parse(const json_t *j, const char *where, const struct type_row *t,
	struct trig_rule *r, struct err *e)
{
	uint64_t min, max, milli = t->threshold_milli;

	threshold_bounds(r, t->unit, &min, &max);
	/* The row's default is in the unit; it says nothing about a factor. */
	if (t->threshold_milli == 0 || r->comparator == TRIG_CMP_BASELINE)
		TRY(json_u64(j, where, "threshold_milli", min, max, &milli, e));
	else
		TRY(json_u64_opt(j, where, "threshold_milli", min, max, &milli, e));
	r->threshold = (double)milli / 1000.0;
	return 0;
}

static int hold_parse(const json_t *j, const char *where, struct trig_rule *r, struct err *e)
{
	const json_t *hold, *k, *m;

	if (!json_object_get(j, "hold"))
		return 0;
	TRY(json_arr(j, where, "hold", 2, &hold, e));
	k = json_array_get(hold, 0);
	m = json_array_get(hold, 1);
	if (!json_is_integer(k) || !json_is_integer(m) || json_integer_value(k) < 1 ||
		json_integer_value(m) < json_integer_value(k) || json_integer_value(m) > 32)
		return err_set(e, ERR_BAD_INPUT, "%s.hold: [k, m] with 1 <= k <= m <= 32 is wanted",
			where);
	r->hold_k = (uint32_t)json_integer_value(k);
	r->hold_m = (uint32_t)json_integer_value(m);
	return 0;
}

static int numbers_parse(const json_t *j, const char *where, const struct type_row *t,
	struct trig_rule *r, struct err *e)
{
	unsigned comparator = TRIG_CMP_ABSOLUTE, blind = TRIG_BLIND_IGNORE;

	TRY(json_choice_opt(
		j, where, "comparator", comparator_names, TRIG_CMP_MAX, &comparator, e));
	r->comparator = (enum trig_comparator)comparator;
	TRY(json_choice_opt(j, where, "on_blind", blind_names, TRIG_BLIND_MAX, &blind, e));
	r->on_blind = (enum trig_blind)blind;
	TRY(threshold_parse(j, where, t, r, e));
	TRY(json_span_opt(j, where, "window_ms", LIMIT_WINDOW_MIN_MS, &r->window, e));
	TRY(hold_parse(j, where, r, e));
	return json_u64_opt(
		j, where, "min_samples", MIN(t->min_samples, 1), LIMIT_SAMPLES, &r->min_samples, e);
}

static int metrics_parse(const json_t *j, const char *where, const struct type_row *t,
	struct trig_rule *r, struct err *e)
{
	unsigned statistic = 3;

	if (t->source != TRIG_SRC_METRICS)
		return 0;
	TRY(metric_parse(j, where, "metric", r->metric, sizeof r->metric, e));
	if (t->unit == TRIG_UNIT_SHARE)
		return metric_parse(j, where, "total", r->total, sizeof r->total, e);
	TRY(json_choice_opt(
		j, where, "statistic", statistic_names, ARRAY_LEN(statistic_names), &statistic, e));
	r->quantile = statistic_permille[statistic];
	return 0;
}

int trig_rule_parse(const json_t *j, const char *where, struct trig_rule *out, struct err *e)
{
	const struct type_row *t;
	struct trig_rule r = {0};
	unsigned type;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_choice(j, where, "type", type_names, TRIG_TYPE_MAX, &type, e));
	t = &types[type];
	TRY(json_only(j, where, members_of(t), e));
	r.type = (enum trig_type)type;
	r.window = (ms_t)t->window;
	r.hold_k = (uint32_t)t->hold_k;
	r.hold_m = (uint32_t)t->hold_m;
	r.min_samples = t->min_samples;
	TRY(json_text_opt(j, where, "claim", r.claim, sizeof r.claim, e));
	if (t->unit != TRIG_UNIT_NONE)
		TRY(numbers_parse(j, where, t, &r, e));
	TRY(metrics_parse(j, where, t, &r, e));
	*out = r;
	return 0;
}
