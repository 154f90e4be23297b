#include "agent/rescue.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/journal/journal.h"
#include "agent/trial.h"
#include "lib/sys/proc.h"

#define KILLED SEC(10) /* after SIGKILL */

static int peek(const struct agent_conf *conf, struct upd_record *out, struct err *e)
{
	struct fs fs;

	TRY(fs_posix_open(conf->agent.home, &fs, e));
	int rc = journal_peek(&fs, "journal", out, e);

	fs_posix_close(&fs);
	return rc;
}

int rescue_look(const struct agent_conf *conf, enum promise_fault *out, struct err *e)
{
	struct upd_record r;
	struct promise_note n;

	TRY(peek(conf, &r, e));
	bool has_note = trial_read(conf, &n, NULL) == 0;

	*out = promise_look(&r, has_note ? &n : NULL, trial_awake(), conf->agent.lost);
	return 0;
}

static int kill_and_wait(int fd, struct err *e)
{
	struct pollfd p = {fd, POLLIN, 0};

	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, errno, "killing the agent");
	return poll(&p, 1, (int)KILLED) == 1 ? 0
					     : err_set(e, ERR_TIMEOUT, "the agent does not die");
}

int rescue_end_agent(const struct agent_conf *conf, struct err *e)
{
	struct promise_note n;

	if (trial_read(conf, &n, NULL) < 0)
		return 0;
	struct proc_id id = {(pid_t)n.pid, n.start};
	int fd = (int)syscall(SYS_pidfd_open, id.pid, 0);

	if (fd < 0)
		return 0;
	/* Opened first and compared then: what the descriptor names cannot become another process.
	 */
	int rc = proc_is_alive(&id) ? kill_and_wait(fd, e) : 0;

	close(fd);
	return rc;
}
