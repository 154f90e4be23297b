#include "lib/sys/program.h"

#include <signal.h>
#include <stdio.h>

#include "lib/sys/log.h"

void program_say_problems(const struct buf *problems)
{
	struct str rest = buf_str(problems), line;

	while (str_split(&rest, '\n', &line))
		if (line.n)
			log_ev(LOG_ID_CONFIG, "problem=\"%.*s\"", (int)line.n, line.p);
}

int program_dump_conf(const struct conf_row *rows, size_t n_rows, const void *values,
	const struct conf_trace *trace, struct err *e)
{
	BUF_AUTO text = {0};

	conf_dump(rows, n_rows, values, trace, &text);
	fwrite(text.p, 1, text.n, stdout);
	return fflush(stdout) == 0 ? 0 : err_set(e, ERR_IO, "the output could not be written");
}

/* Without a callback of its own a signal ends the loop with 0. */
static int end_by_signal(sd_event *loop, int sig, struct err *e)
{
	sigset_t set;
	int rc;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
	rc = sd_event_add_signal(loop, NULL, sig, NULL, NULL);
	return rc < 0 ? err_sys(e, -rc, "signal %d", sig) : 0;
}

static int prepare(sd_event *loop, struct err *e)
{
	int rc;

	signal(SIGPIPE, SIG_IGN);
	TRY(end_by_signal(loop, SIGTERM, e));
	TRY(end_by_signal(loop, SIGINT, e));
	rc = sd_event_set_watchdog(loop, true);
	return rc < 0 ? err_sys(e, -rc, "watchdog") : 0;
}

int program_loop(sd_event **out, struct err *e)
{
	sd_event *loop = NULL;
	int rc = sd_event_new(&loop);

	if (rc < 0)
		return err_sys(e, -rc, "event loop");
	rc = prepare(loop, e);
	if (rc < 0)
		sd_event_unref(loop);
	else
		*out = loop;
	return rc;
}
