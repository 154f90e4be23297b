#include "server/cli/tuf_client.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/path.h"

#define STORED_MAX ((size_t)LIMIT_TARGETS_BYTES) /* no role's bound is larger */
#define CHUNK      ((size_t)64 * 1024)

int tuf_client_open(
	struct tuf_client *c, const char *dir, const char *meta_url, int64_t now_s, struct err *e)
{
	memset(c, 0, sizeof *c);
	TRY(fs_posix_open(dir, &c->meta, e));
	c->http = (struct http_conf){.user_agent = "backstay"};
	c->meta_url = meta_url;
	refresh_init(&c->refresh, now_s);
	return 0;
}

void tuf_client_close(struct tuf_client *c)
{
	refresh_fini(&c->refresh);
	fs_posix_close(&c->meta);
}

static void add_url(struct buf *out, const char *base, const char *rest)
{
	size_t n = strlen(base);

	buf_addf(out, "%s%s%s", base, n && base[n - 1] == '/' ? "" : "/", rest);
}

/* ---- metadata ---- */

static int store(struct tuf_client *c, const char *name, struct str bytes, struct err *e)
{
	return fs_write_file(&c->meta, name, bytes.p, bytes.n, 0644, e);
}

int tuf_client_init(struct tuf_client *c, struct str root, struct err *e)
{
	BUF_AUTO old = {0};
	struct fs_stat st;

	TRY(refresh_begin(&c->refresh, root, e));
	TRY(c->meta.ops->stat(&c->meta, "root.json", &st, e));
	if (st.kind == FS_NONE)
		return store(c, "root.json", root, e);
	TRY(fs_read_file(&c->meta, "root.json", LIMIT_ROOT_BYTES, &old, e));
	if (!str_eq(buf_str(&old), root))
		return err_set(e, ERR_CONFLICT, "another root is trusted here already");
	return 0;
}

static int begin(struct tuf_client *c, struct err *e)
{
	BUF_AUTO root = {0};

	TRY(fs_read_file(&c->meta, "root.json", LIMIT_ROOT_BYTES, &root, e));
	if (refresh_begin(&c->refresh, buf_str(&root), e) < 0)
		return err_wrap(e, "trusted root.json");
	return 0;
}

static bool offer(struct tuf_client *c, const struct refresh_want *w)
{
	BUF_AUTO bytes = {0};

	return w->may_offer && fs_read_file(&c->meta, w->store, STORED_MAX, &bytes, NULL) == 0 &&
	       refresh_offer(&c->refresh, buf_str(&bytes));
}

/* Some stores of files answer 403 for what they do not have. */
static int take_answer(struct tuf_client *c, const struct refresh_want *w,
	const struct http_answer *a, struct err *e)
{
	bool keep;

	if (w->may_miss && (a->status == 404 || a->status == 403))
		return refresh_miss(&c->refresh, e);
	TRY(http_check(a, "the server", e));
	TRY(refresh_accept(&c->refresh, buf_str(&a->body), &keep, e));
	return keep ? store(c, w->store, buf_str(&a->body), e) : 0;
}

static int fetch(struct tuf_client *c, const struct refresh_want *w, struct err *e)
{
	struct http_answer a = {0};
	BUF_AUTO url = {0};
	int rc;

	add_url(&url, c->meta_url, w->remote);
	rc = http_get(&c->http, buf_cstr(&url), NULL, w->max, NULL, &a, e);
	if (rc == 0)
		rc = take_answer(c, w, &a, e);
	http_answer_fini(&a);
	return rc < 0 ? err_wrap(e, "%s", w->remote) : 0;
}

static int run(struct tuf_client *c, struct err *e)
{
	struct refresh_want w;
	bool done;

	for (;;) {
		TRY(refresh_plan(&c->refresh, &w, &done, e));
		if (done)
			return 0;
		if (!offer(c, &w))
			TRY(fetch(c, &w, e));
	}
}

int tuf_client_refresh(struct tuf_client *c, struct err *e)
{
	TRY(begin(c, e));
	return run(c, e);
}

/* ---- targets ---- */

/* A name that begins with a dot is quoted, too: those are for files that are not whole yet. */
static int name_in_dir(const char *path, char out[FS_PATH_MAX], struct err *e)
{
	BUF_AUTO name = {0};

	if (path[0] == '.')
		buf_add_str(&name, "%2E");
	path_quote(str_of(path + (path[0] == '.')), false, &name);
	return str_copy(buf_str(&name), out, FS_PATH_MAX, e);
}

