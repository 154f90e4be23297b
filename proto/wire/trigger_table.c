/* What the types measure, with their defaults. Where the numbers come from stands in
 * docs/reference/triggers.md and docs/adr; the false-rollback matrix (tests/sim/matrix.c) shows
 * what they do. */
#include "proto/wire/trigger.h"

#include <assert.h>

#define ABSOLUTE (1U << TRIG_CMP_ABSOLUTE)
#define BASELINE (1U << TRIG_CMP_BASELINE)
#define CHAMPION (1U << TRIG_CMP_CHAMPION)
#define TRAINING (1U << TRIG_CMP_TRAINING)
#define COMPARED (ABSOLUTE | BASELINE | CHAMPION)

#define COUNTERS (TRIG_HAS_METRIC | TRIG_HAS_TOTAL)
#define TESTED   (TRIG_HAS_SIGMA | TRIG_HAS_BUSY)

/* A share of 1 can never be exceeded, and a factor below 1 would call a release bad for being as
 * good as the old one. */
#define SHARES  .least_milli = 0, .most_milli = 999
#define FACTORS .factor_least_milli = 1000, .factor_most_milli = 1000 * 1000
#define GAUGES  .least_milli = 1, .most_milli = 1000ULL * 1000 * 1000 * 1000

#define EVENT(id, src)                                                                             \
	{                                                                                          \
		.type = TRIG_##id, .of = "", .source = TRIG_SRC_##src, .hold_k = 1, .hold_m = 1,   \
		.text = ""                                                                         \
	}

