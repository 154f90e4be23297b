/* libarchive reads; what may be in an archive is decided here, by a short list of what is known to
 * be harmless: files, folders and symbolic links. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/stage/stage_priv.h"

#define BLOCK 512U

struct untar {
	struct pipe *from;
	const struct stage_sink *to;
	uint64_t length;
	uint64_t begin; /* where in the content libarchive began to read */
	unsigned n;     /* entries so far */
	bool failed;    /* in reading from above; err says why */
	struct err err;
};

static la_ssize_t pull(struct archive *a, void *ctx, const void **out_p)
{
	struct untar *u = ctx;
	size_t n;

	if (pipe_take(u->from, out_p, &n, &u->err) < 0) {
		u->failed = true;
		archive_set_error(a, EIO, "the source failed");
		return -1;
	}
	return (la_ssize_t)n;
}

/* What came from above has its own name; what libarchive says is about the archive. */
static int broken(struct untar *u, struct archive *a, struct err *e)
{
	char shown[160];
	const char *why = archive_error_string(a);

	if (u->failed)
		return err_copy(e, &u->err);
	return err_set(e, ERR_BAD_INPUT, "archive: %s",
		str_printable(str_of(why ? why : "malformed"), shown, sizeof shown));
}

/* ---- names ---- */

/* "./a/b/" is what tar writes for "a/b", and "./" for the place itself; everything else stays as it
 * is, to be judged. */
static const char *plain_name(const char *name, char out[LIMIT_TAR_NAME + 1])
{
	size_t n;

	if (strcmp(name, "./") == 0)
		name = ".";
	while (name[0] == '.' && name[1] == '/')
		name += 2;
	n = strlen(name);
	if (n > LIMIT_TAR_NAME)
		return NULL;
	memcpy(out, name, n + 1);
	while (n > 1 && out[n - 1] == '/')
		out[--n] = '\0';
	return out;
}

/* ---- entries ---- */

/* Bodies of files are footholds, because nothing of an archive but the rest of a file can be gone
 * on with in the middle. */
static int put_bytes(struct untar *u, struct archive *a, uint64_t size, struct err *e)
{
	uint64_t body = u->begin + (uint64_t)archive_filter_bytes(a, 0), done = 0;
	const void *p;
	la_int64_t at;
	size_t n;
	int rc;

	while ((rc = archive_read_data_block(a, &p, &n, &at)) == ARCHIVE_OK) {
		if ((uint64_t)at != done || n > size - done)
			return err_set(e, ERR_BAD_INPUT, "archive: a file with holes");
		TRY(u->to->data(u->to->self, p, n, e));
		done += n;
		TRY(pipe_foothold(u->from, body + done, u->to, e));
	}
	if (rc != ARCHIVE_EOF)
		return broken(u, a, e);
	return done == size ? 0 : err_set(e, ERR_BAD_INPUT, "archive: a file is cut off");
}

static int put_file(struct untar *u, struct archive *a, struct archive_entry *x, const char *name,
	struct err *e)
{
	la_int64_t size = archive_entry_size(x);

	if (archive_entry_sparse_count(x) > 0)
		return err_set(e, ERR_BAD_INPUT, "archive: a sparse file");
	if (!archive_entry_size_is_set(x) || size < 0 || (uint64_t)size > u->length)
		return err_set(e, ERR_BAD_INPUT, "archive: a file larger than the archive");
	TRY(u->to->file(u->to->self, name, (archive_entry_perm(x) & 0111) != 0, (uint64_t)size, e));
	return put_bytes(u, a, (uint64_t)size, e);
}

static int put_link(struct untar *u, struct archive_entry *x, const char *name, struct err *e)
{
	const char *target = archive_entry_symlink(x);

	if (!target)
		return err_set(e, ERR_BAD_INPUT, "archive: a link without a target");
	return u->to->link(u->to->self, name, target, e);
}

