#include "agent/tele/tele_priv.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NOW    "history.log"
#define BEFORE "history.log.1"

static void format_line(ms_t wall, const char *line, struct buf *out)
{
	size_t n = strnlen(line, HISTORY_LINE_MAX);
	time_t t = (time_t)(wall / 1000);
	char stamp[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	buf_addf(out, "%s.%03uZ ", stamp, (unsigned)(wall % 1000));
	for (size_t i = 0; i < n; i++)
		buf_add_char(out, (unsigned char)line[i] < ' ' || line[i] == 0x7f ? ' ' : line[i]);
	buf_add_char(out, '\n');
}

/* A power cut may have left half a line at the end: the next one begins on a line of its own. */
static int begin_line(struct fs *fs, int fd, uint64_t size, struct buf *out, struct err *e)
{
	char last = '\n';
	size_t n;

	if (size == 0)
		return 0;
	TRY(fs->ops->pread(fs, fd, &last, 1, size - 1, &n, e));
	if (n == 1 && last != '\n')
		buf_add_char(out, '\n');
	return 0;
}

static int append(struct fs *fs, int fd, uint64_t size, ms_t wall, const char *line, struct err *e)
{
	BUF_AUTO text = {0};

	TRY(begin_line(fs, fd, size, &text, e));
	format_line(wall, line, &text);
	TRY(fs->ops->pwrite(fs, fd, text.p, text.n, size, e));
	return fs->ops->sync(fs, fd, e);
}

int history_add(struct fs *fs, ms_t wall, const char *line, struct err *e)
{
	struct fs_stat st;
	int fd, rc;

	TRY(fs->ops->stat(fs, NOW, &st, e));
	if (st.kind == FS_FILE && st.size >= HISTORY_BYTES) {
		TRY(fs->ops->rename(fs, NOW, BEFORE, e));
		st = (struct fs_stat){.kind = FS_NONE};
	}
	TRY(fs->ops->open(fs, NOW, FS_CREATE, &fd, e));
	rc = append(fs, fd, st.size, wall, line, e);
	if (rc < 0) {
		(void)!fs->ops->close(fs, fd, NULL);
		return rc;
	}
	TRY(fs->ops->close(fs, fd, e));
	return st.kind == FS_NONE ? fs->ops->sync_dir(fs, "", e) : 0;
}

static int add_file(struct fs *fs, const char *path, struct buf *out, struct err *e)
{
	int rc = fs_read_file(fs, path, 2 * HISTORY_BYTES, out, e);

	return rc == -(int)ERR_NOT_FOUND ? 0 : rc;
}

int history_read(struct fs *fs, unsigned last_n, struct buf *out, struct err *e)
{
	BUF_AUTO all = {0};
	size_t at;

	TRY(add_file(fs, BEFORE, &all, e));
	TRY(add_file(fs, NOW, &all, e));
	if (last_n == 0 || all.n == 0)
		return 0;
	for (at = all.n; at > 0; at--)
		if (all.p[at - 1] == '\n' && at != all.n && --last_n == 0)
			break;
	buf_add(out, all.p + at, all.n - at);
	return 0;
}
