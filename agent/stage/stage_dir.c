#include <stdlib.h>

#include "agent/stage/stage_priv.h"

struct dir_stream {
	struct fs *fs;
	int fd;
	uint64_t at;
};

static int dir_open(
	void *self, const struct artifact *a, uint64_t from, void **out_stream, struct err *e)
{
	char name[SHA256_TEXT];
	struct fs *fs = self;
	int fd;

	sha256_format(&a->digest, name);
	TRY(fs->ops->open(fs, name, FS_READ, &fd, e));
	struct dir_stream *s = mem_new(sizeof *s);
	*s = (struct dir_stream){.fs = fs, .fd = fd, .at = from};
	*out_stream = s;
	return 0;
}

static int dir_read(void *stream, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct dir_stream *s = stream;
	size_t got;

	TRY(s->fs->ops->pread(s->fs, s->fd, p, n, s->at, &got, e));
	s->at += got;
	*out_n = got;
	return 0;
}

static void dir_close(void *stream)
{
	struct dir_stream *s = stream;

	(void)!s->fs->ops->close(s->fs, s->fd, NULL); /* was only read */
	free(s);
}

struct stage_source stage_source_dir(struct fs *fs)
{
	return (struct stage_source){
		.kind = "dir", .open = dir_open, .read = dir_read, .close = dir_close, .self = fs};
}
