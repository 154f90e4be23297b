/* What preconditions are judged by, seen on this machine: one source per kind of place, chosen by
 * the preconditions' types. Blocking, short; what cannot be seen is left unknown, with the reason.
 * What is told and not seen (consent, a lease) is the driver's to fill in. */
#ifndef AGENT_PRECOND_PRECOND_H
#define AGENT_PRECOND_PRECOND_H

#include "agent/core/precond.h"

/* What the machine is asked through. Borrowed for the call. */
struct precond_asked {
	const char *from; /* "file:/run/parked", "dbus:SERVICE PATH INTERFACE PROPERTY",
			     "route:wwan0 ppp0"; "": nobody is asked */
	const char *when; /* answers, separated by commas, that mean that it is as is wanted */
};

struct precond_in {
	const char *sys, *proc; /* roots of what the kernel shows */
	const char *home;       /* whose free space counts */
	ms_t now;               /* wall clock */
	ms_t built;             /* a clock before this was never set; 0: not known */
	ms_t timeout;           /* of one question over D-Bus */
	struct precond_asked parked, ignition, metered;
};

struct precond_source {
	const char *kind; /* "power", "thermal", "load", "space", "clock", "signal", "none" */
	unsigned serves;  /* a bit for each type */
	const char *help;
	/* Fills in what it sees of the types in `want`; `out` is zero there. */
	void (*look)(const struct precond_in *in, unsigned want, struct precond_facts *out);
};

#define PRECOND_BIT(type) (1U << (type))

/* Looks for the types in `want` (PRECOND_BIT), and at nothing else. */
void precond_look(const struct precond_in *in, unsigned want, struct precond_facts *out);

/* Can it be asked? ERR_CONFIG with what is wrong. Asks nobody. */
int precond_from_check(const char *from, struct err *e) MUST_CHECK;

/* A zone of the system's time zone data ("Europe/Berlin"), or a rule as POSIX has it. ERR_CONFIG
 * when it is neither. */
int precond_zone_check(const char *zone, struct err *e) MUST_CHECK;
/* From now on, local time of this process is that of the zone; "": the system's. Before threads
 * are started. */
void precond_zone_use(const char *zone);

/* Where the answers of the machine come from: one row per prefix. */
struct precond_teller {
	const char *kind; /* what stands before the ':' */
	const char *help;
	int (*check)(struct str where, struct err *) MUST_CHECK;
	/* One line of text, without blanks at its ends. */
	int (*ask)(const struct precond_in *in, struct str where, struct buf *out,
		struct err *) MUST_CHECK;
};
/* By index; NULL behind the last. */
const struct precond_teller *precond_teller_at(unsigned i);

#endif
