/* Carries letters to their hooks, in a thread of its own: whatever a receiver does, or a name
 * server, nobody else waits for it. Certificates and names are always checked, no redirect is
 * followed, no proxy is asked, and nothing of an answer is kept but its status. */
#ifndef SERVER_HOOK_COURIER_H
#define SERVER_HOOK_COURIER_H

#include <systemd/sd-event.h>

#include "server/hook/letter.h"

#define COURIER_AT_ONCE LIMIT_HOOKS /* letters: one of each hook */

struct courier_conf {
	const char *ca;    /* PEM file that certificates must lead to; "": the system's */
	const char *agent; /* User-Agent */
	ms_t timeout;      /* of one attempt, from the name's look-up to the end of the answer */
	bool private_too;  /* addresses of private networks, see address.h */
};

struct courier;

/* What came of the letter that was given with this `tag`, told on the event loop. `why`: what went
 * wrong, or "". */
typedef void courier_done_f(void *ctx, unsigned tag, const struct hook_answer *a, const char *why);

int courier_open(sd_event *loop, const struct courier_conf *c, courier_done_f *done, void *ctx,
	struct courier **out, struct err *e) MUST_CHECK;
/* What is on its way is given up, and nobody is told. */
void courier_close(struct courier **c);
/* Takes the letter over, body and all. `tag` is below COURIER_AT_ONCE, and none that is on its way.
 */
void courier_carry(struct courier *c, unsigned tag, struct letter_out *l);

#endif
