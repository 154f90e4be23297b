#include "lib/sys/proc_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sys/clock.h"

#define KILL_AFTER  SEC(2)
#define CANCEL_LOOK 50 /* ms: how soon a cancel is seen; an atomic cannot be polled */

enum stage { RUNNING, ASKED, KILLED };

struct run {
	const char *name;
	size_t max_output;
	const atomic_bool *cancel;
	pid_t pid;
	int pidfd, out; /* -1: closed */
	enum stage stage;
	ms_t deadline; /* of this stage, monotonic; 0: none */
	struct proc_result result;
};

static ms_t now_mono(void)
{
	return clock_system.mono(clock_system.self);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* One read of at most 4 KiB; what is over the limit is dropped, so that the child never blocks on a
 * full pipe. */
static bool gather(struct run *r)
{
	char piece[4096];
	ssize_t n = read(r->out, piece, sizeof piece);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		close_fd(&r->out);
		return false;
	}
	buf_add(&r->result.output, piece, MIN((size_t)n, r->max_output - r->result.output.n));
	return true;
}

static void end_early(struct run *r, ms_t now)
{
	kill(-r->pid, SIGTERM);
	r->stage = ASKED;
	r->deadline = now + KILL_AFTER;
}

static void mind_the_clock(struct run *r, ms_t now)
{
	bool late = r->deadline && now >= r->deadline;

	if (r->stage == RUNNING && r->cancel && atomic_load(r->cancel)) {
		r->result.cancelled = true;
		end_early(r, now);
	} else if (r->stage == RUNNING && late) {
		r->result.timed_out = true;
		end_early(r, now);
	} else if (r->stage == ASKED && late) {
		kill(-r->pid, SIGKILL);
		r->stage = KILLED;
		r->deadline = 0;
	}
}

static int patience(const struct run *r, ms_t now)
{
	ms_t left = r->deadline ? MAX(r->deadline - now, 0) : -1;

	if (r->stage == RUNNING && r->cancel && (left < 0 || left > CANCEL_LOOK))
		left = CANCEL_LOOK;
	return (int)MIN(left, 1000000);
}

static void wait_for_end(struct run *r)
{
	struct pollfd fds[2];

	for (;;) {
		fds[0] = (struct pollfd){.fd = r->pidfd, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = r->out, .events = POLLIN};
		if (poll(fds, 2, patience(r, now_mono())) > 0) {
			if (fds[1].revents)
				gather(r);
			if (fds[0].revents)
				return;
		}
		mind_the_clock(r, now_mono());
	}
}

/* The group is killed while the leader is a zombie still: until it is reaped, its number names
 * nobody else. */
static int reap(struct run *r, struct err *e)
{
	siginfo_t info = {0};

	kill(-r->pid, SIGKILL);
	while (r->out >= 0 && gather(r))
		;
	while (waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "%s: wait", r->name);
	r->result.exit = info.si_code == CLD_EXITED ? info.si_status : -1;
	r->result.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
	return 0;
}

/* On failure nothing of the child is left. */
static int begin(struct run *r, struct proc_plan *plan, int channel, struct err *e)
{
	struct proc_news news;
	bool end;
	int rc;

	plan->parent = getpid();
	r->pid = proc_child_fork();
	if (r->pid == 0)
		proc_child_become(plan);
	if (r->pid < 0)
		return err_sys(e, errno, "%s: fork", r->name);
	close_fd(&plan->channel);
	close_fd(&plan->out);
	rc = proc_child_hear(channel, r->name, &news, &end, e);
	if (rc == 0)
		r->pidfd = pidfd_open(r->pid, 0);
	if (rc == 0 && r->pidfd < 0)
		rc = err_sys(e, errno, "%s: pidfd", r->name);
	if (rc < 0) {
		kill(r->pid, SIGKILL);
		while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return rc;
}

static int run_planned(struct run *r, struct proc_plan *plan, ms_t timeout, struct err *e)
{
	int pair[2], pipes[2], rc;
	ms_t since = now_mono();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "%s: socketpair", r->name);
	plan->channel = pair[1];
	rc = pipe2(pipes, O_CLOEXEC) < 0 ? err_sys(e, errno, "%s: pipe", r->name) : 0;
	if (rc == 0) {
		fcntl(pipes[0], F_SETFL, O_NONBLOCK);
		r->out = pipes[0];
		plan->out = pipes[1];
		rc = begin(r, plan, pair[0], e);
	}
	close(pair[0]);
	if (rc == 0) {
		r->deadline = timeout ? since + timeout : 0;
		wait_for_end(r);
		rc = reap(r, e);
	}
	r->result.took = now_mono() - since;
	return rc;
}

int proc_run(const struct proc_spec *spec, const atomic_bool *cancel, struct proc_result *out,
	struct err *e)
{
	struct run r = {.name = spec->argv[0],
		.max_output = spec->max_output,
		.cancel = cancel,
		.pidfd = -1,
		.out = -1};
	struct proc_plan plan;
	int rc;

	rc = proc_child_plan(spec, &plan, e);
	if (rc == 0)
		rc = run_planned(&r, &plan, spec->timeout, e);
	close_fd(&plan.channel);
	close_fd(&plan.out);
	close_fd(&r.pidfd);
	close_fd(&r.out);
	proc_child_fini(&plan);
	if (rc < 0)
		buf_fini(&r.result.output);
	else
		*out = r.result;
	return rc;
}
