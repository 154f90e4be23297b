#include <fcntl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/deadman/deadman_priv.h"

#define SYNC_MS   5000
#define RESTART_S 15
#define STEP_MS   50

static void by_sysrq(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "b", 1);
}

static void write_back(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		sync();
		_exit(0);
	}
	for (int ms = 0; pid > 0 && ms < SYNC_MS && waitpid(pid, NULL, WNOHANG) == 0; ms += STEP_MS)
		nanosleep(&(struct timespec){0, STEP_MS * 1000000L}, NULL);
}

static void insist(void)
{
	if (fork() != 0)
		return;
	nanosleep(&(struct timespec){RESTART_S, 0}, NULL);
	by_sysrq();
	_exit(0);
}

void restart_now(enum deadman_cause why)
{
	kmsg_say(deadman_cause_text(why));
	insist();
	write_back();
	reboot(RB_AUTOBOOT);
	for (;;) {
		by_sysrq();
		sleep(1);
	}
}
