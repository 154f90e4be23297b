/* The agent's way to the dead-man. */
#ifndef AGENT_DEADMAN_TELL_H
#define AGENT_DEADMAN_TELL_H

#include "agent/deadman/core/deadman.h"

/* One message; waits for nothing, not for the answer either. 0 when there is no dead-man; ERR_BUSY
 * when it does not listen just now. */
int deadman_tell(const struct deadman_msg *m, struct err *e) MUST_CHECK;

#endif
