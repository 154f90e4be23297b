#include "agent/smoke/smoke_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys/fs.h"

static int note_name(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	(void)kind;
	(void)e;
	buf_add(ctx, name, strlen(name) + 1);
	return 0;
}

static int empty(const char *dir, struct err *e)
{
	BUF_AUTO names = {0};
	struct fs fs;
	int rc;

	TRY(fs_posix_open(dir, &fs, e));
	rc = fs.ops->list(&fs, "", note_name, &names, e);
	for (size_t at = 0; rc == 0 && at < names.n; at += strlen((char *)names.p + at) + 1)
		rc = fs_remove_tree(&fs, (char *)names.p + at, e);
	fs_posix_close(&fs);
	return rc;
}

int smoke_tmp_clear(const char *dir, unsigned uid, unsigned gid, struct err *e)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "%s", dir);
	TRY(empty(dir, e));
	if ((uid || gid) && chown(dir, uid ? uid : (uid_t)-1, gid ? gid : (gid_t)-1) < 0)
		return err_sys(e, errno, "%s: owner", dir);
	return 0;
}
