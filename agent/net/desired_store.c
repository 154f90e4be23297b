#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/net/desired_priv.h"

#define ROLLBACK_MAX ((size_t)LIMIT_ROLLBACK_TO * 512)

static int path_in(
	char out[FS_PATH_MAX], const char *dir, const char *name, const char *end, struct err *e)
{
	int n = snprintf(out, FS_PATH_MAX, "%s/%s%s", dir, name, end);

	return n < FS_PATH_MAX ? 0 : err_set(e, ERR_TOO_LARGE, "%s: too long a name", dir);
}

int desired_store_file(struct fs *fs, const char *path, struct str bytes, struct err *e)
{
	BUF_AUTO old = {0};
	char dir[FS_PATH_MAX];
	struct err why;

	if (fs_read_file(fs, path, bytes.n, &old, &why) == 0 && str_eq(buf_str(&old), bytes))
		return 0;
	fs_dirname(path, dir, sizeof dir);
	TRY(fs_make_dirs(fs, dir, e));
	return fs_write_file(fs, path, bytes.p, bytes.n, 0644, e);
}

int desired_store_load(struct fs *fs, const char *dir, const char *name, size_t max,
	struct buf *out, struct err *e)
{
	char path[FS_PATH_MAX];

	TRY(path_in(path, dir, name, "", e));
	return fs_read_file(fs, path, max, out, e);
}

/* ---- pruning ---- */

static int add_name(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	(void)e;
	if (kind == FS_FILE)
		buf_addf(ctx, "%s\n", name);
	return 0;
}

static int names_in(struct fs *fs, const char *dir, struct buf *out, struct err *e)
{
	struct fs_stat st;

	TRY(fs->ops->stat(fs, dir, &st, e));
	return st.kind == FS_NONE ? 0 : fs->ops->list(fs, dir, add_name, out, e);
}

static bool ends_with(struct str s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && memcmp(s.p + s.n - n, end, n) == 0;
}

/* "7.targets.json", but never "7.root.json": roots are kept for ever. */
static bool is_versioned(struct str name)
{
	return name.n && isdigit((unsigned char)name.p[0]) && ends_with(name, ".json") &&
	       !ends_with(name, ".root.json");
}

static bool is_kept(struct str name, const struct desired_file *keep, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (str_is(name, keep[i].name))
			return true;
	return false;
}

/* Not synced: what comes back after a power cut is pruned again, and leads nowhere. */
static int remove_name(struct fs *fs, const char *dir, struct str name, struct err *e)
{
	char path[FS_PATH_MAX], plain[256];

	TRY(str_copy(name, plain, sizeof plain, e));
	TRY(path_in(path, dir, plain, "", e));
	return fs->ops->unlink(fs, path, e);
}

int desired_store_prune(
	struct fs *fs, const char *dir, const struct desired_file *keep, unsigned n, struct err *e)
{
	BUF_AUTO names = {0};
	struct str rest, name;

	TRY(names_in(fs, dir, &names, e));
	rest = buf_str(&names);
	while (str_split(&rest, '\n', &name))
		if (is_versioned(name) && !is_kept(name, keep, n))
			TRY(remove_name(fs, dir, name, e));
	return 0;
}

static bool is_document_of(struct str name, const struct sha256 *keep, unsigned n)
{
	char hex[SHA256_TEXT];

	for (unsigned i = 0; i < n; i++) {
		sha256_format(&keep[i], hex);
		if (str_has_prefix(name, hex))
			return true;
	}
	return false;
}

int desired_prune(struct fs *fs, const struct sha256 *keep, unsigned n, struct err *e)
{
	BUF_AUTO names = {0};
	struct str rest, name;

	TRY(names_in(fs, "documents", &names, e));
	rest = buf_str(&names);
	while (str_split(&rest, '\n', &name))
		if (name.n && !is_document_of(name, keep, n))
			TRY(remove_name(fs, "documents", name, e));
	return 0;
}

/* ---- documents ---- */

static int document_path(char out[FS_PATH_MAX], const struct sha256 *digest, const char *end)
{
	char hex[SHA256_TEXT];

	sha256_format(digest, hex);
	return path_in(out, "documents", hex, end, NULL);
}

