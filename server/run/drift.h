/* Retraining: what devices see drifts from what a model was trained with. That is no device's
 * failure and never a rollback; it is told to people, with its evidence window, as the event
 * "retraining.wanted". What devices say (hook_drift) of one release, metric and reference is
 * gathered for run_conf.drift_gather and told once; whoever says the same within
 * run_conf.drift_window of the first is counted in, and when that is over and more devices have
 * said so, it is told once more. So 10,000 devices make one event, or two. */
#ifndef SERVER_RUN_DRIFT_H
#define SERVER_RUN_DRIFT_H

#include "server/run/run.h"

/* Tells what has been gathered, and closes what is over. */
int drift_tick(struct run *r, struct err *e) MUST_CHECK;

#endif