/* clang-format off */
static const struct trig_measure measures[] = {
	EVENT(START_FAILED, SVC),
	EVENT(SMOKE_FAILED, SMOKE),
	{.type = TRIG_CRASH_LOOP, .of = "", .source = TRIG_SRC_SVC, .unit = TRIG_UNIT_COUNT, .kind = TRIG_KIND_TALLY,
		.comparators = ABSOLUTE, .threshold_milli = 3000, .least_milli = 1000, .most_milli = 1000 * 1000,
		.window = MINUTE(10), .hold_k = 1, .hold_m = 1,
		.text = "how often the workload ended"},
	{.type = TRIG_HEALTH_FAILED, .of = "", .source = TRIG_SRC_HEALTH, .unit = TRIG_UNIT_SHARE, .kind = TRIG_KIND_RATIO,
		.comparators = ABSOLUTE, .threshold_milli = 500, SHARES,
		.window = SEC(10), .hold_k = 3, .hold_m = 3, .min_samples = 1,
		.text = "share of failed checks"},
	{.type = TRIG_LATENCY, .of = "", .source = TRIG_SRC_METRICS, .unit = TRIG_UNIT_SECONDS, .kind = TRIG_KIND_QUANTILE,
		.members = TRIG_HAS_METRIC | TRIG_HAS_EXCUSED | TRIG_HAS_QUANTILE | TESTED, .comparators = COMPARED,
		.least_milli = 1, .most_milli = LIMIT_SPAN_MS, .factor_milli = 1500, FACTORS,
		.window = MINUTE(1), .hold_k = 3, .hold_m = 5, .min_samples = 1000, .sigma_milli = 3000,
		.text = "quantile of the latency"},
	{.type = TRIG_ERROR_RATE, .of = "", .source = TRIG_SRC_METRICS, .unit = TRIG_UNIT_SHARE, .kind = TRIG_KIND_RATIO,
		.members = COUNTERS | TRIG_HAS_EXCUSED | TESTED, .comparators = COMPARED,
		.threshold_milli = 10, SHARES, .factor_milli = 2000, FACTORS,
		.window = MINUTE(1), .hold_k = 3, .hold_m = 5, .min_samples = 500, .sigma_milli = 4000,
		.text = "share of failed requests"},
	EVENT(OPERATOR, ORDER),
	EVENT(UNDECIDED, SELF),
	EVENT(BOOT_FAILED, SELF),

	{.type = TRIG_QUALITY, .of = "rate", .source = TRIG_SRC_METRICS, .unit = TRIG_UNIT_SHARE, .kind = TRIG_KIND_SHIFT,
		.members = COUNTERS | TRIG_HAS_SIGMA, .comparators = BASELINE | CHAMPION,
		.factor_milli = 20, .factor_least_milli = 1, .factor_most_milli = 999,
		.window = MINUTE(5), .hold_k = 3, .hold_m = 5, .min_samples = 200, .sigma_milli = 4000,
		.text = "share of one decision, such as reject"},
	{.type = TRIG_QUALITY, .of = "override", .source = TRIG_SRC_METRICS, .unit = TRIG_UNIT_SHARE, .kind = TRIG_KIND_RATIO,
		.members = COUNTERS | TRIG_HAS_SIGMA, .comparators = COMPARED,
		.threshold_milli = 20, SHARES, .factor_milli = 2000, FACTORS,
		.window = MINUTE(5), .hold_k = 3, .hold_m = 5, .min_samples = 100, .sigma_milli = 4000,
		.text = "share of decisions that a person has overridden"},
	{.type = TRIG_QUALITY, .of = "disagreement", .source = TRIG_SRC_METRICS, .unit = TRIG_UNIT_SHARE, .kind = TRIG_KIND_RATIO,
		.members = COUNTERS | TRIG_HAS_SIGMA, .comparators = ABSOLUTE,
		.threshold_milli = 20, SHARES,
		.window = MINUTE(5), .hold_k = 3, .hold_m = 5, .min_samples = 200, .sigma_milli = 3000,
		.text = "share of decisions that differ from the champion's on the same input"},

	{.type = TRIG_DRIFT, .of = "", .source = TRIG_SRC_METRICS, .unit = TRIG_UNIT_SCORE, .kind = TRIG_KIND_DISTANCE,
		.members = TRIG_HAS_METRIC | TRIG_HAS_EDGES | TRIG_HAS_SIGMA, .comparators = BASELINE | CHAMPION | TRAINING,
		.threshold_milli = 250, .least_milli = 10, .most_milli = 10000,
		.window = MINUTE(5), .hold_k = 2, .hold_m = 3, .min_samples = 500, .sigma_milli = 3000,
		.text = "distance of a score's distribution from its reference"},

	{.type = TRIG_RESOURCE, .of = "memory", .source = TRIG_SRC_USAGE, .unit = TRIG_UNIT_MEBIBYTES, .kind = TRIG_KIND_MEAN,
		.comparators = ABSOLUTE | BASELINE, GAUGES, .factor_milli = 1500, FACTORS,
		.window = MINUTE(1), .hold_k = 3, .hold_m = 5, .min_samples = 1,
		.text = "memory that the workload needs"},
	{.type = TRIG_RESOURCE, .of = "available", .source = TRIG_SRC_USAGE, .unit = TRIG_UNIT_MEBIBYTES, .kind = TRIG_KIND_MEAN,
		.below = true, .comparators = ABSOLUTE, .threshold_milli = 64000, GAUGES,
		.window = MINUTE(1), .hold_k = 3, .hold_m = 5, .min_samples = 1,
		.text = "memory that the machine has left"},
	{.type = TRIG_RESOURCE, .of = "disk", .source = TRIG_SRC_USAGE, .unit = TRIG_UNIT_MEBIBYTES, .kind = TRIG_KIND_MEAN,
		.below = true, .comparators = ABSOLUTE, .threshold_milli = 64000, GAUGES,
		.window = MINUTE(1), .hold_k = 3, .hold_m = 5, .min_samples = 1,
		.text = "room that the agent's file system has left"},
	{.type = TRIG_RESOURCE, .of = "cpu", .source = TRIG_SRC_USAGE, .unit = TRIG_UNIT_SHARE, .kind = TRIG_KIND_MEAN,
		.comparators = ABSOLUTE, .threshold_milli = 900, .least_milli = 1, .most_milli = 999,
		.window = MINUTE(1), .hold_k = 10, .hold_m = 10, .min_samples = 1,
		.text = "share of time in which something waited for a processor"},
	{.type = TRIG_RESOURCE, .of = "accelerator_memory", .source = TRIG_SRC_METRICS, .unit = TRIG_UNIT_MEBIBYTES,
		.kind = TRIG_KIND_MEAN, .members = TRIG_HAS_METRIC,
		.comparators = ABSOLUTE | BASELINE, GAUGES, .factor_milli = 1500, FACTORS,
		.window = MINUTE(1), .hold_k = 3, .hold_m = 5, .min_samples = 1,
		.text = "memory of an accelerator, by a gauge in bytes"},

	{.type = TRIG_THERMAL, .of = "throttled", .source = TRIG_SRC_THERMAL, .unit = TRIG_UNIT_SECONDS, .kind = TRIG_KIND_SUM,
		.comparators = ABSOLUTE, .threshold_milli = 30000, .least_milli = 1, .most_milli = LIMIT_SPAN_MS,
		.window = MINUTE(1), .hold_k = 3, .hold_m = 5, .min_samples = 1,
		.text = "time in which processors were throttled"},
	{.type = TRIG_THERMAL, .of = "temperature", .source = TRIG_SRC_THERMAL, .unit = TRIG_UNIT_CELSIUS, .kind = TRIG_KIND_MEAN,
		.members = TRIG_HAS_ZONE, .comparators = ABSOLUTE, .least_milli = 1000, .most_milli = 200000,
		.window = MINUTE(1), .hold_k = 3, .hold_m = 5, .min_samples = 1,
		.text = "temperature of a thermal zone"},
	{.type = TRIG_THERMAL, .of = "margin", .source = TRIG_SRC_THERMAL, .unit = TRIG_UNIT_KELVIN, .kind = TRIG_KIND_MEAN,
		.below = true, .members = TRIG_HAS_ZONE, .comparators = ABSOLUTE,
		.threshold_milli = 1000, .least_milli = 1, .most_milli = 100000,
		.window = MINUTE(1), .hold_k = 3, .hold_m = 5, .min_samples = 1,
		.text = "how far a thermal zone is below the kernel's own hot or critical limit for it"},

	{.type = TRIG_CONNECTIVITY, .of = "", .source = TRIG_SRC_SERVER, .unit = TRIG_UNIT_SHARE, .kind = TRIG_KIND_RATIO,
		.comparators = ABSOLUTE, .threshold_milli = 500, SHARES,
		.window = MINUTE(1), .hold_k = 30, .hold_m = 30, .min_samples = 1,
		.text = "share of questions that the server did not answer"},
	EVENT(FLEET, ORDER),
};
/* clang-format on */

