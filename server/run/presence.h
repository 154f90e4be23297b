/* What a broker says of who is connected to it. */
#ifndef SERVER_RUN_PRESENCE_H
#define SERVER_RUN_PRESENCE_H

#include "server/run/run.h"

struct presence_news {
	char device[ID_TEXT_MAX];
	bool online;
};

/* All of it in one transaction, the last word of each device counts. */
int presence_take(
	struct run *r, const struct presence_news *v, unsigned n, struct err *e) MUST_CHECK;

#endif
