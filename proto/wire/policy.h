/* How a campaign goes through the fleet. A file in version control; its digest stands in every
 * decision. */
#ifndef PROTO_WIRE_POLICY_H
#define PROTO_WIRE_POLICY_H

#include "lib/id.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"

struct policy_wave {
	char name[ID_TEXT_MAX];
	uint32_t count;    /* devices of this wave, or 0 when a share is given */
	uint32_t permille; /* share of all recipients that this wave *adds*, rounded up; the last
			      wave takes the rest */
	uint32_t parallel; /* at most so many at once; 0: no limit */
	ms_t soak;     /* after the last device of the wave has ended, before the next wave opens */
	bool approval; /* a person lets it open */
	uint32_t rate_count; /* admissions within rate_per, evenly spaced; 0: no limit */
	ms_t rate_per;
};

/* When nobody is admitted: a span, or the same minutes of some days of each week. */
struct policy_freeze {
	char name[ID_TEXT_MAX];
	bool weekly;
	ms_t from, until; /* a span: wall clock */
	unsigned days;    /* weekly: a bit for each day on which it begins, Monday first */
	unsigned from_min, until_min; /* of the day; until <= from: it ends on the next day */
	int offset_min;               /* of those minutes from UTC */
};

/*  id, name, what is done when a wave's time is over and the judge can tell neither */
#define POLICY_UNSURE_TABLE(X)                                                                     \
	X(WIDEN, "widen", "the next wave opens; what is known so far counts on")                   \
	X(EXTEND, "extend", "the wave soaks again, extend_max times, then a person is asked")      \
	X(HOLD, "hold", "a person is asked")                                                       \
	X(ROLL_BACK, "roll_back", "as if it had failed")

enum policy_unsure {
#define X(id, ...) POLICY_##id,
	POLICY_UNSURE_TABLE(X)
#undef X
		POLICY_UNSURE_MAX
};

/* Numbers of the statistical test (server/core/judge.h); shares in millionths. */
struct policy_judge {
	bool on;
	uint32_t abort_alpha, promote_alpha, bad, base;
	uint32_t guard_failures, guard_first;
	enum policy_unsure unsure;
	uint32_t extend_max;
};

/* How many of a group may be disrupted at once, over all campaigns. */
struct policy_disruption {
	char label[ID_TEXT_MAX]; /* devices with the same value of it are a group; "": no budget */
	uint32_t max;
	ms_t lease; /* longest life of a lease */
};

struct policy {
	char name[ID_TEXT_MAX];
	bool first_alone; /* the very first device must commit before the second starts; default
			     true */
	unsigned n_waves;
	struct policy_wave waves[LIMIT_WAVES];
	uint32_t max_failures;   /* more device-level failures than this abort the campaign */
	ms_t silence;            /* an admitted device not heard of for so long counts as failed */
	bool roll_back_on_abort; /* devices that have the release already are ordered back; default
				    true */
	struct policy_disruption disruption;
	struct policy_judge judge;
	unsigned n_freezes;
	struct policy_freeze freezes[LIMIT_FREEZES];
};

/* JSON, as manifests/schema/policy.md says. Shares of all waves together at most 1000. */
int policy_parse(struct str text, struct policy *out, struct err *e) MUST_CHECK;
/* Canonical JSON of all members, without those parts that it does not have: one policy, one digest.
 */
void policy_encode(const struct policy *p, struct buf *out);

#endif
