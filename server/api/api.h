/* What the routes of proto/wire/routes.tbl.h answer. */
#ifndef SERVER_API_API_H
#define SERVER_API_API_H

#include "server/run/run.h"
#include "server/web/web.h"

struct api {
	struct run *run;
	struct db *db;
	const struct signer *signer;
	const char *artifacts; /* folder */
	const char *token;     /* of the operators */
	unsigned poll_after_s; /* what devices are asked to wait between polls; 0: nothing */
	const struct web *web; /* for its numbers; NULL until it is open */
};

/* The handler for web_open; ctx is the struct api. */
void api_answer(void *ctx, const struct web_request *rq, struct web_reply *out);

#endif
