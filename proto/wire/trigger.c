#include "proto/wire/trigger.h"

#include <string.h>

#define MEASURES_MAX 8 /* of one type */
#define MEMBERS_MAX  20

static const char *const type_names[] = {
#define X(id, name, text) name,
	TRIGGER_TABLE(X)
#undef X
};

static const char *const type_texts[] = {
#define X(id, name, text) text,
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

static const char *const distance_names[] = {
#define X(id, name, ...) name,
	TRIGGER_DISTANCE_TABLE(X)
#undef X
};

static const char *const statistic_names[] = {"p50", "p90", "p95", "p99", "p999"};
static const uint32_t statistic_permille[] = {500, 900, 950, 990, 999};

const char *trig_type_name(enum trig_type t)
{
	return type_names[t];
}

const char *trig_type_text(enum trig_type t)
{
	return type_texts[t];
}

const char *trig_comparator_name(enum trig_comparator c)
{
	return comparator_names[c];
}

const char *trig_distance_name(enum trig_distance d)
{
	return distance_names[d];
}

const char *trig_blind_name(enum trig_blind b)
{
	return blind_names[b];
}

/* ---- which members there may be ---- */

/* An event has no numbers to tune. */
static const struct {
	const char *name;
	unsigned needs; /* bits of enum trig_member; 0: any measure */
} members[] = {
	{"threshold_milli", 0},
	{"window_ms", 0},
	{"hold", 0},
	{"min_samples", 0},
	{"on_blind", 0},
	{"metric", TRIG_HAS_METRIC},
	{"total", TRIG_HAS_TOTAL},
	{"excused", TRIG_HAS_EXCUSED},
	{"statistic", TRIG_HAS_QUANTILE | TRIG_HAS_EDGES},
	{"edges_micro", TRIG_HAS_EDGES},
	{"zone", TRIG_HAS_ZONE},
	{"sigma_milli", TRIG_HAS_SIGMA},
	{"busy_milli", TRIG_HAS_BUSY},
};

static bool has_choice(const struct trig_measure *m)
{
	return (m->comparators & (m->comparators - 1)) != 0;
}

static int members_check(
	const json_t *j, const char *where, const struct trig_measure *m, struct err *e)
{
	const char *known[MEMBERS_MAX] = {"type", "claim"};
	unsigned n = 2;

	if (m->of[0])
		known[n++] = "of";
	if (has_choice(m))
		known[n++] = "comparator";
	if (m->comparators & 1U << TRIG_CMP_TRAINING)
		known[n++] = "counts";
	for (size_t i = 0; m->kind != TRIG_KIND_EVENT && i < ARRAY_LEN(members); i++)
		if (!members[i].needs || (members[i].needs & m->members))
			known[n++] = members[i].name;
	return json_only(j, where, known, e);
}

/* ---- names of metrics ---- */

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

static int metrics_parse(const json_t *j, const char *where, const struct trig_measure *m,
	struct trig_rule *r, struct err *e)
{
	if (m->members & TRIG_HAS_METRIC)
		TRY(metric_parse(j, where, "metric", r->metric, sizeof r->metric, e));
	if (m->members & TRIG_HAS_TOTAL)
		TRY(metric_parse(j, where, "total", r->total, sizeof r->total, e));
	if (m->members & TRIG_HAS_EXCUSED && json_object_get(j, "excused"))
		TRY(metric_parse(j, where, "excused", r->excused, sizeof r->excused, e));
	return json_text_opt(j, where, "zone", r->zone, sizeof r->zone, e);
}

/* ---- numbers ---- */

static int statistic_parse(const json_t *j, const char *where, const struct trig_measure *m,
	struct trig_rule *r, struct err *e)
{
	unsigned quantile = 3, distance = TRIG_DISTANCE_PSI;

	if (m->members & TRIG_HAS_QUANTILE) {
		TRY(json_choice_opt(j, where, "statistic", statistic_names,
			ARRAY_LEN(statistic_names), &quantile, e));
		r->quantile = statistic_permille[quantile];
	}
	if (m->members & TRIG_HAS_EDGES)
		TRY(json_choice_opt(
			j, where, "statistic", distance_names, TRIG_DISTANCE_MAX, &distance, e));
	r->distance = (enum trig_distance)distance;
	return 0;
}

static int comparator_parse(const json_t *j, const char *where, const struct trig_measure *m,
	struct trig_rule *r, struct err *e)
{
	unsigned c = (unsigned)__builtin_ctz(m->comparators);

	TRY(json_choice_opt(j, where, "comparator", comparator_names, TRIG_CMP_MAX, &c, e));
	if (!(m->comparators & 1U << c))
		return err_set(e, ERR_BAD_INPUT,
			"%s.comparator: %s is nothing that %s%s%s can be "
			"compared with",
			where, comparator_names[c], type_names[m->type], m->of[0] ? " of " : "",
			m->of);
	r->comparator = (enum trig_comparator)c;
	return 0;
}

/* The Jensen-Shannon distance of what has a PSI of 0.25 (half a standard deviation) is 0.2. */
static uint64_t default_threshold(
	const struct trig_measure *m, const struct trig_rule *r, bool relative)
{
	if (m->kind == TRIG_KIND_DISTANCE && r->distance == TRIG_DISTANCE_JS)
		return 200;
	return relative ? m->factor_milli : m->threshold_milli;
}

static int threshold_parse(const json_t *j, const char *where, const struct trig_measure *m,
	struct trig_rule *r, struct err *e)
{
	bool relative = r->comparator != TRIG_CMP_ABSOLUTE && m->kind != TRIG_KIND_DISTANCE;
	uint64_t min = relative ? m->factor_least_milli : m->least_milli;
	uint64_t max = relative ? m->factor_most_milli : m->most_milli;
	uint64_t milli = default_threshold(m, r, relative);

	if (milli == 0)
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

/* By default only like is compared with like: a rush hits the old version as it hits the new one.
 */
static int chance_parse(const json_t *j, const char *where, const struct trig_measure *m,
	struct trig_rule *r, struct err *e)
{
	bool busy = m->members & TRIG_HAS_BUSY && r->comparator == TRIG_CMP_BASELINE;
	uint64_t sigma = m->sigma_milli, times = busy ? 1100 : 0;

	TRY(json_u64_opt(j, where, "sigma_milli", 0, LIMIT_SIGMA_MILLI, &sigma, e));
	if (json_object_get(j, "busy_milli") && !busy)
		return err_set(e, ERR_BAD_INPUT,
			"%s.busy_milli: only a baseline knows how busy the device was", where);
	TRY(json_u64_opt(j, where, "busy_milli", 0, 1000 * 1000, &times, e));
	if (times && times < 1000)
		return err_set(e, ERR_BAD_INPUT, "%s.busy_milli: 0, or at least 1000", where);
	r->sigma = (double)sigma / 1000.0;
	r->busy = (double)times / 1000.0;
	return 0;
}

static int numbers_parse(const json_t *j, const char *where, const struct trig_measure *m,
	struct trig_rule *r, struct err *e)
{
	unsigned blind = TRIG_BLIND_IGNORE;

	TRY(comparator_parse(j, where, m, r, e));
	TRY(json_choice_opt(j, where, "on_blind", blind_names, TRIG_BLIND_MAX, &blind, e));
	r->on_blind = (enum trig_blind)blind;
	TRY(statistic_parse(j, where, m, r, e));
	TRY(threshold_parse(j, where, m, r, e));
	TRY(chance_parse(j, where, m, r, e));
	TRY(json_span_opt(j, where, "window_ms", LIMIT_WINDOW_MIN_MS, &r->window, e));
	TRY(hold_parse(j, where, r, e));
	return json_u64_opt(
		j, where, "min_samples", MIN(m->min_samples, 1), LIMIT_SAMPLES, &r->min_samples, e);
}

/* ---- the bins of a distribution ---- */

static int edges_parse(const json_t *j, const char *where, struct trig_rule *r, struct err *e)
{
	const json_t *list;
	double before = 0;

	TRY(json_arr(j, where, "edges_micro", LIMIT_TRIGGER_EDGES, &list, e));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "%s.edges_micro: at least one is wanted", where);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);
		double edge = (double)json_integer_value(x);

		if (!json_is_integer(x) || (i > 0 && edge <= before))
			return err_set(e, ERR_BAD_INPUT,
				"%s.edges_micro: whole numbers that rise are wanted", where);
		r->edge[i] = edge / 1e6;
		before = edge;
	}
	r->n_edges = (unsigned)json_array_size(list);
	return 0;
}

