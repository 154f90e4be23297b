#include "agent/net/folder.h"

#include <string.h>

#include "proto/wire/path.h"

/* Nothing but plain files: what else bears such a name is not there. */
static int read_plain(
	struct folder *f, const char *path, size_t max, struct http_answer *out, struct err *e)
{
	struct fs_stat st;

	TRY(f->fs.ops->stat(&f->fs, path, &st, e));
	out->status = st.kind == FS_FILE ? 200 : 404;
	return st.kind == FS_FILE ? fs_read_file(&f->fs, path, max, &out->body, e) : 0;
}

static int get(void *self, const struct http_conf *c UNUSED, const char *url,
	const char *etag UNUSED, size_t max, const atomic_bool *cancel UNUSED,
	struct http_answer *out, struct err *e)
{
	bool is_here = str_has_prefix(str_of(url), FOLDER_URL "/");
	const char *path = is_here ? url + strlen(FOLDER_URL "/") : "";
	struct folder *f = self;
	struct http_answer a = {0};

	if (path_check(str_of(path), FS_PATH_MAX - 1, e) < 0)
		return err_set(e, ERR_BAD_INPUT, "%.200s is no name of a file", url);
	if (read_plain(f, path, max, &a, e) < 0) {
		http_answer_fini(&a);
		return -(int)e->code;
	}
	*out = a;
	return 0;
}

static int send(void *self UNUSED, const struct http_conf *c UNUSED, const char *method UNUSED,
	const char *url UNUSED, struct str body UNUSED, size_t max UNUSED,
	const atomic_bool *cancel UNUSED, struct http_answer *out UNUSED, struct err *e)
{
	return err_set(e, ERR_DENIED, "nothing is sent to a folder");
}

int folder_open(struct folder *f, const char *dir, struct err *e)
{
	*f = (struct folder){.via = {.get = get, .send = send, .self = f}};
	f->conf.via = &f->via;
	return fs_posix_open(dir, &f->fs, e);
}

void folder_close(struct folder *f)
{
	fs_posix_close(&f->fs);
}
