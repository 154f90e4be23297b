/* What the upper rungs of a campaign's ladder do to devices. Within the transaction that is open.
 */
#ifndef SERVER_RUN_CLIMB_H
#define SERVER_RUN_CLIMB_H

#include "server/run/run_priv.h"

/* Every recipient that is in update and has not switched yet waits again, and is told to stay. One
 * that switches before it hears of that is told to go back by its next desired state. */
int climb_revoke(struct run *r, const char *campaign, struct err *e) MUST_CHECK;

/* Every other campaign with the same release is ordered back, but those whose devices are in a
 * later campaign by now: that one's orders come first. */
int climb_everywhere(struct run *r, const struct campaign_row *c, struct err *e) MUST_CHECK;

#endif
