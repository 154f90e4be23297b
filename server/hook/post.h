/* The post: looks once a second which letters are due, has them carried, and stores what came of
 * it. One letter of a hook is on its way at a time. A kill loses nothing: a letter goes when its
 * receiver has said that it has it, so it may come twice, under the same id. */
#ifndef SERVER_HOOK_POST_H
#define SERVER_HOOK_POST_H

#include "server/hook/courier.h"
#include "server/run/run.h"

struct post_conf {
	struct db *db;
	struct courier_conf courier;
	struct hook_rule rule;
	const char *source; /* what CloudEvents call this server */
};

struct post;

/* Everything in `c`, and `r`, must outlive it. */
int post_open(sd_event *loop, const struct post_conf *c, struct run *r, struct post **out,
	struct err *e) MUST_CHECK;
void post_close(struct post **p);
/* To be called every second, and when something may be due. */
int post_tick(struct post *p, struct err *e) MUST_CHECK;

#endif
