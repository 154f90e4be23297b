#include "lib/sys/proc_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sys/clock.h"

#define DEATH_AFTER_KILL SEC(10)

/* The parent's child only forks the real one and ends, so that init adopts it: nobody of ours has
 * to reap it. */
static int fork_twice(const struct proc_plan *plan, struct err *e)
{
	pid_t first = proc_child_fork();
	int status = 0;

	if (first == 0) {
		pid_t second = _Fork();

		if (second == 0)
			proc_child_become(plan);
		proc_child_leave(second < 0);
	}
	if (first < 0)
		return err_sys(e, errno, "%s: fork", plan->path);
	while (waitpid(first, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "%s: wait", plan->path);
	return status == 0 ? 0 : err_set(e, ERR_IO, "%s: could not fork twice", plan->path);
}

/* Hears who it is, has that written down, gives leave, and hears whether it became the program. */
static int midwife(int channel, const char *name, proc_born_f *born, void *ctx, struct proc_id *out,
	struct err *e)
{
	struct proc_news news, last;
	bool end;

	TRY(proc_child_hear(channel, name, &news, &end, e));
	if (end)
		return err_set(e, ERR_IO, "%s: died while it was started", name);
	if (born)
		TRY(born(ctx, &news.id, e));
	if (send(channel, "", 1, MSG_NOSIGNAL) != 1)
		return err_sys(e, errno, "%s: died while it was started", name);
	TRY(proc_child_hear(channel, name, &last, &end, e));
	*out = news.id;
	return 0;
}

static int spawn_planned(
	struct proc_plan *plan, proc_born_f *born, void *ctx, struct proc_id *out, struct err *e)
{
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "%s: socketpair", plan->path);
	plan->channel = pair[1];
	rc = fork_twice(plan, e);
	close(pair[1]);
	if (rc == 0)
		rc = midwife(pair[0], plan->path, born, ctx, out, e);
	close(pair[0]);
	return rc;
}

int proc_spawn(const struct proc_spec *spec, const char *log_path, proc_born_f *born, void *ctx,
	struct proc_id *out, struct err *e)
{
	struct proc_plan plan;
	int rc = proc_child_plan(spec, &plan, e);

	if (rc == 0) {
		plan.out =
			open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
		rc = plan.out < 0 ? err_sys(e, errno, "%s", log_path)
				  : spawn_planned(&plan, born, ctx, out, e);
		if (plan.out >= 0)
			close(plan.out);
	}
	proc_child_fini(&plan);
	return rc;
}

/* ---- processes that are nobody's children ---- */

static bool read_stat(pid_t pid, char *out_state, uint64_t *out_start)
{
	char path[48], text[1024];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text);
	close(fd);
	return n > 0 && proc_child_parse_stat(text, (size_t)n, out_state, out_start);
}

int proc_id_of(pid_t pid, struct proc_id *out, struct err *e)
{
	uint64_t start = 0;
	char state = 0;

	if (pid <= 0 || !read_stat(pid, &state, &start) || state == 'Z' || state == 'X')
		return err_set(e, ERR_NOT_FOUND, "no process %ld", (long)pid);
	*out = (struct proc_id){.pid = pid, .start = start};
	return 0;
}

bool proc_is_alive(const struct proc_id *id)
{
	struct proc_id now;

	return proc_id_of(id->pid, &now, NULL) == 0 && now.start == id->start;
}

/* The leader is gone. As long as members of its group live, the kernel gives its number to nobody
 * else; if a process has that number now, the group was empty, and whatever is called so today is
 * not ours to kill. */
static void kill_rest(const struct proc_id *id)
{
	uint64_t start = 0;
	char state = 0;

	if (!read_stat(id->pid, &state, &start) || start == id->start)
		kill(-id->pid, SIGKILL);
}

static bool wait_gone(int pidfd, ms_t span)
{
	ms_t until = clock_system.mono(clock_system.self) + span, left = span;
	struct pollfd fd = {.fd = pidfd, .events = POLLIN};

	while (poll(&fd, 1, (int)MIN(MAX(left, 0), 1000000)) <= 0) {
		left = until - clock_system.mono(clock_system.self);
		if (left <= 0)
			return false;
	}
	return true;
}

int proc_stop(const struct proc_id *id, ms_t grace, struct err *e)
{
	int pidfd, rc = 0;

	if (id->pid <= 1)
		return 0;
	/* First the handle, then the check: what the handle names cannot change any more. */
	pidfd = pidfd_open(id->pid, 0);
	if (pidfd >= 0 && proc_is_alive(id)) {
		kill(-id->pid, SIGTERM);
		if (!wait_gone(pidfd, grace)) {
			kill(-id->pid, SIGKILL);
			if (!wait_gone(pidfd, DEATH_AFTER_KILL))
				rc = err_set(
					e, ERR_TIMEOUT, "process %ld does not die", (long)id->pid);
		}
	}
	if (pidfd >= 0)
		close(pidfd);
	if (rc == 0)
		kill_rest(id);
	return rc;
}