static int counts_parse(const json_t *j, const char *where, struct trig_rule *r, struct err *e)
{
	const json_t *list;
	uint64_t sum = 0;

	TRY(json_arr(j, where, "counts", TRIG_BINS, &list, e));
	if (json_array_size(list) != r->n_edges + 1)
		return err_set(e, ERR_BAD_INPUT, "%s.counts: one more than edges are wanted, %u",
			where, r->n_edges + 1);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);

		if (!json_is_integer(x) || json_integer_value(x) < 0 ||
			json_integer_value(x) > LIMIT_SAMPLES)
			return err_set(e, ERR_BAD_INPUT,
				"%s.counts: whole numbers up to %d are wanted", where,
				LIMIT_SAMPLES);
		r->count[i] = (uint32_t)json_integer_value(x);
		sum += r->count[i];
	}
	return sum ? 0 : err_set(e, ERR_BAD_INPUT, "%s.counts: all are 0", where);
}

static int bins_parse(const json_t *j, const char *where, const struct trig_measure *m,
	struct trig_rule *r, struct err *e)
{
	if (!(m->members & TRIG_HAS_EDGES))
		return 0;
	TRY(edges_parse(j, where, r, e));
	if (r->comparator == TRIG_CMP_TRAINING)
		return counts_parse(j, where, r, e);
	if (json_object_get(j, "counts"))
		return err_set(
			e, ERR_BAD_INPUT, "%s.counts: only for the comparator training", where);
	return 0;
}

