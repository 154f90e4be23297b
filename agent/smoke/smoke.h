/* Smoke tests on the sealed, inactive slot: exec with limits and timeout, HTTP against a private
 * instance that is started from that slot and stopped again. Blocking. */
#ifndef AGENT_SMOKE_SMOKE_H
#define AGENT_SMOKE_SMOKE_H

#include <stdatomic.h>

#include "lib/buf.h"
#include "proto/wire/release.h"

struct smoke_in {
	const char *slot_dir; /* absolute */
	const char *tmp_dir;  /* absolute, writable, emptied afterwards */
	const struct release *release;
	uint64_t max_memory; /* for tests that state none */
	unsigned uid, gid;   /* to run as; 0: as the agent */
	const atomic_bool *cancel;
};

/* Runs all tests in order and stops at the first that fails: ERR_SMOKE_FAILED with its name, exit,
 * timeout or what was expected and seen. *out_log gets the output of the failed one (bounded), else
 * a line per test. */
int smoke_run(const struct smoke_in *in, struct buf *out_log, struct err *e) MUST_CHECK;

#endif
