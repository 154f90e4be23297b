/* Messages between the broker library's thread, which puts them in, and the event loop, which takes
 * them out. Bounded: what has no room is not taken. */
#ifndef SERVER_BROKER_INBOX_H
#define SERVER_BROKER_INBOX_H

#include "server/broker/broker.h"

#define INBOX_MESSAGES 4096U
#define INBOX_BYTES    (32U * 1024 * 1024)

struct inbox;

int inbox_open(struct inbox **out, struct err *e) MUST_CHECK;
void inbox_close(struct inbox **b);
/* Takes the message over; false, and the message is freed, when there is no room. */
bool inbox_put(struct inbox *b, struct broker_message *m);
unsigned inbox_take(struct inbox *b, struct broker_message *out, unsigned max);
/* Readable while something is in it. */
int inbox_fd(const struct inbox *b);
unsigned inbox_count(struct inbox *b);

#endif