/* ---- the whole ---- */

static int measure_parse(const json_t *j, const char *where, enum trig_type type, unsigned *out_of,
	const struct trig_measure **out, struct err *e)
{
	const struct trig_measure *m = trig_measure_of(&(struct trig_rule){.type = type});
	const char *names[MEASURES_MAX];
	unsigned n = 0, of = 0;
	size_t all;
	const struct trig_measure *end = trig_measures(&all) + all;

	for (; m + n < end && m[n].type == type; n++)
		names[n] = m[n].of;
	if (m->of[0])
		TRY(json_choice(j, where, "of", names, n, &of, e));
	*out_of = of;
	*out = m + of;
	return 0;
}

int trig_rule_parse(const json_t *j, const char *where, struct trig_rule *out, struct err *e)
{
	const struct trig_measure *m;
	struct trig_rule r = {0};
	unsigned type;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_choice(j, where, "type", type_names, TRIG_TYPE_MAX, &type, e));
	r.type = (enum trig_type)type;
	TRY(measure_parse(j, where, r.type, &r.of, &m, e));
	TRY(members_check(j, where, m, e));
	r.window = m->window;
	r.hold_k = m->hold_k;
	r.hold_m = m->hold_m;
	r.min_samples = m->min_samples;
	TRY(json_text_opt(j, where, "claim", r.claim, sizeof r.claim, e));
	if (m->kind != TRIG_KIND_EVENT)
		TRY(numbers_parse(j, where, m, &r, e));
	TRY(metrics_parse(j, where, m, &r, e));
	TRY(bins_parse(j, where, m, &r, e));
	*out = r;
	return 0;
}
