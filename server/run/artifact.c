#include "server/run/artifact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/sys/fs.h"
#include "proto/trust/digest.h"

#define CHUNK (256 * 1024)

int artifact_path(
	const char *folder, const struct sha256 *digest, char *out, size_t cap, struct err *e)
{
	char hex[SHA256_TEXT];

	sha256_format(digest, hex);
	if ((size_t)snprintf(out, cap, "%s/%.2s/%s", folder, hex, hex) >= cap)
		return err_set(e, ERR_TOO_LARGE, "%s: the path is too long", folder);
	return 0;
}

int artifact_read(
	const char *folder, const struct sha256 *digest, size_t max, struct buf *out, struct err *e)
{
	char path[FS_PATH_MAX];
	size_t before = out->n;
	ssize_t n = 0;
	int fd;

	TRY(artifact_path(folder, digest, path, sizeof path, e));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	while (out->n - before <= max && (n = read(fd, buf_reserve(out, CHUNK), CHUNK)) > 0)
		out->n += (size_t)n;
	close(fd);
	if (out->n - before > max)
		return err_set(e, ERR_TOO_LARGE, "%s: more than %zu bytes", path, max);
	return n < 0 ? err_sys(e, errno, "reading %s", path) : 0;
}

int artifact_check(const char *folder, const struct sha256 *digest, uint64_t length, struct err *e)
{
	char path[FS_PATH_MAX], hex[SHA256_TEXT];
	struct stat st;

	TRY(artifact_path(folder, digest, path, sizeof path, e));
	sha256_format(digest, hex);
	if (stat(path, &st) < 0)
		return err_sys(e, errno, "artifact %s", hex);
	if ((uint64_t)st.st_size != length)
		return err_set(e, ERR_ALTERED, "artifact %s has %lld bytes, %llu are stated", hex,
			(long long)st.st_size, (unsigned long long)length);
	return 0;
}

static int digest_file(int fd, struct sha256 *out, struct err *e)
{
	char *chunk CLEANUP(mem_free) = mem_new(CHUNK);
	struct digest d;
	ssize_t n;

	digest_init(&d);
	while ((n = read(fd, chunk, CHUNK)) > 0)
		digest_add(&d, chunk, (size_t)n);
	digest_fini(&d, out);
	return n < 0 ? err_sys(e, errno, "reading an artifact") : 0;
}

/* Its bytes are what they should be, and on the disk. */
static int check_and_sync(const char *file, const struct sha256 *want, struct err *e)
{
	struct sha256 got = {{0}};
	int fd = open(file, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_sys(e, errno, "%s", file);
	rc = digest_file(fd, &got, e);
	if (rc == 0 && !sha256_eq(&got, want))
		rc = err_set(e, ERR_ALTERED, "the bytes do not have the digest they are sent as");
	if (rc == 0 && fsync(fd) < 0)
		rc = err_sys(e, errno, "%s: sync", file);
	close(fd);
	return rc;
}

static int sync_dir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd) < 0)
		rc = err_sys(e, errno, "%s: sync", dir);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int make_dir(const char *folder, const char *dir, struct err *e)
{
	if (mkdir(dir, 0755) == 0)
		return sync_dir(folder, e);
	return errno == EEXIST ? 0 : err_sys(e, errno, "%s", dir);
}

int artifact_put(const char *folder, const struct sha256 *digest, const char *file, struct err *e)
{
	char path[FS_PATH_MAX], dir[FS_PATH_MAX];

	TRY(artifact_path(folder, digest, path, sizeof path, e));
	if (access(path, F_OK) == 0)
		return 0;
	TRY(check_and_sync(file, digest, e));
	fs_dirname(path, dir, sizeof dir);
	TRY(make_dir(folder, dir, e));
	if (rename(file, path) < 0)
		return err_sys(e, errno, "%s", path);
	return sync_dir(dir, e);
}
