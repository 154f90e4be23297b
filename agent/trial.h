/* What this machine is told about a trial, for those who hold the agent to it: the note in run_dir,
 * and the dead-man where a boot loader counts. */
#ifndef AGENT_TRIAL_H
#define AGENT_TRIAL_H

#include "agent/agent_conf.h"
#include "agent/core/promise.h"

/* Replaces the note, or takes it away when there is no trial; tells the dead-man the same. A
 * failure leaves what was told before, which is the careful side; whoever called logs it. Does not
 * block. */
int trial_tell(const struct agent_conf *conf, const struct promise *p, const struct txn_id *txn,
	struct err *e) MUST_CHECK;

/* The note; ERR_NOT_FOUND, ERR_BAD_INPUT. */
int trial_read(const struct agent_conf *conf, struct promise_note *out, struct err *e) MUST_CHECK;

/* Time since the machine's start without suspension: what a note counts in. */
ms_t trial_awake(void);

#endif
