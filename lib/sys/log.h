/* The one sink for log events, and the only global state of the programs. Lines go to stderr as
 * "<priority>event: text key=value ..." (journald reads the prefix), or as one JSON object a line.
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

enum log_form { LOG_FORM_TEXT, LOG_FORM_JOURNAL, LOG_FORM_JSON };

/* At the start of a program. Without it: text, LOG_INFO. */
void log_init(const char *program, enum log_form form, int max_priority);
/* For a child that shall log in the same form. */
bool log_is_json(void);

/* `fmt` yields "key=value key=\"value with blanks\" ..."; one line, from any thread. */
void log_ev(enum log_id id, const char *fmt, ...) PRINTF(2, 3);

/* The same with an error's code and text as fields `error` and `reason`. */
void log_err(enum log_id id, const struct err *e, const char *fmt, ...) PRINTF(3, 4);

#endif