const struct trig_measure *trig_measures(size_t *out_n)
{
	*out_n = ARRAY_LEN(measures);
	return measures;
}

static const struct trig_measure *first_of(enum trig_type type)
{
	size_t i = 0;

	while (i < ARRAY_LEN(measures) && measures[i].type != type)
		i++;
	assert(i < ARRAY_LEN(measures));
	return &measures[i];
}

const struct trig_measure *trig_measure_of(const struct trig_rule *r)
{
	const struct trig_measure *m = first_of(r->type) + r->of;

	assert(m < measures + ARRAY_LEN(measures) && m->type == r->type);
	return m;
}

enum trig_source trig_type_source(enum trig_type t)
{
	return first_of(t)->source;
}

enum trig_unit trig_type_unit(enum trig_type t)
{
	return first_of(t)->unit;
}

enum trig_source trig_source(const struct trig_rule *r)
{
	return trig_measure_of(r)->source;
}

enum trig_unit trig_unit(const struct trig_rule *r)
{
	return trig_measure_of(r)->unit;
}

enum trig_kind trig_kind(const struct trig_rule *r)
{
	return trig_measure_of(r)->kind;
}

/* ---- names ---- */

static const struct {
	const char *name, *suffix;
	int digits;
} units[] = {
#define X(id, name, suffix, digits) [TRIG_UNIT_##id] = {name, suffix, digits},
	TRIGGER_UNIT_TABLE(X)
#undef X
};

const char *trig_unit_name(enum trig_unit u)
{
	return units[u].name;
}

const char *trig_unit_suffix(enum trig_unit u)
{
	return units[u].suffix;
}

int trig_unit_digits(enum trig_unit u)
{
	return units[u].digits;
}