static int hash_file(struct fs *fs, int fd, struct hashing *h, struct err *e)
{
	BUF_AUTO chunk = {0};
	uint8_t *p = buf_reserve(&chunk, CHUNK);
	uint64_t at = 0;
	size_t got;

	do {
		TRY(fs->ops->pread(fs, fd, p, CHUNK, at, &got, e));
		hashing_add(h, p, got);
		at += got;
	} while (got == CHUNK);
	return 0;
}

/* Is the file there, and the one that is wanted? What cannot be read is not. */
static bool is_there(struct fs *fs, const char *name, const struct meta_pin *want)
{
	struct hashes taken = {0};
	struct fs_stat st;
	struct hashing h;
	struct err why;
	int fd;

	if (fs->ops->stat(fs, name, &st, &why) < 0 || st.kind != FS_FILE ||
		st.size != want->length || fs->ops->open(fs, name, FS_READ, &fd, &why) < 0)
		return false;
	hashing_init(&h);
	bool read = hash_file(fs, fd, &h, &why) == 0;
	hashing_fini(&h, &taken);
	(void)!fs->ops->close(fs, fd, &why);
	return read && hashes_fit(&want->hashes, &taken);
}

static int copy_stream(
	struct http_stream *s, struct fs *fs, int fd, struct hashing *h, struct err *e)
{
	BUF_AUTO chunk = {0};
	uint8_t *p = buf_reserve(&chunk, CHUNK);
	uint64_t at = 0;
	size_t got;

	for (;;) {
		TRY(http_stream_read(s, p, CHUNK, &got, e));
		if (got == 0)
			return 0;
		TRY(fs->ops->pwrite(fs, fd, p, got, at, e));
		hashing_add(h, p, got);
		at += got;
	}
}

/* The stream ends after the signed length and not before, or fails. */
static int fill(struct tuf_client *c, const char *url, const struct meta_pin *want, struct fs *fs,
	int fd, struct err *e)
{
	struct http_stream *s = NULL;
	struct hashes taken;
	struct hashing h;
	int rc;

	TRY(http_stream_open(&c->http, url, 0, want->length, NULL, &s, e));
	hashing_init(&h);
	rc = copy_stream(s, fs, fd, &h, e);
	hashing_fini(&h, &taken);
	http_stream_close(&s);
	if (rc == 0 && !hashes_fit(&want->hashes, &taken))
		rc = err_set(e, ERR_ALTERED, "not the bytes whose hashes are listed");
	return rc < 0 ? rc : fs->ops->sync(fs, fd, e);
}

/* Beside the name it will have, then in its place. */
static int bring(struct tuf_client *c, const char *url, const struct meta_pin *want, struct fs *fs,
	const char *name, struct err *e)
{
	char temp[FS_PATH_MAX + 8];
	struct err why;
	int fd, rc;

	snprintf(temp, sizeof temp, ".%s.new", name);
	TRY(fs->ops->open(fs, temp, FS_CREATE | FS_TRUNC, &fd, e));
	rc = fill(c, url, want, fs, fd, e);
	if (fs->ops->close(fs, fd, &why) < 0 && rc == 0)
		rc = err_copy(e, &why);
	if (rc == 0)
		rc = fs->ops->rename(fs, temp, name, e);
	if (rc < 0)
		(void)!fs->ops->unlink(fs, temp, &why);
	return rc < 0 ? rc : fs->ops->sync_dir(fs, "", e);
}

int tuf_client_download(struct tuf_client *c, const char *path, struct fs *targets,
	const char *targets_url, struct err *e)
{
	char name[FS_PATH_MAX];
	BUF_AUTO remote = {0}, url = {0};
	struct meta_pin file;

	TRY(refresh_seek(&c->refresh, path, e));
	TRY(run(c, e));
	TRY(refresh_found(&c->refresh, &file, e));
	TRY(refresh_target(&c->refresh, &remote, e));
	TRY(name_in_dir(path, name, e));
	if (is_there(targets, name, &file))
		return 0;
	add_url(&url, targets_url, buf_cstr(&remote));
	if (bring(c, buf_cstr(&url), &file, targets, name, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}
