/* A campaign in virtual time: the server's own wave engine and judge, and devices that only have a
 * chance to fail. What it answers is what a policy finds, how long it takes, and how many devices
 * have the release by then. Pure: the same seed gives the same course, to the byte. */
#ifndef SERVER_SIM_SIM_H
#define SERVER_SIM_SIM_H

#include "lib/prng.h"
#include "server/core/wave.h"

/* What happens once, to a share of the devices, whatever they run. */
struct sim_trouble {
	uint32_t share; /* of the devices, in millionths, always the same ones; 0: none happens */
	bool away;      /* they cannot be reached; else what they run trips */
	ms_t at, span;  /* after the start of the campaign */
};

struct sim_conf {
	const struct policy *policy;
	uint32_t devices;
	ms_t begin; /* wall clock, for freezes */
	ms_t poll;  /* between two questions of one device, each begins at random */
	ms_t update_min, update_max; /* from admission to outcome, evenly spread */
	ms_t watch; /* how long a new version is watched, which ends an update; and one span of the
		       steady watch of a device that is compared with. 0: outcomes come at the
		       end, and nobody can be compared with */
	uint32_t fail;   /* of the devices, in millionths: goes back, or is not heard of again */
	uint32_t silent; /* of those that fail, in millionths */
	uint32_t usual;  /* of all outcomes, in millionths: bad, whatever a device runs */
	uint32_t sick;   /* of the devices, in millionths: trips whenever it is watched */
	struct sim_trouble trouble;
	ms_t approve_after;  /* a wave that wants an approval gets it then */
	ms_t horizon;        /* longest time that is looked at; 0: a year */
	unsigned until_wave; /* it is over when this wave opens; 0: never so */
	uint64_t seed;
};

enum sim_end { SIM_DONE, SIM_ABORTED, SIM_ASKS, SIM_TOO_LONG, SIM_END_MAX };

struct sim_result {
	enum sim_end end; /* DONE, too, when the wave has opened until which it was looked at */
	ms_t took;
	unsigned wave;                   /* in which it ended */
	uint32_t had_it;                 /* devices that were admitted to the release, ever */
	uint32_t failed;                 /* of those, that went back or are silent */
	enum judge_test by;              /* which test of the judge ended it, if one did */
	enum wave_hold hold;             /* ASKS: for what */
	uint32_t compared, compared_bad; /* outcomes of the control group, in all waves */
	uint64_t steps;                  /* of the wave engine */
	uint64_t trace;                  /* a hash over all states; equal for equal courses */
};

/* ERR_BAD_INPUT for a policy without waves, no devices, spans that are none, or a control group
 * that is never heard because there is no watch; ERR_CONFLICT when the policy cannot start with so
 * few devices; ERR_BUG when the engine says that it broke a law of its own. */
int sim_campaign(const struct sim_conf *c, struct sim_result *out, struct err *e) MUST_CHECK;

const char *sim_end_name(enum sim_end end);

#endif
