/* Preloaded into an agent, it cuts its power at an exact place: BACKSTAY_TEST_CUT is which moment,
 * of those at which it renames a file of what it trusts. Odd ones lie right before a rename, even
 * ones right behind it. Everything else of the program is as it is. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_trust(int dir)
{
	char link[40], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
	n = readlink(link, path, sizeof path - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	return strstr(path, "/trust/") != NULL;
}

static void moment(void)
{
	static unsigned long seen;
	const char *wanted = getenv("BACKSTAY_TEST_CUT");

	if (wanted && ++seen == strtoul(wanted, NULL, 10))
		raise(SIGKILL);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int trust = is_trust(to_dir), rc;

	if (trust)
		moment();
	rc = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
	if (rc == 0 && trust)
		moment();
	return rc;
}
