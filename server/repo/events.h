/* What the wave engine was told of a campaign: replaying it gives the campaign's state. */
#ifndef SERVER_REPO_EVENTS_H
#define SERVER_REPO_EVENTS_H

#include "server/core/wave.h"
#include "server/db/db.h"

/* The event that led to revision `rev`. */
int events_add(struct db *db, const char *campaign, uint64_t rev, const struct wave_event *ev,
	struct err *e) MUST_CHECK;

/* Those that led to revisions above `after`, in order and at most `limit`. */
typedef int events_each_f(void *ctx, uint64_t rev, const struct wave_event *ev, struct err *e);
int events_each(struct db *db, const char *campaign, uint64_t after, unsigned limit,
	events_each_f *each, void *ctx, struct err *e) MUST_CHECK;

#endif
