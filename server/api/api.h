/* What the routes of proto/wire/routes.tbl.h answer. */
#ifndef SERVER_API_API_H
#define SERVER_API_API_H

#include "server/core/buckets.h"
#include "server/run/enrol.h"
#include "server/run/user.h"
#include "server/web/web.h"

/* Who asks too often; server/core/buckets.h. */
struct api_limits {
	struct buckets *peers, *devices; /* requests, by address and by device */
	struct buckets *wrong;           /* wrong tokens, by address */
};

struct broker;
struct export;

struct api {
	struct run *run;
	struct db *db;
	const struct signer *signer;
	const char *artifacts; /* folder */
	struct user_row user;  /* who asks, while a person's request is answered */
	struct enrol enrol;
	struct api_limits limits;
	unsigned poll_after_s;       /* what devices are asked to wait between polls; 0: nothing */
	struct broker *broker;       /* for its numbers; NULL: there is none */
	const struct export *export; /* the same */
	const struct web *web;       /* for its numbers; NULL until it is open */
};

/* The handler for web_open; ctx is the struct api. */
void api_answer(void *ctx, const struct web_request *rq, struct web_reply *out);
/* With the same ctx: what a turn's requests have changed becomes durable with one sync. */
extern const struct web_turn api_turn;

#endif
