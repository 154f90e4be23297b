/* Whether the start before this one ended in a crash: what the kernel leaves in persistent memory,
 * and where systemd-pstore brings it early in the next start. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/boot/boot_priv.h"

static int64_t machine_started(void)
{
	struct timespec now, up;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return now.tv_sec - up.tv_sec;
}

/* Is there an entry that was made at `since` or later? A folder that is not there holds none. */
static bool has_entry(const char *dir, int64_t since)
{
	bool has = false;
	struct dirent *d;
	struct stat st;
	DIR *at = opendir(dir);

	if (!at)
		return false;
	while (!has && (d = readdir(at)))
		has = d->d_name[0] != '.' &&
		      fstatat(dirfd(at), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		      st.st_mtime >= since;
	closedir(at);
	return has;
}

bool boot_look_crashed(const struct boot_conf *c)
{
	return has_entry(c->pstore, INT64_MIN) || has_entry(c->pstore_kept, machine_started());
}
