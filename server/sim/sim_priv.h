/* What the files of the simulation share. */
#ifndef SERVER_SIM_SIM_PRIV_H
#define SERVER_SIM_SIM_PRIV_H

#include "server/sim/queue.h"
#include "server/sim/sim.h"

enum what { ASKS, COMMITS, GOES_BACK, FALLS_SILENT, IS_BACK, WATCHES };

struct device {
	enum recipient_state state;
	bool asking;   /* a moment of its ASKS is in the queue */
	bool watching; /* one of its WATCHES is */
	uint32_t turn; /* in which its watch counted last */
};

struct sim {
	const struct sim_conf *c;
	struct sim_result r;
	struct wave_state s;
	struct wave_acts acts;
	struct queue queue;
	struct device *v;
	struct prng random;
	ms_t now;
	ms_t approve_at; /* 0: nobody waits for it */
};

/* ---- sim.c ---- */

/* A time of at least 0 and less than the span. */
ms_t sim_within(struct sim *m, ms_t span);
bool sim_happens(struct sim *m, uint32_t ppm);
void sim_at(struct sim *m, ms_t when, uint32_t device, enum what what);
int sim_step(struct sim *m, struct wave_event ev, struct err *e) MUST_CHECK;

/* ---- sim_device.c: what devices do, with the release and without ---- */

/* It was admitted now: when its update ends, and how. */
void device_begin(struct sim *m, uint32_t i);
/* Can nobody reach it now? *out_until is when that ends. */
bool device_is_away(const struct sim *m, uint32_t i, ms_t *out_until);
/* A wave has opened: whoever is compared with goes on with its watch. */
void device_watch_all(struct sim *m);
/* A span of its steady watch is over. */
int device_watched(struct sim *m, uint32_t i, struct err *e) MUST_CHECK;

#endif
