#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/deadman/deadman_priv.h"
#include "lib/sys/fs.h"

#define CHUNK 65536

static int read_all(int fd, struct buf *out, struct err *e)
{
	ssize_t n;

	while ((n = read(fd, buf_reserve(out, CHUNK), CHUNK)) > 0)
		out->n += (size_t)n;
	return n < 0 ? err_sys(e, errno, "reading this program") : 0;
}

static int read_self(struct buf *out, struct err *e)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "/proc/self/exe");
	int rc = read_all(fd, out, e);

	close(fd);
	return rc;
}

int install_into(const char *dir, struct err *e)
{
	BUF_AUTO program = {0}, archive = {0};
	struct fs fs;

	TRY(read_self(&program, e));
	deadman_cpio(buf_str(&program), &archive);
	TRY(fs_posix_open(dir, &fs, e));
	int rc = fs_write_file(&fs, DEADMAN_CPIO, archive.p, archive.n, 0644, e);

	fs_posix_close(&fs);
	return rc;
}
