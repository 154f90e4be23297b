/* How a campaign goes through the fleet. A file in version control; its digest stands in every
 * decision. */
#ifndef PROTO_WIRE_POLICY_H
#define PROTO_WIRE_POLICY_H

#include "lib/id.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"

/* What a wave must have seen before it may end; 0: nothing is asked. */
struct policy_floor {
	uint32_t devices;  /* of this wave that run the release */
	uint32_t outcomes; /* of its devices that were heard, good or bad: silence is none */
	ms_t span;         /* since it opened */
};

struct policy_wave {
	char name[ID_TEXT_MAX];
	char labels[LIMIT_TEXT]; /* only devices that have these, as in a report; "": any */
	uint32_t count;          /* devices of this wave, or 0 when a share is given */
	uint32_t permille; /* share of all recipients that this wave *adds*, rounded up; the last
			      wave takes the rest */
	uint32_t parallel; /* at most so many at once; 0: no limit */
	ms_t soak;     /* after the last device of the wave has ended, before the next wave opens */
	bool approval; /* a person lets it open */
	uint32_t rate_count; /* admissions within rate_per, evenly spaced; 0: no limit */
	ms_t rate_per;
	ms_t silence; /* of its devices; 0: as the policy says */
	struct policy_floor floor;
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
	char strata[ID_TEXT_MAX]; /* "hardware", or the label by which devices are judged by
				     themselves, too; "": all as one */
};

/* Recipients that keep what they run until the last wave opens, to be compared with. */
struct policy_control {
	uint32_t share; /* of the recipients, in millionths; 0: there is no control group */
	uint32_t min;   /* with fewer devices in it the campaign does not start */
};

/*  id, name, failures of this class are nobody's verdict about the release */
#define POLICY_TRANSIENT_TABLE(X)                                                                  \
	X(NETWORK, "network", "the network failed, or somebody was busy")                          \
	X(DISK, "disk", "not enough room, or storage failed")                                      \
	X(UNMET, "unmet", "a precondition did not hold")                                           \
	X(WORKER, "worker", "the agent's worker ended")

enum policy_transient {
#define X(id, ...) POLICY_TRANSIENT_##id,
	POLICY_TRANSIENT_TABLE(X)
#undef X
		POLICY_TRANSIENT_MAX
};

/*  id, name, what is done; each rung takes the ones below it with it */
#define POLICY_RUNG_TABLE(X)                                                                       \
	X(NONE, "none", "nothing is wrong")                                                        \
	X(HOLD, "hold", "the next wave does not open until people let it")                         \
	X(STOP, "stop", "nobody is admitted until people let it go on")                            \
	X(REVOKE, "revoke",                                                                        \
		"halted; those that have not switched yet are told to stay as they are")           \
	X(COHORT, "cohort", "everybody who got the release from this campaign is ordered back")    \
	X(RELEASE, "release", "so is everybody who got it from another campaign")                  \
	X(CHANNEL, "channel", "and no campaign for the product starts until a person allows it")

enum policy_rung {
#define X(id, ...) POLICY_RUNG_##id,
	POLICY_RUNG_TABLE(X)
#undef X
		POLICY_RUNG_MAX
};

/* How far a campaign goes by itself when it goes wrong. */
struct policy_ladder {
	uint32_t at[POLICY_RUNG_MAX]; /* so many failures lead to this rung; 0: they do not */
	enum policy_rung abort;       /* of max_failures and of the judge; NONE: COHORT, or
					 with roll_back_on_abort = false HALTED as it is */
};

/* How many of a group may be disrupted at once, over all campaigns. */
struct policy_disruption {
	char label[ID_TEXT_MAX]; /* devices with the same value of it are a group; "": no budget */
	uint32_t max;
	ms_t lease;        /* longest life of a lease */
	bool at_admission; /* and no more than max of a group are admitted at once */
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
	struct policy_control control;
	struct policy_ladder ladder;
	uint32_t retry[POLICY_TRANSIENT_MAX]; /* how often one device is admitted again */
	bool late;            /* devices that fit later take part in the last wave */
	uint32_t ratio_alpha; /* millionths: how seldom chance alone may look like arms that
				 are not heard as they should be; 0: nobody looks */
	unsigned n_freezes;
	struct policy_freeze freezes[LIMIT_FREEZES];
};

extern const char *const policy_rung_names[POLICY_RUNG_MAX];
extern const char *const policy_transient_names[POLICY_TRANSIENT_MAX];

/* JSON, as manifests/schema/policy.md says. Shares of all waves together at most 1000. */
int policy_parse(struct str text, struct policy *out, struct err *e) MUST_CHECK;
/* Canonical JSON of all members, without those parts that it does not have: one policy, one digest.
 */
void policy_encode(const struct policy *p, struct buf *out);

#endif
