/* Takes a trial out of the hands of an agent that is lost or does not decide. It is the same driver
 * in another process, started by a unit of its own, outside what is watched. */
#ifndef AGENT_RESCUE_H
#define AGENT_RESCUE_H

#include "agent/agent_conf.h"
#include "agent/core/promise.h"

/* Looks at the journal and at what the agent has promised; changes nothing. ERR_NOT_FOUND when
 * there never was an agent here. */
int rescue_look(const struct agent_conf *conf, enum promise_fault *out, struct err *e) MUST_CHECK;

/* Kills the agent that made the promise, if it still lives: it is hung, or it does not decide. Only
 * that one; ERR_TIMEOUT when the kernel does not let go of it. */
int rescue_end_agent(const struct agent_conf *conf, struct err *e) MUST_CHECK;

#endif
