/* A disruption lease: what a device asks before it switches, and what the server answers. Spans, no
 * times of day: neither has to trust the other's clock. */
#ifndef PROTO_WIRE_LEASE_H
#define PROTO_WIRE_LEASE_H

#include "proto/wire/json.h"
#include "proto/wire/limits.h"

struct lease_ask {
	struct sha256 document; /* release document that it wants to switch to */
	ms_t need;              /* for how long it may be disrupted, there and back */
};

struct lease_answer {
	bool granted;
	ms_t life;             /* granted: it ends by itself after that */
	ms_t again;            /* not: when to ask again */
	char text[LIMIT_TEXT]; /* one sentence for people */
};

/* One line of JSON. Decoding: known members only; ERR_BAD_INPUT or ERR_TOO_LARGE with the place. */
void lease_ask_encode(const struct lease_ask *a, struct buf *out);
int lease_ask_decode(struct str text, struct lease_ask *out, struct err *e) MUST_CHECK;
void lease_answer_encode(const struct lease_answer *a, struct buf *out);
int lease_answer_decode(struct str text, struct lease_answer *out, struct err *e) MUST_CHECK;

#endif
