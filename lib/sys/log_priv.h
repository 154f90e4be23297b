/* What the forms of the log share. */
#ifndef LIB_SYS_LOG_PRIV_H
#define LIB_SYS_LOG_PRIV_H

#include "lib/buf.h"
#include "lib/sys/log.h"

struct log_event {
	const char *name, *text, *message_id;
	int priority;
};

/* The event's name in small letters. */
void log_add_name(struct buf *out, const char *name);

/* "event: text fields", in one line. */
void log_add_text(struct buf *out, const struct log_event *ev, const char *fields);

/* Takes one `key=value` or `key="value"` off the fields; what has no '=' is the value of "note".
 * False at the end. */
bool log_field_next(const char **fields, struct str *out_key, struct str *out_value);

#define LOG_JOURNAL_FIELDS 32

/* The event as the journal's fields "KEY=value", each ended by NUL; how many they are, at most
 * LOG_JOURNAL_FIELDS. */
size_t log_journal_encode(
	const struct log_event *ev, const char *program, const char *fields, struct buf *out);
/* False when the journal did not take it. */
bool log_journal_send(const struct log_event *ev, const char *program, const char *fields);

#endif
