#include "agent/svc/svc_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static void old_name(const char *path, char out[SVC_PATH_MAX])
{
	snprintf(out, SVC_PATH_MAX, "%s.1", path);
}

static int copy(int from, int to, off_t size)
{
	while (size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)size);

		if (n <= 0)
			return -1;
		size -= n;
	}
	return 0;
}

/* Copied and cut instead of renamed: the workload keeps its descriptor, and goes on at the new end
 * because it appends. What it writes between the two is lost; a log can bear that. */
static int keep_and_cut(int fd, const char *path, off_t size, struct err *e)
{
	char old[SVC_PATH_MAX];
	int to, rc = 0;

	old_name(path, old);
	to = open(old, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (to < 0)
		return err_sys(e, errno, "%s", old);
	if (copy(fd, to, size) < 0 || ftruncate(fd, 0) < 0)
		rc = err_sys(e, errno, "%s", path);
	if (close(to) < 0 && rc == 0)
		rc = err_sys(e, errno, "%s", old);
	return rc;
}

int svc_log_trim(const char *path, uint64_t max, struct err *e)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), rc = 0;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "%s", path);
	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size > max)
		rc = keep_and_cut(fd, path, st.st_size, e);
	close(fd);
	return rc;
}

/* Adds the last `max` bytes of one file; a missing one has none. */
static int add_end(const char *path, size_t max, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	off_t size;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "%s", path);
	size = lseek(fd, 0, SEEK_END);
	n = pread(fd, buf_reserve(out, max), max, MAX(size - (off_t)max, 0));
	if (n < 0)
		rc = err_sys(e, errno, "%s", path);
	else
		out->n += (size_t)n;
	close(fd);
	return rc;
}

void svc_log_add_end(const struct buf *text, size_t max, struct buf *out)
{
	size_t skip = text->n > max ? text->n - max : 0;
	const uint8_t *line;

	if (text->n == 0)
		return;
	line = skip ? memchr(text->p + skip - 1, '\n', text->n - skip + 1) : NULL;
	if (line)
		skip = (size_t)(line - text->p) + 1;
	buf_add(out, text->p + skip, text->n - skip);
}

int svc_log_tail_of(const char *path, size_t max, struct buf *out, struct err *e)
{
	BUF_AUTO both = {0};
	char old[SVC_PATH_MAX];

	old_name(path, old);
	TRY(add_end(old, max, &both, e));
	TRY(add_end(path, max, &both, e));
	svc_log_add_end(&both, max, out);
	return 0;
}
