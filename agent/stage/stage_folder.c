/* Artifacts in a folder that was carried here. A medium is nobody's friend: before anything of an
 * artifact is taken apart in this process, the whole of it is compared with what was signed. (The
 * pipe does so again, for a medium that gives other bytes the second time.) */
#include <stdio.h>
#include <stdlib.h>

#include "agent/stage/stage_priv.h"

#define PIECE ((size_t)256 * 1024)

struct folder_stream {
	struct fs *fs;
	int fd;
	uint64_t at;
};

static int check_bytes(const struct folder_stream *s, const struct artifact *a, struct err *e)
{
	CLEANUP(mem_free) uint8_t *piece = mem_new(PIECE);
	struct digest sum;
	struct sha256 is;
	uint64_t at = 0;
	size_t n = 1;
	int rc = 0;

	digest_init(&sum);
	while (rc == 0 && n > 0 && at <= a->length) {
		rc = s->fs->ops->pread(s->fs, s->fd, piece, PIECE, at, &n, e);
		if (rc == 0)
			digest_add(&sum, piece, n);
		at += rc == 0 ? n : 0;
	}
	digest_fini(&sum, &is);
	if (rc == 0 && (at != a->length || !sha256_eq(&is, &a->digest)))
		return err_set(e, ERR_ALTERED, "the carried artifact is not what was signed");
	return rc;
}

static int open_plain(struct folder_stream *s, const struct artifact *a, struct err *e)
{
	char hex[SHA256_TEXT], path[SHA256_TEXT + 16];
	struct fs_stat st;

	sha256_format(&a->digest, hex);
	snprintf(path, sizeof path, "artifacts/%s", hex);
	TRY(s->fs->ops->stat(s->fs, path, &st, e));
	if (st.kind != FS_FILE)
		return err_set(e, ERR_NOT_FOUND, "%s was not carried along", path);
	return s->fs->ops->open(s->fs, path, FS_READ, &s->fd, e);
}

static int folder_open_stream(
	void *self, const struct artifact *a, uint64_t from, void **out, struct err *e)
{
	struct folder_stream s = {.fs = self, .at = from};

	TRY(open_plain(&s, a, e));
	int rc = check_bytes(&s, a, e);

	if (rc < 0) {
		(void)!s.fs->ops->close(s.fs, s.fd, NULL);
		return rc;
	}
	struct folder_stream *kept = mem_new(sizeof *kept);
	*kept = s;
	*out = kept;
	return 0;
}

static int folder_read(void *stream, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct folder_stream *s = stream;
	size_t got;

	TRY(s->fs->ops->pread(s->fs, s->fd, p, n, s->at, &got, e));
	s->at += got;
	*out_n = got;
	return 0;
}

static void folder_close_stream(void *stream)
{
	struct folder_stream *s = stream;

	(void)!s->fs->ops->close(s->fs, s->fd, NULL); /* was only read */
	free(s);
}

struct stage_source stage_source_folder(struct fs *fs)
{
	return (struct stage_source){.kind = "folder",
		.open = folder_open_stream,
		.read = folder_read,
		.close = folder_close_stream,
		.self = fs};
}
