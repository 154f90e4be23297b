/* A campaign in virtual time, with devices that are more than a chance to fail: each runs the real
 * update machine, triggers, quarantine and backoff (agent/core) in a modelled machine, and the real
 * wave engine with its judge (server/core) decides. What answers an operator's questions: what a
 * policy finds out, when, how many devices have the release by then, how long it takes.
 *
 * Pure: the same seed gives the same course, to the byte, and `trace` is its hash. After each event
 * the laws (law.h) are looked at; the simulation knows of each device what nobody else can know,
 * and so sees what neither agent nor server could. */
#ifndef SIM_COURSE_H
#define SIM_COURSE_H

#include "sim/scenario.h"

/* Mistakes that somebody could make, to show that the laws, or what a scenario expects, find them.
 */
#define COURSE_MISTAKES(X)                                                                         \
	X(NONE, "none")                                                                            \
	X(NO_QUARANTINE, "a device forgets which release has failed on it")                        \
	X(ADMIT_ALL, "the server gives the release to whoever asks")                               \
	X(NO_FREEZE, "the server forgets its calendar")                                            \
	X(SILENCE_COUNTS, "who is not heard of is counted as committed")                           \
	X(COUNT_TWICE, "a report that comes twice is counted twice")                               \
	X(NO_ORDER, "the order to go back is not passed on")                                       \
	X(SEAL_HALF, "a slot is called sealed before all of it has come")                          \
	X(SHORT_SOAK, "a soak is called over at its first look")                                   \
	X(DEAF, "triggers are not evaluated")                                                      \
	X(LOSE_RECORD, "a power cut takes the journal")
enum course_mistake {
#define X(id, ...) COURSE_##id,
	COURSE_MISTAKES(X)
#undef X
		COURSE_MISTAKE_MAX
};

/* Called now and then: how many of the devices have ended, and how long it has taken so far. */
typedef void course_tick_f(void *ctx, uint32_t ended, uint32_t devices, ms_t took);

struct course_conf {
	const struct scenario *scenario;
	const struct policy *policy;
	uint32_t devices;
	const char *const *labels; /* of each device, in the order of admission; NULL: the
				      scenario's groups, mixed by chance */
	uint64_t seed;
	enum course_mistake mistake;
	course_tick_f *tick; /* may be NULL */
	void *ctx;
};

struct course_result {
	unsigned end; /* enum scenario_end */
	ms_t took;    /* from the start to the decision */
	unsigned wave;
	enum judge_test by;
	uint32_t had_it;    /* devices that were given the release, ever: the blast radius */
	uint32_t switched;  /* of those, that ran it, if only for a moment */
	uint32_t committed; /* that accepted it */
	uint32_t reverted, failed, silent; /* as the devices, and the server, know it */
	uint32_t bad;             /* devices in the fleet on which something is wrong with it */
	uint32_t bad_committed;   /* of those, that accepted it */
	uint32_t false_rollbacks; /* went back, and nothing was wrong with it there */
	uint32_t bricked;         /* are gone for good */
	uint32_t left;            /* run it when all is over */
	uint32_t watched, watched_bad; /* watches of the control group, and how many tripped */
	uint32_t cuts, refused;        /* power cuts in updates; releases refused by quarantine */
	ms_t mend_median; /* of those that went back: from the start of the new version to the old
			     one running again */
	uint64_t wave_steps, update_steps, looks, events;
	uint64_t violations;
	char law[160]; /* the first that was broken */
	uint64_t trace;
	uint64_t bytes; /* of memory for the devices, at most */
};

/* ERR_BAD_INPUT for a policy without waves, or no devices; ERR_TOO_LARGE for more than can be
 * simulated within reason (scenario_bounded). A law that is broken is no error of this
 * call: it is counted. */
int course_run(const struct course_conf *c, struct course_result *out, struct err *e) MUST_CHECK;

/* NULL, or what of the scenario's expectation does not hold; `out` is for the text. */
const char *course_differs(
	const struct scenario *s, const struct course_result *r, char *out, size_t cap);

const char *course_mistake_text(enum course_mistake m);

#endif
