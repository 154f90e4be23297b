/* What a plan came to, for people and for scripts. */
#ifndef SERVER_CLI_PLANNED_H
#define SERVER_CLI_PLANNED_H

#include "server/cli/cli.h"
#include "server/sim/sim.h"

#define PLAN_RATES 7U
#define PLAN_SIZES 3U

/* Shares of devices on which the release fails, in millionths, the first 0; and sizes of a wave
 * that is looked at by itself. */
extern const uint32_t plan_rates[PLAN_RATES], plan_sizes[PLAN_SIZES];

/* What one wave by itself comes to; otherwise nothing is known when it is over. */
enum plan_verdict { PLAN_ABORTS, PLAN_PROMOTES, PLAN_ASKS, PLAN_VERDICTS };

struct plan {
	struct policy policy;
	struct sim_conf sim;
	uint32_t runs;
	uint32_t control;                                      /* devices that are compared with */
	struct sim_result *v;                                  /* PLAN_RATES * runs, owned */
	uint32_t alone[PLAN_SIZES][PLAN_RATES][PLAN_VERDICTS]; /* of the runs */
};

void plan_say(const struct cli *c, const struct plan *p);

#endif
