/* When to try again: exponential with full jitter between half and all of the step, bounded. */
#ifndef AGENT_CORE_BACKOFF_H
#define AGENT_CORE_BACKOFF_H

#include "lib/err.h"

/* `tries` failures so far (>= 1); `random` any 64 random bits. SOON begins at 2 s and ends at 5
 * min, LATER at 1 min and 1 h; NEVER and OPERATOR answer -1. `floor` is the server's Retry-After, 0
 * when none. */
ms_t backoff_wait(enum err_retry class_, uint32_t tries, uint64_t random, ms_t floor);

#endif
