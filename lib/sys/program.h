/* What every program does at its start: say what is wrong with its configuration, print it, and
 * make the event loop that a signal ends. */
#ifndef LIB_SYS_PROGRAM_H
#define LIB_SYS_PROGRAM_H

#include <systemd/sd-event.h>

#include "lib/sys/conf.h"

/* Logs each line that conf_find has put into `problems`. */
void program_say_problems(const struct buf *problems);

/* --dump-config: the effective values with what each key means and who has said it, to stdout. */
int program_dump_conf(const struct conf_row *rows, size_t n_rows, const void *values,
	const struct conf_trace *trace, struct err *e) MUST_CHECK;

/* A loop that SIGTERM and SIGINT end with 0, and that feeds the service manager's watchdog. SIGPIPE
 * is ignored from here on. The caller's to unref. */
int program_loop(sd_event **out, struct err *e) MUST_CHECK;

#endif
