/* What the windows of one transaction add to aggregates: gathered first, so that each row is read
 * and written once however many windows there are. */
#ifndef SERVER_RUN_GAIN_H
#define SERVER_RUN_GAIN_H

#include "server/repo/aggregates.h"

#define GAIN_STRATA 64U /* strata of one release in one span; what comes later is "other" */
#define GAIN_OTHER  "other"

struct gain_row {
	struct agg_key key;
	struct aggregate more;
};

struct gain {
	unsigned n;
	struct gain_row *v; /* owned */
};

void gain_init(struct gain *t);
void gain_fini(struct gain *t);
#define GAIN_AUTO CLEANUP(gain_fini) struct gain

void gain_add(struct gain *t, const struct agg_key *k, const struct telemetry_window *w);
/* Merges everything into what is stored, within the transaction that is open. */
int gain_save(const struct gain *t, struct db *db, struct err *e) MUST_CHECK;

#endif
