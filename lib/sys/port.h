/* A free port for a program that is about to be started. */
#ifndef LIB_SYS_PORT_H
#define LIB_SYS_PORT_H

#include "lib/err.h"

/* Binds 127.0.0.1 to `want` (0: any) and lets go: between that and the program's own bind somebody
 * else may take the port, which is found out when the program ends early. ERR_BUSY and the like
 * when it is taken. */
int port_find(unsigned want, unsigned *out, struct err *e) MUST_CHECK;

#endif