static int put_dir(struct untar *u, const char *name, struct err *e)
{
	/* "." is the component's own place. */
	if (strcmp(name, ".") == 0)
		return 0;
	return u->to->dir(u->to->self, name, e);
}

static int check_mode(struct archive_entry *x, const char *name, struct err *e)
{
	if (archive_entry_hardlink(x))
		return err_set(e, ERR_DENIED, "%.160s is a hard link", name);
	if (archive_entry_perm(x) & 07000)
		return err_set(e, ERR_DENIED, "%.160s is setuid, setgid or sticky", name);
	return 0;
}

static int put_entry(struct untar *u, struct archive *a, struct archive_entry *x, struct err *e)
{
	const char *given = archive_entry_pathname(x);
	char name[LIMIT_TAR_NAME + 1], shown[160];

	if (!given)
		return err_set(e, ERR_BAD_INPUT, "archive: an entry without a name");
	str_printable(str_of(given), shown, sizeof shown);
	if (++u->n > LIMIT_TAR_ENTRIES)
		return err_set(
			e, ERR_TOO_LARGE, "archive: more than %d entries", LIMIT_TAR_ENTRIES);
	if (!plain_name(given, name))
		return err_set(e, ERR_TOO_LARGE, "%s: a name of more than %d bytes", shown,
			LIMIT_TAR_NAME);
	TRY(check_mode(x, shown, e));
	switch (archive_entry_filetype(x)) {
	case AE_IFREG:
		return put_file(u, a, x, name, e);
	case AE_IFDIR:
		return put_dir(u, name, e);
	case AE_IFLNK:
		return put_link(u, x, name, e);
	default:
		return err_set(e, ERR_DENIED, "%s is no file, folder or link", shown);
	}
}

static int put_all(struct untar *u, struct archive *a, struct err *e)
{
	struct archive_entry *x;
	int rc;

	/* ARCHIVE_WARN: a name that is not of the present locale. Names are bytes here. */
	while ((rc = archive_read_next_header(a, &x)) == ARCHIVE_OK || rc == ARCHIVE_WARN)
		TRY(put_entry(u, a, x, e));
	return rc == ARCHIVE_EOF ? 0 : broken(u, a, e);
}

/* What follows the end of the archive belongs to the signed content, too. */
static int drain(struct untar *u, struct err *e)
{
	const void *p;
	size_t n = 1;

	while (n > 0)
		TRY(pipe_take(u->from, &p, &n, e));
	return 0;
}

/* What the sink has, the rest of the file that was cut off, and what fills its last block up. After
 * that a header comes, or the end. */
static int go_on(struct untar *u, const struct slot_part *part, bool *out_more, struct err *e)
{
	const void *p;
	size_t n;

	TRY(pipe_pass(u->from, part->at.skip, NULL, e));
	TRY(pipe_pass(u->from, part->left, u->to, e));
	TRY(pipe_pass(u->from, (BLOCK - part->size % BLOCK) % BLOCK, NULL, e));
	u->n = part->entries;
	u->begin = u->from->at;
	TRY(pipe_take(u->from, &p, &n, e));
	pipe_give_back(u->from, p, n);
	*out_more = n > 0;
	return 0;
}

static int unpack_entries(struct untar *u, struct err *e)
{
	struct archive *a = archive_read_new();
	int rc;

	if (!a)
		abort();
	archive_read_support_format_tar(a);
	if (archive_read_open(a, u, NULL, pull, NULL) == ARCHIVE_OK)
		rc = put_all(u, a, e);
	else
		rc = broken(u, a, e);
	archive_read_free(a);
	return rc < 0 ? rc : drain(u, e);
}

int unpack_tar(struct pipe *from, const struct stage_sink *to, uint64_t length,
	const struct slot_part *part, struct err *e)
{
	struct untar u = {.from = from, .to = to, .length = length};
	bool more = true;

	if (part->at.artifact > 0)
		TRY(go_on(&u, part, &more, e));
	return more ? unpack_entries(&u, e) : 0;
}
