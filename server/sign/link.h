/* The way to the process that signs: a Unix socket on which one listens, or a child that is started
 * here. A call blocks, so each is bounded; whoever was there and is gone is looked for once more
 * within the call, and after a failure nobody is waited for anew for a second. */
#ifndef SERVER_SIGN_LINK_H
#define SERVER_SIGN_LINK_H

#include "lib/buf.h"

struct link;

struct link_conf {
	const char *socket;  /* where one listens; "": start one */
	const char *program; /* what to start; "": backstay-signer beside this program */
	const char *conf;    /* its configuration file */
	int fd;              /* > 0: somebody serves on this connected socket; taken over */
	ms_t timeout;        /* for one call */
};

/* The texts of `c` must outlive it. Nothing is reached for yet. */
struct link *link_new(const struct link_conf *c);
/* Hangs up; a child ends by that, and is waited for. */
void link_free(struct link **l);

/* One frame there, one back (appended, without its length). ERR_BUSY: nobody is there, or no answer
 * came in time. Whether the question arrived is then unknown; it may be asked again. */
int link_call(struct link *l, struct str frame, struct buf *out, struct err *e) MUST_CHECK;

/* Grows whenever somebody new answers: what was said before may have been forgotten. */
unsigned link_epoch(const struct link *l);

#endif
