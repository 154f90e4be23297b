/* The socket of the process that signs: who may ask, frames in, frames out. */
#ifndef SERVER_SIGND_DOOR_H
#define SERVER_SIGND_DOOR_H

#include <systemd/sd-event.h>

#include "server/signd/signd.h"

struct door;

/* Listens on `path` (replacing a dead socket; ERR_BUSY when somebody listens there). Who connects
 * is told by the kernel: root, this process's own user and `uid` are heard, anybody else is hung up
 * on and logged. At most 8 at once, more wait; one frame of at most LIMIT_SIGN_FRAME is answered
 * after the other, each has to arrive within 10 s of its first byte. */
int door_open(sd_event *loop, struct signd *d, const char *path, unsigned uid, struct door **out,
	struct err *e) MUST_CHECK;

/* Serves one peer on a connected socket, which is taken over, and ends the loop when that one hangs
 * up. */
int door_one(sd_event *loop, struct signd *d, int fd, struct door **out, struct err *e) MUST_CHECK;

void door_close(struct door **s);

#endif
