/* The first program of a start: see docs/adr for why it stands before init. */
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/deadman/deadman_priv.h"
#include "agent/version.h"

static const char usage[] =
	"Usage: backstay-deadman --install DIR\n"
	"  or:  rdinit=/backstay-deadman on the kernel's command line\n\n"
	"Stands before init, outside both slots, and restarts a machine on trial whose agent is missing,\n"
	"dead or undecided; the boot loader counts that, and takes the old version back.\n\n"
	"--install writes DIR/" DEADMAN_CPIO
	", which the boot loader loads as a second initrd. DIR is on the\n"
	"boot partition, outside both slots. --version prints the version.\n\n"
	"It reads from the kernel's command line:\n"
#define X(id, name, least, most, default_, text) "  backstay." name "=N\t" text "\n"
	DEADMAN_PARAMS(X)
#undef X
		"\nand listens at the abstract socket @" DEADMAN_SOCKET " (SEQPACKET, root only):\n"
#define X(id, name, has_time, text) "  " name "\t" text "\n"
	DEADMAN_WORDS(X)
#undef X
	;

static size_t read_file(const char *path, char *to, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, to, cap);

	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

/* Nothing is mounted yet when the kernel starts us. /proc is left as it was found, for init to
 * mount. */
static size_t read_cmdline(char *to, size_t cap)
{
	size_t n = read_file("/proc/cmdline", to, cap);

	if (n)
		return n;
	(void)!mkdir("/proc", 0555);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return 0;
	n = read_file("/proc/cmdline", to, cap);
	umount2("/proc", MNT_DETACH);
	return n;
}

static void say(const struct deadman_conf *c, size_t read, unsigned bad)
{
	dprintf(STDERR_FILENO, "backstay-deadman: trial=%d deadline=%d lost=%d watchdog=%d%s%s\n",
		(int)c->v[DEADMAN_PARAM_TRIAL], (int)c->v[DEADMAN_PARAM_DEADLINE],
		(int)c->v[DEADMAN_PARAM_LOST], (int)c->v[DEADMAN_PARAM_WATCHDOG],
		bad ? "; there are values out of their bounds" : "",
		read ? "" : "; the command line could not be read");
}

/* A child with init's own root: what init makes of it (the real root, with /dev and /proc) is the
 * child's too, although it has changed it itself never. fork() would leave it behind in the emptied
 * initramfs. */
static long fork_with_our_root(void)
{
	return syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
}

static int install(const char *dir)
{
	struct err e = {0};

	if (install_into(dir, &e) == 0)
		return 0;
	fprintf(stderr, "backstay-deadman: %s\n", e.text);
	return err_exit(e.code);
}

static int misused(void)
{
	fputs(usage, stderr);
	return err_exit(ERR_USAGE);
}

int main(int argc, char **argv)
{
	char line[LIMIT_CMDLINE_BYTES], init[] = "/init";
	struct deadman_conf conf;
	unsigned bad;

	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return puts("backstay-deadman " AGENT_VERSION) < 0;
	if (argc == 3 && strcmp(argv[1], "--install") == 0)
		return install(argv[2]);
	if (getpid() != 1)
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? fputs(usage, stdout) < 0
								   : misused();
	size_t n = read_cmdline(line, sizeof line);

	deadman_conf_parse((struct str){line, n}, &conf, &bad);
	say(&conf, n, bad);
	if (fork_with_our_root() == 0) {
		argv[0][0] = '@'; /* the service manager spares such a process */
		guard_run(&conf);
	}
	argv[0] = init;
	execv(init, argv);
	perror("backstay-deadman: /init");
	return 1;
}
