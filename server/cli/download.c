/* An artifact from the server into a folder. */
#include <stdio.h>

#include "lib/sys/fs.h"
#include "proto/trust/digest.h"
#include "server/cli/cli_priv.h"

#define PIECE ((size_t)256 * 1024)

struct download {
	struct http_stream *stream;
	struct fs *to;
	int fd;
	struct digest sum;
	uint64_t at;
};

static int copy(struct download *d, struct err *e)
{
	CLEANUP(mem_free) uint8_t *piece = mem_new(PIECE);
	size_t n;

	do {
		TRY(http_stream_read(d->stream, piece, PIECE, &n, e));
		digest_add(&d->sum, piece, n);
		TRY(d->to->ops->pwrite(d->to, d->fd, piece, n, d->at, e));
		d->at += n;
	} while (n > 0);
	return d->to->ops->sync(d->to, d->fd, e);
}

static int fill(struct download *d, const struct sha256 *digest, const char *temp, struct err *e)
{
	struct sha256 is;
	struct err why;

	TRY(d->to->ops->open(d->to, temp, FS_CREATE | FS_TRUNC, &d->fd, e));
	digest_init(&d->sum);
	int rc = copy(d, e);

	digest_fini(&d->sum, &is);
	if (d->to->ops->close(d->to, d->fd, &why) < 0 && rc == 0)
		return err_copy(e, &why);
	if (rc == 0 && !sha256_eq(&is, digest))
		return err_set(e, ERR_ALTERED, "the server sent other bytes than it was asked for");
	return rc;
}

int cli_download(const struct cli *c, const struct sha256 *digest, uint64_t length, struct fs *to,
	const char *name, struct err *e)
{
	struct download d = {.to = to};
	char temp[FS_PATH_MAX], dir[FS_PATH_MAX], hex[SHA256_TEXT], url[1024];
	const char *args[] = {hex};
	struct http_conf conf;

	sha256_format(digest, hex);
	TRY(cli_http(c, &conf, e));
	TRY(cli_url(c, ROUTE_ARTIFACT, args, NULL, url, sizeof url, e));
	fs_dirname(name, dir, sizeof dir);
	TRY(fs_make_dirs(to, dir, e));
	snprintf(temp, sizeof temp, "%s.part", name);
	TRY(http_stream_open(&conf, url, 0, length, NULL, &d.stream, e));
	int rc = fill(&d, digest, temp, e);

	http_stream_close(&d.stream);
	if (rc == 0)
		rc = to->ops->rename(to, temp, name, e);
	else
		(void)!to->ops->unlink(to, temp, NULL);
	return rc < 0 ? rc : to->ops->sync_dir(to, dir, e);
}
