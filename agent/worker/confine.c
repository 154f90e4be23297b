#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/worker/worker_priv.h"

#define DESCRIPTORS 64U

static int become(unsigned uid, unsigned gid, struct err *e)
{
	if (uid == 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_sys(e, errno, "becoming user %u", uid);
	if (setuid(0) == 0)
		return err_set(e, ERR_DENIED, "user %u can become root again", uid);
	return 0;
}

/* No file grows, no memory is written out when it dies, and few descriptors are open at once. */
static int limit(struct err *e)
{
	static const struct {
		int what;
		rlim_t most;
	} limits[] = {{RLIMIT_FSIZE, 0}, {RLIMIT_CORE, 0}, {RLIMIT_NOFILE, DESCRIPTORS}};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit r = {limits[i].most, limits[i].most};

		if (setrlimit((__rlimit_resource_t)limits[i].what, &r) < 0)
			return err_sys(e, errno, "setrlimit");
	}
	return 0;
}

/* The system calls go last: everything before needs some that are not left afterwards. */
int confine(unsigned uid, unsigned gid, unsigned *out_landlock, struct err *e)
{
	unsigned landlock = 0;

	TRY(become(uid, gid, e));
	TRY(limit(e));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, errno, "prctl");
	TRY(confine_files(&landlock, e));
	TRY(confine_calls(e));
	*out_landlock = landlock;
	return 0;
}
