/* Signed checkpoints of the audit log. */
#ifndef SERVER_RUN_CHECKPOINT_H
#define SERVER_RUN_CHECKPOINT_H

#include "server/run/run.h"

/* Signs a checkpoint of the newest row, unless there is one of it, and stores it. Without a key for
 * it nothing is done: rows are chained, and not signed. */
int checkpoint_now(struct run *r, struct err *e) MUST_CHECK;

/* The same, at most once a minute. For every tick. */
int checkpoint_due(struct run *r, struct err *e) MUST_CHECK;

#endif
