/* What the sources share. */
#ifndef AGENT_PRECOND_PRECOND_PRIV_H
#define AGENT_PRECOND_PRECOND_PRIV_H

#include "agent/precond/precond.h"

extern const struct precond_source precond_power, precond_thermal, precond_load, precond_space,
	precond_clock, precond_signal, precond_none;
extern const struct precond_teller precond_file, precond_dbus, precond_route;

/* The first line of a small file, without blanks at its ends, cut to the buffer. Never waits, even
 * for a pipe. */
int precond_read_line(const char *path, char *out, size_t cap, struct err *e) MUST_CHECK;
/* A whole small file; at most LIMIT_SIGNAL_BYTES. */
int precond_read_file(const char *path, struct buf *out, struct err *e) MUST_CHECK;

/* Why something is not known. */
void precond_why(struct precond_facts *f, enum precond_type type, const char *fmt, ...)
	PRINTF(3, 4);

/* "12.34" as 1234; blanks or the end may follow. False when it is no number. */
bool precond_hundredths(const char *text, uint64_t *out);

#endif
