/* What ends soon and is not made new by itself: files that people have signed, certificates of the
 * server, and certificates that devices have not renewed in time. Each is told a month ahead and
 * once more a week ahead (those of devices once, when five sixths of their life are over), as an
 * event for hooks with its audit row. */
#ifndef SERVER_RUN_ENDING_H
#define SERVER_RUN_ENDING_H

#include "server/run/run.h"

/* Looks once an hour. */
int ending_tick(struct run *r, struct err *e) MUST_CHECK;

#endif
