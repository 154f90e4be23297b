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
enum trig_source {
	TRIG_SRC_SVC,
	TRIG_SRC_SMOKE,
	TRIG_SRC_HEALTH,
	TRIG_SRC_METRICS,
	TRIG_SRC_ORDER,
	TRIG_SRC_SELF,
	TRIG_SRC_MAX
};
enum trig_unit { TRIG_UNIT_NONE, TRIG_UNIT_COUNT, TRIG_UNIT_SHARE, TRIG_UNIT_SECONDS };
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

struct trig_rule {
	enum trig_type type;
	enum trig_comparator comparator;
	enum trig_blind on_blind;
	uint32_t quantile; /* LATENCY: per mille, 990 = p99 */
	double threshold;  /* in the unit of the type, or a factor for TRIG_CMP_BASELINE */
	ms_t window;
	uint32_t hold_k, hold_m; /* bad windows out of the last m; m <= 32 */
	uint64_t min_samples;    /* in one window */
	char metric[64]; /* LATENCY: the histogram's name; ERROR_RATE: the counter of failures */
	char total[64];  /* ERROR_RATE: the counter of all requests */
	char claim[64];  /* safety-case claim that it falsifies (UL 4600), or "" */
};

const char *trig_type_name(enum trig_type t);
const char *trig_type_text(enum trig_type t);
enum trig_source trig_type_source(enum trig_type t);
enum trig_unit trig_type_unit(enum trig_type t);
const char *trig_comparator_name(enum trig_comparator c);

/* One member of "triggers". JSON carries no fractions: `threshold_milli` is in thousandths of the
 * unit or of the factor, spans are `window_ms`, `hold` is [k, m], the quantile is "statistic":
 * "p50" | "p90" | "p95" | "p99" | "p999". Defaults are the row's. ERR_BAD_INPUT names the place. */
int trig_rule_parse(
	const json_t *j, const char *where, struct trig_rule *out, struct err *e) MUST_CHECK;

#endif
