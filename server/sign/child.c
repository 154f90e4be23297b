#include "server/sign/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/sys/fs.h"
#include "lib/sys/log.h"

#define NAME     "backstay-signer"
#define CHILD_FD 3
#define PATIENCE 2000 /* ms */
#define STEP     5    /* ms */

static int beside_this(char *out, size_t cap, struct err *e)
{
	char self[FS_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n < 0)
		return err_sys(e, errno, "/proc/self/exe");
	self[n] = 0;
	*strrchr(self, '/') = 0;
	if ((size_t)snprintf(out, cap, "%s/%s", self, NAME) >= cap)
		return err_set(e, ERR_TOO_LARGE, "%s: path too long", self);
	return 0;
}

/* In the child, which has one thread. It is not this service's: the service manager hears of the
 * server only. */
__attribute__((noreturn)) static void become(const char *program, const char *conf, int fd)
{
	char number[8];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	snprintf(number, sizeof number, "%d", CHILD_FD);
	if (fd == CHILD_FD)
		fcntl(fd, F_SETFD, 0);
	if (dup2(fd, CHILD_FD) == CHILD_FD)
		execl(program, NAME, "--config", conf, "--fd", number,
			log_is_json() ? "--log-json" : NULL, NULL);
	_exit(127);
}

int child_start(const char *program, const char *conf, pid_t *out_pid, int *out_fd, struct err *e)
{
	char path[FS_PATH_MAX];
	int pair[2];
	pid_t pid;

	if (*program)
		TRY(str_copy(str_of(program), path, sizeof path, e));
	else
		TRY(beside_this(path, sizeof path, e));
	if (access(path, X_OK) < 0)
		return err_sys(e, errno, "%s", path);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "socket");
	pid = fork();
	if (pid == 0)
		become(path, conf, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return err_sys(e, errno, "fork");
	}
	*out_pid = pid;
	*out_fd = pair[0];
	return 0;
}

void child_end(pid_t *pid)
{
	const struct timespec step = {.tv_nsec = STEP * 1000000L};

	if (*pid <= 0)
		return;
	for (unsigned waited = 0; waitpid(*pid, NULL, WNOHANG) == 0; waited += STEP) {
		if (waited >= PATIENCE)
			kill(*pid, SIGKILL);
		nanosleep(&step, NULL);
	}
	*pid = 0;
}
