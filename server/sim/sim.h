/* A campaign in virtual time: the server's own wave engine and judge, and devices that only have a
 * chance to fail. What it answers is what a policy finds, how long it takes, and how many devices
 * have the release by then. Pure: the same seed gives the same course, to the byte. */
#ifndef SERVER_SIM_SIM_H
#define SERVER_SIM_SIM_H

#include "lib/prng.h"
#include "server/core/wave.h"

struct sim_conf {
	const struct policy *policy;
	uint32_t devices;
	ms_t begin; /* wall clock, for freezes */
	ms_t poll;  /* between two questions of one device, each begins at random */
	ms_t update_min, update_max; /* from admission to outcome, evenly spread */
	uint32_t fail;      /* of the devices, in millionths: goes back, or is not heard of again */
	uint32_t silent;    /* of those that fail, in millionths */
	ms_t approve_after; /* a wave that wants an approval gets it then */
	ms_t horizon;       /* longest time that is looked at; 0: a year */
	uint64_t seed;
};

enum sim_end { SIM_DONE, SIM_ABORTED, SIM_ASKS, SIM_TOO_LONG, SIM_END_MAX };

struct sim_result {
	enum sim_end end;
	ms_t took;
	unsigned wave;      /* in which it ended */
	uint32_t had_it;    /* devices that were admitted to the release, ever */
	uint32_t failed;    /* of those, that went back or are silent */
	enum judge_test by; /* which test of the judge ended it, if one did */
	uint64_t steps;     /* of the wave engine */
	uint64_t trace;     /* a hash over all states; equal for equal courses */
};

/* ERR_BAD_INPUT for a policy without waves, no devices or spans that are none; ERR_BUG when the
 * engine says that it broke a law of its own. */
int sim_campaign(const struct sim_conf *c, struct sim_result *out, struct err *e) MUST_CHECK;

const char *sim_end_name(enum sim_end end);

#endif
