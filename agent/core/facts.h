/* What the edges see of the world, as values. Edges depend on these; the core depends on no edge.
 */
#ifndef AGENT_CORE_FACTS_H
#define AGENT_CORE_FACTS_H

#include "lib/id.h"

#define SLOT_COUNT 2U
#define SLOT_NONE  255U /* no slot, or not known which */

const char *slot_name(unsigned slot); /* "a", "b", "-" */
static inline unsigned slot_other(unsigned slot)
{
	return slot ^ 1U;
}

enum slot_mark { SLOT_INVALID, SLOT_VALID };

struct slot_view {
	enum slot_mark mark;
	struct rel_id release;  /* "" when invalid */
	struct sha256 document; /* digest of the release document */
	struct sha256 content;  /* digest over the trees of all its components */
	uint64_t room;          /* bytes that may still be written */
};

/* What decides which slot starts next, and what is known of the present start. */
struct boot_view {
	unsigned active;     /* starts next; SLOT_NONE: nothing was ever installed */
	unsigned confirmed;  /* started last as good; the way back; SLOT_NONE as above */
	unsigned tries_left; /* of an unconfirmed active slot; 0 where nothing counts */
	bool fell_back;      /* a boot loader gave the active slot up */
	bool counts;         /* the active slot is on trial and its starts are counted */
	bool crashed;        /* the start before this one has left a record of a crash */
};

struct svc_view {
	bool alive;     /* the workload runs; always true where nobody supervises one */
	unsigned slot;  /* from which slot, SLOT_NONE when the driver cannot tell; known though not
			   alive where the machine itself was started from it */
	uint32_t ended; /* how often it ended or was restarted by its supervisor, since the
			   supervisor counts */
	uint32_t pid;   /* of its main process; 0: there is none, or nobody knows */
};

#endif
