/* The false-rollback matrix: the real trigger core and the real update machine on simulated devices
 * in virtual time. What is simulated is the workload, what surrounds it, and what a probe would
 * see; what decides is the product.
 *
 * One episode is one update on one device: the old version is watched for a baseline, the new one
 * is switched to and soaks, and something happens meanwhile. Everything follows from the seed. */
#ifndef TESTS_SIM_MATRIX_H
#define TESTS_SIM_MATRIX_H

#include "agent/core/update.h"
#include "lib/prng.h"

#define LOOK SEC(5) /* from look to look */

/* ---- matrix_draw.c: chance ---- */

double draw_uniform(struct prng *r, double low, double high);
double draw_normal(struct prng *r);
uint64_t draw_poisson(struct prng *r, double mean);
/* Waiting time of something that comes so often. */
ms_t draw_wait(struct prng *r, ms_t mean);
double normal_below(double x);

/* ---- troubles that hit the old version as the new one ---- */

enum trouble {
	TROUBLE_NONE,
	TROUBLE_NETWORK,
	TROUBLE_OFFLINE,
	TROUBLE_SERVER,
	TROUBLE_CLOUD,
	TROUBLE_POWER,
	TROUBLE_REBOOTS,
	TROUBLE_RUSH,
	TROUBLE_FEW,
	TROUBLE_FEW_DEFAULTS,
	TROUBLE_CLOCK,
	TROUBLE_BLIND,
	TROUBLE_ALL,
	TROUBLE_MATRIX, /* those before it are its rows */
	TROUBLE_AWAY = TROUBLE_MATRIX,
	TROUBLE_MAX
};

/* ---- true faults of the new version ---- */

enum fault_kind {
	FAULT_NONE,
	FAULT_SLOW,
	FAULT_ERRORS,
	FAULT_DRIFT,
	FAULT_LEAK,
	FAULT_HOT,
	FAULT_CRASHES,
	FAULT_DECIDES,
	FAULT_SICK,
	FAULT_CUT,
	FAULT_MAX
};

/* ---- matrix_load.c: the workload on its machine ---- */

#define LAT_BUCKETS 17
#define SCORE_BINS  10

/* What this device is like, whatever runs on it. */
struct load_nature {
	double rate;            /* requests a second */
	double median;          /* seconds */
	double errors, rejects; /* shares */
	double memory;          /* MiB */
	ms_t start;             /* to become ready */
};

struct load {
	struct prng *r;
	struct load_nature is;
	enum fault_kind fault;  /* of what runs */
	double slower, wronger; /* how far the fault goes */
	/* trouble, as it is now */
	double rush; /* times the usual rate */
	bool link, cloud, blind;
	bool carrier; /* a cable is plugged in, or a radio has its other side */
	bool server;  /* this device's own one answers */
	/* the process */
	ms_t up;   /* ready from then on; NEVER_UP: it does not run */
	ms_t born; /* when it was started */
	uint32_t ended;
	/* a slow wobble that is nobody's fault */
	double wobble, reject_wobble;
	ms_t seen; /* the last time that its page could be read */
};

/* Does a question to the device's own server reach it? */
bool load_reaches(const struct load *l);
void load_init(struct load *l, struct prng *r, bool few);
/* `how` runs from now on; it needs its time to start. */
void load_start(struct load *l, enum fault_kind how, ms_t now);
bool load_is_ready(const struct load *l, ms_t now);
/* Passes `span` until `now`, of which the machine was awake for a part: then it may crash. */
void load_pass(struct load *l, ms_t now, ms_t span, ms_t awake);
/* What a probe for the rule sees of the span that ends now. */
void load_sample(struct load *l, const struct trig_rule *r, bool excuse, ms_t now, ms_t span,
	struct sample *out);

/* A look is over. */
void load_seen(struct load *l, ms_t now);

/* ---- matrix_device.c: one update ---- */

/* What the ablations take away. */
struct safeguards {
	bool chance, busy, excuse, grace, hold, samples, contact;
};

struct episode {
	enum trouble trouble;
	enum fault_kind fault;
	uint64_t seed;
	struct safeguards with;
};

struct outcome {
	bool taken_back;
	unsigned cause; /* enum trig_type */
	ms_t soaked;    /* time on trial */
	ms_t recovered; /* from the switch until the old version was ready again */
	unsigned cuts;  /* of the power, or restarts */
	char text[160];
	char broken[160]; /* "" or the law that was broken: nothing of this may happen */
};

void episode_run(const struct episode *e, struct outcome *out);

#endif
