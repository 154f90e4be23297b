/* Smoke tests on the sealed, inactive slot: exec with limits and timeout, HTTP against a private
 * instance that is started from that slot and stopped again. Blocking. */
#ifndef AGENT_SMOKE_SMOKE_H
#define AGENT_SMOKE_SMOKE_H

#include <stdatomic.h>

#include "lib/buf.h"
#include "proto/wire/release.h"

struct smoke_in {
	const char *slot_dir;   /* absolute */
	const char *image;      /* of a raw slot: the device or file with it; NULL: there is none */
	const char *filesystem; /* that it holds, as mount calls it; "": not known */
	const char *tmp_dir;    /* absolute; made if missing, emptied before and after */
	const struct release *release;
	uint64_t max_memory; /* for tests that state none; 0: no limit */
	unsigned uid, gid;   /* to run as; 0: as the agent */
	const atomic_bool *cancel;
};

/* Runs all tests in order and stops at the first that fails: ERR_SMOKE_FAILED with its name, exit,
 * timeout or what was expected and seen; ERR_CANCELLED; ERR_IO and the like when the device itself
 * could not run it. *out_log gets the output of the failed one (its first 16 KiB), else a line per
 * test.
 *
 * A test runs in the slot's folder with BACKSTAY_SLOT_DIR, TMPDIR and HOME (both tmp_dir) in its
 * environment, in a process group of which nothing is left behind. Where the agent is root, the
 * slot is mounted read-only for it; everywhere, a test that changed anything in the slot has
 * failed. Of a raw slot BACKSTAY_SLOT_DEVICE is the device; if its file system is known, it is
 * mounted read-only on the slot's folder, in the test's own view of the machine.
 *
 * An HTTP test gets a free port of 127.0.0.1 in BACKSTAY_PORT, on which its instance must listen.
 * No answer yet and status 503 (still loading) are asked again; the first other answer decides. */
int smoke_run(const struct smoke_in *in, struct buf *out_log, struct err *e) MUST_CHECK;

#endif
