/* A scenario: what a simulated campaign meets. Who is in the fleet, what their links and power are
 * like, what is wrong with the new release without anybody knowing, what happens to old and new
 * alike, what people do, and how it is expected to end. A file in manifests/scenarios; its page is
 * manifests/schema/scenario.md. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "proto/wire/policy.h"
#include "proto/wire/trigger.h"
#include "server/core/wave.h"
#include "sim/scenario.tbl.h"

enum scenario_fault_kind {
#define X(id, ...) FAULT_##id,
	SCENARIO_FAULT_TABLE(X)
#undef X
		FAULT_KIND_MAX
};
enum scenario_weather_kind {
#define X(id, ...) WEATHER_##id,
	SCENARIO_WEATHER_TABLE(X)
#undef X
		WEATHER_KIND_MAX
};
enum scenario_doubt {
#define X(id, ...) DOUBT_##id,
	SCENARIO_DOUBT_TABLE(X)
#undef X
		DOUBT_MAX
};
enum scenario_end {
#define X(id, ...) END_##id,
	SCENARIO_END_TABLE(X)
#undef X
		END_MAX
};

/* Devices that are alike. Shares are in millionths, spans 0 where something never happens. */
struct scenario_group {
	char name[ID_TEXT_MAX];
	char labels[LIMIT_TEXT]; /* "region=north,model=a", as devices report them; "": none */
	uint32_t parts;          /* of the fleet, in proportion to the other groups */
	unsigned boot;           /* 0: a link names the slot; 1: a boot loader counts starts */
	uint32_t kbit;           /* bandwidth, kbit/s */
	uint32_t loss;           /* of what is sent: it has to be sent again */
	ms_t broken_every;       /* a download is broken off, on average */
	ms_t offline_every, offline_for;     /* each device by itself */
	ms_t cut_every, off_for;             /* power, on average */
	uint32_t per_minute;                 /* requests to the workload */
	uint32_t latency_micro;              /* their median */
	uint32_t errors, rejects, unhealthy; /* of requests, of health checks: as a rule */
	uint32_t ends_per_day;               /* of the workload, by itself */
	uint32_t late;                       /* of the devices: only asks after some time */
	ms_t late_within;
};

struct scenario_fault {
	unsigned what;          /* enum scenario_fault_kind */
	char where[LIMIT_TEXT]; /* labels that a device must have; "": any */
	uint32_t share;         /* of those devices */
	uint32_t amount;
	ms_t onset; /* after the new version has started */
};

struct scenario_weather {
	unsigned what; /* enum scenario_weather_kind */
	char where[LIMIT_TEXT];
	uint32_t share;
	uint32_t amount;
	ms_t at, span; /* after the start of the campaign */
};

struct scenario_order {
	unsigned order; /* enum wave_ev_kind */
	ms_t at;
	char who[ID_TEXT_MAX], reason[LIMIT_TEXT];
};

/* What must be so in every run. */
struct scenario_expect {
	bool on;
	unsigned end;             /* enum scenario_end */
	uint32_t had_it;          /* devices that were ever given the release, at most */
	uint32_t bad_committed;   /* with a fault, and accepted it: at most */
	uint32_t bricked;         /* at most */
	uint32_t false_rollbacks; /* went back without a fault of the release: at most */
};

struct scenario {
	char name[ID_TEXT_MAX];
	char text[LIMIT_TEXT];
	uint32_t devices;
	ms_t begin; /* wall clock */
	ms_t poll;  /* between two questions of a device */
	ms_t look;  /* between two looks of an agent at its workload */
	ms_t horizon;
	uint64_t bytes; /* of the release, over the network */
	ms_t soak, start_timeout, baseline_wait;
	unsigned n_triggers, n_groups, n_faults, n_weather, n_orders;
	struct trig_rule triggers[LIMIT_TRIGGERS];
	struct scenario_group groups[LIMIT_SCENARIO_GROUPS];
	struct scenario_fault faults[LIMIT_SCENARIO_FAULTS];
	struct scenario_weather weather[LIMIT_SCENARIO_WEATHER];
	struct scenario_order orders[LIMIT_SCENARIO_ORDERS];
	ms_t approve_after; /* a wave that waits for an approval gets it then */
	unsigned doubt;     /* enum scenario_doubt */
	bool has_policy;
	struct policy policy;
	struct scenario_expect expect;
};

/* *out is a value without pointers (about 60 KiB). ERR_BAD_INPUT or ERR_TOO_LARGE with the place;
 * *out is untouched then. */
int scenario_parse(struct str text, struct scenario *out, struct err *e) MUST_CHECK;

/* Could so many devices be simulated in this scenario within reason? ERR_TOO_LARGE with the limit.
 */
int scenario_bounded(const struct scenario *s, uint32_t devices, struct err *e) MUST_CHECK;

const char *scenario_end_name(unsigned end);
const char *scenario_fault_name(unsigned kind);

#endif
