/* The language between the installer (the process that may write slots, links and journal) and its
 * worker (the process that reads what comes from the network). A message is one packet: the verb,
 * its numbers, its texts, and perhaps bytes; every row of the table bounds all of them. Both sides
 * decode strictly; the installer believes nothing that it has not checked. */
#ifndef AGENT_PRIV_PRIV_H
#define AGENT_PRIV_PRIV_H

#include "lib/buf.h"
#include "proto/wire/limits.h"

#define PRIV_PIECE      (64 * 1024)
#define PRIV_NUMS       14
#define PRIV_TEXTS      7
#define PRIV_PACKET_MAX (PRIV_PIECE + 4096) /* any packet of any verb is smaller */

/* Who says it. */
enum priv_side { PRIV_INSTALLER = 1, PRIV_WORKER = 2 };

#define PRIV_BIT(id) (1U << PRIV_##id)

#include "agent/priv/priv.tbl.h"

enum priv_verb {
#define X(id, ...) PRIV_##id,
	PRIV_TABLE(X)
#undef X
		PRIV_VERB_MAX
};

/* How many numbers and texts count, and which they are, says the verb's row. */
struct priv_msg {
	enum priv_verb verb;
	uint64_t num[PRIV_NUMS];
	struct str text[PRIV_TEXTS]; /* no control characters */
	struct str bytes;
};

/* Appends the packet up to, and without, m->bytes: these are sent behind it as they are.
 * ERR_TOO_LARGE, ERR_BAD_INPUT when the message is not what the row allows `from` to say. */
int priv_encode(
	const struct priv_msg *m, enum priv_side from, struct buf *out, struct err *e) MUST_CHECK;

/* *out borrows from the packet. ERR_BAD_INPUT, ERR_TOO_LARGE; ERR_DENIED for a verb that `from`
 * does not say. */
int priv_decode(
	struct str packet, enum priv_side from, struct priv_msg *out, struct err *e) MUST_CHECK;

bool priv_says(enum priv_verb verb, enum priv_side side);
/* May the worker say `verb` in a call that began with `ask`? */
bool priv_answers(enum priv_verb verb, enum priv_verb ask);

const char *priv_name(enum priv_verb verb);
const char *priv_help(enum priv_verb verb);

#endif
