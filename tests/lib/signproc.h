/* The code of backstay-signer in a process of its own, on a clock that the test moves: keys in
 * ./keys, state in ./signer. Failures inside end the test. */
#ifndef TESTS_LIB_SIGNPROC_H
#define TESTS_LIB_SIGNPROC_H

#include <sys/types.h>

#include "server/sign/signer.h"

struct signproc {
	pid_t pid;
	ms_t *now; /* shared with the process */
};

/* `out` is what a server has of it; to be closed before signproc_stop. */
void signproc_start(struct signproc *p, ms_t now, struct signer **out);
/* Waits for its end. */
void signproc_stop(struct signproc *p);

#endif