static void format_rollback(const struct desired *d, struct buf *out)
{
	JSON_AUTO *doc = json_object();
	json_t *list = json_array();
	char hex[SHA256_TEXT];

	for (unsigned i = 0; i < d->n_rollback_to; i++) {
		sha256_format(&d->rollback_to[i].hash, hex);
		json_array_append_new(list,
			json_pack("{s:s, s:s}", "path", d->rollback_to[i].path, "sha256", hex));
	}
	json_object_set_new(doc, "rollbackTo", list);
	json_write(doc, out);
}

int desired_store_document(
	struct fs *fs, const struct desired *d, struct str document, struct err *e)
{
	char path[FS_PATH_MAX];
	BUF_AUTO text = {0};

	format_rollback(d, &text);
	TRY(document_path(path, &d->hash, ".rollback.json"));
	TRY(desired_store_file(fs, path, buf_str(&text), e));
	TRY(document_path(path, &d->hash, ".json"));
	return desired_store_file(fs, path, document, e);
}

int desired_store_load_document(
	struct fs *fs, const struct sha256 *digest, struct buf *out, struct err *e)
{
	char path[FS_PATH_MAX];
	BUF_AUTO text = {0};
	struct sha256 is;

	TRY(document_path(path, digest, ".json"));
	TRY(fs_read_file(fs, path, LIMIT_RELEASE_BYTES, &text, e));
	digest_of(text.p, text.n, &is);
	if (!sha256_eq(&is, digest))
		return err_set(e, ERR_ALTERED, "%s was damaged", path);
	buf_add(out, text.p, text.n);
	return 0;
}

int desired_load_release(
	struct fs *fs, const struct sha256 *document, struct release *out, struct err *e)
{
	BUF_AUTO text = {0};

	TRY(desired_store_load_document(fs, document, &text, e));
	return release_parse(buf_str(&text), out, e);
}

int desired_load_rollback_to(
	struct fs *fs, const struct sha256 *document, struct device_facts *io, struct err *e)
{
	char path[FS_PATH_MAX];
	BUF_AUTO text = {0};
	JSON_AUTO *doc = NULL;

	TRY(document_path(path, document, ".rollback.json"));
	TRY(fs_read_file(fs, path, ROLLBACK_MAX, &text, e));
	TRY(json_read(buf_str(&text), ROLLBACK_MAX, &doc, e));
	return director_rollback_to(doc, io->rollback_to, &io->n_rollback_to, e);
}

/* ---- provisioning ---- */

static int check_root(struct str bytes, uint64_t *out_version, struct err *e)
{
	struct trusted_set set;
	int rc;

	trusted_init(&set, 0);
	rc = trusted_load_root(&set, bytes, e);
	if (rc == 0)
		*out_version = set.root.version;
	trusted_fini(&set);
	return rc;
}

static int provision_root(struct fs *fs, const char *dir, struct str bytes, struct err *e)
{
	char path[FS_PATH_MAX], name[40];
	uint64_t version = 0;
	BUF_AUTO old = {0};
	struct fs_stat st;

	if (check_root(bytes, &version, e) < 0)
		return err_wrap(e, "%s", dir);
	snprintf(name, sizeof name, "%llu.root.json", (unsigned long long)version);
	TRY(path_in(path, dir, "root.json", "", e));
	TRY(fs->ops->stat(fs, path, &st, e));
	if (st.kind == FS_NONE) {
		TRY(desired_store_file(fs, path, bytes, e));
		TRY(path_in(path, dir, name, "", e));
		return desired_store_file(fs, path, bytes, e);
	}
	if (desired_store_load(fs, dir, name, LIMIT_ROOT_BYTES, &old, e) < 0 ||
		!str_eq(buf_str(&old), bytes))
		return err_set(e, ERR_CONFLICT, "%s: the device trusts another root", dir);
	return 0;
}

int desired_provision(struct fs *fs, struct str director_root, struct str image_root, struct err *e)
{
	TRY(provision_root(fs, "trust/director", director_root, e));
	return provision_root(fs, "trust/image", image_root, e);
}
