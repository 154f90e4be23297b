/* The one sink for log events, and the only global state of the programs. Lines go to stderr as
 * "event: text key=value ...", or as one JSON object a line; where stderr is systemd's journal, to
 * that, with every key as a field of its own.
 * Only drivers log, once, where they give up or retry. */
#ifndef LIB_SYS_LOG_H
#define LIB_SYS_LOG_H

#include <syslog.h>

#include "lib/err.h"
#include "lib/sys/log.tbl.h"

enum log_id {
#define X(id, ...) LOG_ID_##id,
	LOG_TABLE(X)
#undef X
		LOG_ID_MAX
};

/* JOURNAL: if the journal does not take it, a line with "<priority>" before it. */
enum log_form { LOG_FORM_TEXT, LOG_FORM_JOURNAL, LOG_FORM_JSON };

/* At the start of a program. Without it: text, LOG_INFO. */
void log_init(const char *program, enum log_form form, int max_priority);
/* LOG_FORM_JOURNAL if stderr is the journal's, else LOG_FORM_TEXT. */
enum log_form log_form_here(void);
/* For a child that shall log in the same form. */
bool log_is_json(void);

/* `fmt` yields "key=value key=\"value with blanks\" ..."; one line, from any thread. */
void log_ev(enum log_id id, const char *fmt, ...) PRINTF(2, 3);

/* The same with an error's code and text as fields `error` and `reason`. */
void log_err(enum log_id id, const struct err *e, const char *fmt, ...) PRINTF(3, 4);

#endif
