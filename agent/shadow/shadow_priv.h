/* The parts of a comparison. */
#ifndef AGENT_SHADOW_SHADOW_PRIV_H
#define AGENT_SHADOW_SHADOW_PRIV_H

#include "agent/shadow/shadow.h"
#include "agent/svc/beside.h"

/* ---- inlet.c: where the champion's inputs come in ---- */

struct inlet {
	int fd;
	char path[256];
	struct beside *beside; /* knows who the champion is */
	pid_t known;           /* the last that was found to be it; 0: none */
	ms_t known_at;
	char *packet;
	struct buf whole; /* a packet with what its memory file holds */
};

/* Replaces whatever an earlier life has left there. */
int inlet_open(const char *run_dir, struct beside *b, struct inlet *out, struct err *e) MUST_CHECK;
void inlet_close(struct inlet *in);
/* Waits at most so long for the next packet of the champion's. *out borrows until the next call,
 * and is empty when the packet cannot be one. 1: there is one; 0: none came, or somebody else's. */
int inlet_take(struct inlet *in, ms_t wait, struct str *out, struct err *e) MUST_CHECK;

/* ---- ask.c: the challenger ---- */

struct challenger {
	const struct shadow_rule *rule;
	unsigned port;
	const atomic_bool *cancel;
};

/* Is it up? 0, or what is missing. */
int challenger_ready(const struct challenger *c, struct err *e) MUST_CHECK;
/* Puts one input to it and compares. A failure to answer is part of the pair; nothing else can
 * fail. */
void challenger_ask(
	const struct challenger *c, const struct shadow_note *note, struct shadow_pair *out);

#endif
