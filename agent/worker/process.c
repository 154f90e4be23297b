/* The process at the other end of the line: a child, or one that the service manager has started
 * for the connection. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/worker/worker_priv.h"

/* ---- a child ---- */

/* Its end of the line, /dev/null and stderr are all it gets. The signals that end an agent are not
 * for the worker: it goes when the line is closed, after the agent is done with it. */
static int start_program(const struct worker_conf *c, int fd, pid_t *out, struct err *e)
{
	static char *const no_env[] = {NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t blocked;
	int sys;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &blocked);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, fd, WORKER_FD);
	posix_spawn_file_actions_addclosefrom_np(&files, WORKER_FD + 1);
	sys = posix_spawn(
		out, c->program, &files, &attr, (char *const *)(uintptr_t)c->argv, no_env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return sys ? err_sys(e, sys, "%s", c->program) : 0;
}

int process_spawn(const struct worker_conf *c, int *out_fd, struct process *out, struct err *e)
{
	struct process p = {.pidfd = -1};
	int pair[2];

	TRY(chan_pair(pair, e));
	int rc = start_program(c, pair[1], &p.pid, e);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return rc;
	}
	*out = p;
	*out_fd = pair[0];
	return 0;
}

/* ---- the service manager's ---- */

/* From now on what it says comes with the kernel's word who it is. */
static int connect_fd(int fd, const char *path, struct err *e)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int yes = 1;

	TRY(str_copy(str_of(path), to.sun_path, sizeof to.sun_path, e));
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0 ||
		connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return err_sys(e, errno, "%s", path);
	return 0;
}

int process_connect(const char *path, int *out_fd, struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, errno, "socket");
	int rc = connect_fd(fd, path, e);

	if (rc < 0)
		close(fd);
	else
		*out_fd = fd;
	return rc;
}

int process_adopt(pid_t pid, struct process *out, struct err *e)
{
	int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;

	if (pidfd < 0)
		return err_sys(e, pid > 0 ? errno : ESRCH, "process %d", (int)pid);
	*out = (struct process){pid, pidfd};
	return 0;
}

/* ---- its end ---- */

bool process_is_over(const struct process *p)
{
	struct pollfd look = {.fd = p->pidfd, .events = POLLIN};
	siginfo_t info = {0};

	if (p->pidfd >= 0)
		return poll(&look, 1, 0) > 0;
	return waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0;
}

/* Somebody else's child is gathered up by him. */
void process_end(struct process *p)
{
	if (p->pidfd >= 0) {
		(void)!pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
		close(p->pidfd);
	} else if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	*p = (struct process){.pidfd = -1};
}
