/* A signing process of one's own: started on one end of a socket pair, and ended by hanging up. */
#ifndef SERVER_SIGN_CHILD_H
#define SERVER_SIGN_CHILD_H

#include <sys/types.h>

#include "lib/err.h"

/* `program` "": backstay-signer in the folder of this program. It gets the configuration file, the
 * socket, stderr and nothing else, and ends when this process does. ERR_NOT_FOUND, ERR_DENIED. */
int child_start(const char *program, const char *conf, pid_t *out_pid, int *out_fd,
	struct err *e) MUST_CHECK;

/* After hanging up: waits for its end, and kills it after two seconds, which it survives like any
 * other end. Harmless without a child. */
void child_end(pid_t *pid);

#endif
