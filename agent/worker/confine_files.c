/* Landlock: a worker reads what resolving names and checking certificates take, and no other file;
 * it writes none, waits for no connection, and reaches no process outside. Where the kernel has no
 * Landlock its user and the system calls that are left must do. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/worker/worker_priv.h"

/* As of version 6; an older kernel knows a prefix of it, and is given no more than that. Headers
 * may be older than the kernel, too: hence the numbers (linux/landlock.h). */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define ACCESS_V1    ((1ULL << 13) - 1)
#define ACCESS_REFER (1ULL << 13) /* version 2 */
#define ACCESS_TRUNC (1ULL << 14) /* 3 */
#define ACCESS_IOCTL (1ULL << 15) /* 5 */
#define ACCESS_BIND  (1ULL << 0)  /* 4 */
#define SCOPE_BOTH   (3ULL << 0)  /* 6: abstract sockets, signals */

static const struct step {
	unsigned version;
	size_t size;
	struct ruleset adds;
} steps[] = {
	{1, 8, {ACCESS_V1, 0, 0}},
	{2, 8, {ACCESS_REFER, 0, 0}},
	{3, 8, {ACCESS_TRUNC, 0, 0}},
	{4, 16, {0, ACCESS_BIND, 0}},
	{5, 16, {ACCESS_IOCTL, 0, 0}},
	{6, 24, {0, 0, SCOPE_BOTH}},
};

/* Names are resolved with what stands in /etc and, by links there, in /run; the rest is for TLS. */
static const char *const readable[] = {"/etc", "/run/systemd/resolve", "/run/NetworkManager",
	"/run/resolvconf", "/usr/lib/ssl", "/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates"};

static int open_ruleset(unsigned version, struct err *e)
{
	struct ruleset r = {0};
	size_t size = 0;

	for (size_t i = 0; i < ARRAY_LEN(steps) && steps[i].version <= version; i++) {
		r.fs |= steps[i].adds.fs;
		r.net |= steps[i].adds.net;
		r.scoped |= steps[i].adds.scoped;
		size = steps[i].size;
	}
	int fd = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);

	return fd < 0 ? err_sys(e, errno, "landlock") : fd;
}

/* What is not there need not be read. */
static int allow(int ruleset, const char *path, struct err *e)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = open(path, O_PATH | O_CLOEXEC)};

	if (rule.parent_fd < 0)
		return 0;
	long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	int sys = errno;

	close(rule.parent_fd);
	return rc < 0 ? err_sys(e, sys, "landlock: %s", path) : 0;
}

static int enforce(int ruleset, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(readable); i++)
		TRY(allow(ruleset, readable[i], e));
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_sys(e, errno, "landlock");
	return 0;
}

int confine_files(unsigned *out_version, struct err *e)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version <= 0) {
		*out_version = 0;
		return 0;
	}
	int ruleset = open_ruleset((unsigned)version, e);

	TRY(ruleset);
	int rc = enforce(ruleset, e);
	close(ruleset);
	if (rc == 0)
		*out_version = (unsigned)version;
	return rc;
}
