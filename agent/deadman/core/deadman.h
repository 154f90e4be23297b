/* The dead-man's decisions. It stands outside both slots and knows three things: what time it is,
 * what the kernel's command line said, and what the agent says to it. A version on trial whose
 * agent is missing, hung or dead, or that is not decided in time, ends in a restart, which the boot
 * loader counts; so the old version comes back by itself. */
#ifndef AGENT_DEADMAN_CORE_DEADMAN_H
#define AGENT_DEADMAN_CORE_DEADMAN_H

#include "agent/deadman/core/deadman.tbl.h"
#include "lib/buf.h"
#include "proto/wire/limits.h"

#define DEADMAN_SOCKET "backstay-deadman" /* in the abstract name space, SOCK_SEQPACKET */
#define DEADMAN_NEVER  INT64_MAX

/* ---- what it is told ---- */

enum deadman_word {
#define X(id, ...) DEADMAN_##id,
	DEADMAN_WORDS(X)
#undef X
		DEADMAN_WORD_MAX
};
struct deadman_msg {
	enum deadman_word word;
	ms_t within; /* 0 where the word has no time */
};

/* One packet; ERR_BAD_INPUT, ERR_TOO_LARGE. Seconds are 1 .. LIMIT_DEADMAN_S. */
int deadman_parse(struct str packet, struct deadman_msg *out, struct err *e) MUST_CHECK;
/* What deadman_parse reads; a part of a second counts as one, and the bounds are kept. Returns out.
 */
const char *deadman_format(const struct deadman_msg *m, char out[LIMIT_DEADMAN_BYTES]);

enum deadman_param {
#define X(id, ...) DEADMAN_PARAM_##id,
	DEADMAN_PARAMS(X)
#undef X
		DEADMAN_PARAM_MAX
};
struct deadman_conf {
	uint64_t v[DEADMAN_PARAM_MAX];
};

/* The kernel's command line. Never fails: the machine must start. A value that is out of its bounds
 * leaves the default, and is counted; of two, the last one holds, as in the kernel. A deadline
 * makes the start a trial unless something else is said; `systemd.watchdog_sec` leaves the watchdog
 * to the service manager unless something else is said. */
void deadman_conf_parse(struct str line, struct deadman_conf *out, unsigned *out_bad);

/* ---- how it comes to the boot partition ---- */

#define DEADMAN_CPIO "backstay-deadman.cpio"

/* The second initrd: an archive that holds the program as /backstay-deadman. The same bytes from
 * the same bytes. `out` is empty. */
void deadman_cpio(struct str program, struct buf *out);

/* ---- what it decides ---- */

enum deadman_cause {
#define X(id, ...) DEADMAN_CAUSE_##id,
	DEADMAN_CAUSES(X)
#undef X
		DEADMAN_CAUSE_MAX
};
const char *deadman_cause_text(enum deadman_cause c);

/* A value; all times are CLOCK_BOOTTIME, DEADMAN_NEVER when nothing is due. */
struct deadman {
	struct deadman_conf conf;
	bool on_trial;
	ms_t message_due, decision_due, end_due;
	ms_t slept;
};

/* What the program sees whenever it looks up. */
struct deadman_event {
	ms_t now;
	ms_t slept;  /* how long the machine has been suspended since it started */
	bool ending; /* the system is going down */
	const struct deadman_msg *msg; /* NULL: nobody has spoken */
};

/* The machine has just started. */
void deadman_init(const struct deadman_conf *conf, ms_t slept, struct deadman *out);

/* PURE. Answers what is overdue after the event. Nothing that became due while the machine was
 * suspended is held against anybody before it has been awake for a minute. `next` may be `now`. */
enum deadman_cause deadman_step(
	const struct deadman *now, const struct deadman_event *ev, struct deadman *next) MUST_CHECK;
/* The time at which something is overdue if nothing happens before; DEADMAN_NEVER. */
ms_t deadman_due(const struct deadman *d);

#endif
