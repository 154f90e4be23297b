/* A rollback trigger as a signed release states it. */
#ifndef PROTO_WIRE_TRIGGER_H
#define PROTO_WIRE_TRIGGER_H

#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "proto/wire/trigger.tbl.h"

enum trig_type {
#define X(id, ...) TRIG_##id,
	TRIGGER_TABLE(X)
#undef X
		TRIG_TYPE_MAX
};
/* Who looks; one probe source each (agent/probe). */
enum trig_source {
	TRIG_SRC_SVC,
	TRIG_SRC_SMOKE,
	TRIG_SRC_HEALTH,
	TRIG_SRC_METRICS,
	TRIG_SRC_ORDER,
	TRIG_SRC_SELF,
	TRIG_SRC_USAGE,
	TRIG_SRC_THERMAL,
	TRIG_SRC_SERVER,
	TRIG_SRC_MAX
};
enum trig_unit {
#define X(id, ...) TRIG_UNIT_##id,
	TRIGGER_UNIT_TABLE(X)
#undef X
		TRIG_UNIT_MAX
};
enum trig_comparator {
#define X(id, ...) TRIG_CMP_##id,
	TRIGGER_COMPARATOR_TABLE(X)
#undef X
		TRIG_CMP_MAX
};
enum trig_blind {
#define X(id, ...) TRIG_BLIND_##id,
	TRIGGER_BLIND_TABLE(X)
#undef X
		TRIG_BLIND_MAX
};
enum trig_distance {
#define X(id, ...) TRIG_DISTANCE_##id,
	TRIGGER_DISTANCE_TABLE(X)
#undef X
		TRIG_DISTANCE_MAX
};

/* How a window's samples become one value. */
enum trig_kind {
	TRIG_KIND_EVENT,    /* not from samples */
	TRIG_KIND_TALLY,    /* how many, in a window that slides */
	TRIG_KIND_RATIO,    /* bad of all */
	TRIG_KIND_SHIFT,    /* bad of all, to either side of the reference */
	TRIG_KIND_QUANTILE, /* of a histogram */
	TRIG_KIND_MEAN,     /* of what was seen at each look */
	TRIG_KIND_SUM,      /* of what was seen at each look */
	TRIG_KIND_DISTANCE  /* of two histograms */
};

#define TRIG_BINS (LIMIT_TRIGGER_EDGES + 1)

/* Members of a rule that not every measure has. */
enum trig_member {
	TRIG_HAS_METRIC = 1,
	TRIG_HAS_TOTAL = 2,
	TRIG_HAS_EXCUSED = 4,
	TRIG_HAS_QUANTILE = 8,
	TRIG_HAS_EDGES = 16,
	TRIG_HAS_ZONE = 32,
	TRIG_HAS_SIGMA = 64,
	TRIG_HAS_BUSY = 128
};

/* What is measured: a type has one or several, told apart by "of". */
struct trig_measure {
	enum trig_type type;
	const char *of; /* "": the only one */
	enum trig_source source;
	enum trig_unit unit;
	enum trig_kind kind;
	bool below;           /* it is bad below its limit */
	unsigned members;     /* bits of enum trig_member */
	unsigned comparators; /* bits of 1 << enum trig_comparator; the lowest is the default */
	/* thousandths of the unit for an absolute threshold, 0: must be stated; and of the factor
	 * or difference for the other comparators */
	uint64_t threshold_milli, least_milli, most_milli;
	uint64_t factor_milli, factor_least_milli, factor_most_milli;
	ms_t window;
	uint32_t hold_k, hold_m;
	uint64_t min_samples;
	uint64_t sigma_milli; /* by how much chance must be excluded; 0: not at all */
	const char *text;
};

struct trig_rule {
	enum trig_type type;
	unsigned of; /* which measure of the type, from 0 */
	enum trig_comparator comparator;
	enum trig_blind on_blind;
	enum trig_distance distance; /* DISTANCE */
	uint32_t quantile;           /* QUANTILE: per mille, 990 = p99 */
	double threshold; /* in the unit of the measure, or a factor; SHIFT: a difference */
	double sigma;     /* chance must be excluded with this many standard deviations; 0: not */
	double busy;      /* BASELINE: windows with more than so many times its events per time are
			     not compared; 0: all are */
	ms_t window;
	ms_t grace; /* HEALTH: until the first good look of a life, for so long at most,
		       bad ones do not count; the release's start timeout */
	uint32_t hold_k, hold_m; /* bad windows out of the last m; m <= 32 */
	uint64_t min_samples;    /* in one window */
	char metric[64];  /* QUANTILE, DISTANCE: the histogram's name; RATIO, SHIFT: the counter of
			     what is bad; MEAN of metrics: the gauge */
	char total[64];   /* RATIO, SHIFT: the counter of all */
	char excused[64]; /* RATIO, QUANTILE: the counter of what failed by others' fault, or "" */
	char zone[32];    /* THERMAL: name of a thermal zone; "": the hottest */
	char claim[64];   /* safety-case claim that it falsifies (UL 4600), or "" */
	unsigned n_edges; /* DISTANCE: upper bounds of all bins but the last */
	double edge[LIMIT_TRIGGER_EDGES];
	uint32_t count[TRIG_BINS]; /* TRAINING: what was seen in training, per bin */
};

const char *trig_type_name(enum trig_type t);
const char *trig_type_text(enum trig_type t);
/* Of the type's first measure. */
enum trig_source trig_type_source(enum trig_type t);
enum trig_unit trig_type_unit(enum trig_type t);
const char *trig_comparator_name(enum trig_comparator c);
const char *trig_distance_name(enum trig_distance d);
const char *trig_blind_name(enum trig_blind b);
const char *trig_unit_name(enum trig_unit u);
/* What follows a value of this unit, and how many digits it is worth. */
const char *trig_unit_suffix(enum trig_unit u);
int trig_unit_digits(enum trig_unit u);

/* All measures, ordered by type. */
const struct trig_measure *trig_measures(size_t *out_n);
const struct trig_measure *trig_measure_of(const struct trig_rule *r);
enum trig_source trig_source(const struct trig_rule *r);
enum trig_unit trig_unit(const struct trig_rule *r);
enum trig_kind trig_kind(const struct trig_rule *r);

/* One member of "triggers". JSON carries no fractions: `threshold_milli` is in thousandths of the
 * unit or of the factor, spans are `window_ms`, `hold` is [k, m], edges are in millionths. Defaults
 * are those of the measure. ERR_BAD_INPUT names the place. */
int trig_rule_parse(
	const json_t *j, const char *where, struct trig_rule *out, struct err *e) MUST_CHECK;

#endif
