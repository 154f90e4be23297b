/* A worker that was taken over: it begins as it must (the installer would not use it otherwise),
 * and then says whatever it likes. */
#ifndef TESTS_LIB_HOSTILE_H
#define TESTS_LIB_HOSTILE_H

#include "lib/err.h"

#define HOSTILE_SILENT 10000U /* a way that has no end: nothing is ever answered */

/* Ways to misbehave, numbered from 0; which of them is shown by its name. */
unsigned hostile_ways(void);
const char *hostile_name(unsigned way, char out[64]);

/* In place of serve_run. Every call is answered in this way; with `honest`, fetching and sending
 * are done as they should be, and only unpacking is not. Returns when the installer is gone. */
int hostile_run(int fd, unsigned way, bool honest, struct err *e) MUST_CHECK;

#endif
