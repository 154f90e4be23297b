/* A folder that was carried here, in the place of the server: for one fetch, and first choice for
 * artifacts. Opened anew each time, so that nobody has to wait to take the medium away. */
#ifndef AGENT_MEDIUM_H
#define AGENT_MEDIUM_H

#include "agent/net/desired.h"
#include "agent/stage/stage.h"

struct medium; /* opaque; calls may be made from any thread */

/* `server` brings what the folder does not hold; NULL: there is none. */
struct medium *medium_new(const struct stage_source *server);
void medium_free(struct medium **m);

/* From now on it is this folder. ERR_NOT_FOUND. */
int medium_take(struct medium *m, const char *dir, struct err *e) MUST_CHECK;
bool medium_is_taken(struct medium *m);

/* desired_fetch from the folder. */
int medium_fetch(struct medium *m, const struct desired_in *in, struct desired_out *out,
	struct err *e) MUST_CHECK;
struct stage_source medium_source(struct medium *m);

#endif
