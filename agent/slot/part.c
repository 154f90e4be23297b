#include <stdio.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

/* Entries, as in a listing, and notes between them, of which there are no more than an artifact has
 * pieces. */
#define PART_MAX ((size_t)LIMIT_TAR_ENTRIES * (2 * LIMIT_TAR_NAME + 128) + ((size_t)64 << 20))
#define FORM     "backstay part 1"
#define NUMBERS  5U /* of a note */

void part_init(struct part *p)
{
	*p = (struct part){0};
	digest_init(&p->sum);
}

void part_fini(struct part *p)
{
	digest_fini(&p->sum, NULL);
	*p = (struct part){0};
}

/* ---- writing ---- */

static void head(const struct component *c, struct buf *out)
{
	char artifact[SHA256_TEXT], tree[SHA256_TEXT];

	sha256_format(&c->artifact.digest, artifact);
	sha256_format(&c->artifact.tree, tree);
	buf_addf(out, FORM " %s %s\n", artifact, tree);
}

/* "n ARTIFACT CONTENT SKIP SIZE LEFT SUM": size and what is left of it are the last file's. */
static void add_note(
	const struct ledger *l, const struct foothold *at, struct part *p, struct buf *out)
{
	const struct tree_entry *file = &l->tree.v[l->file];
	struct sha256 sum;
	char hex[SHA256_TEXT];

	buf_addf(out, "n %llu %llu %llu %llu %llu ", (unsigned long long)at->artifact,
		(unsigned long long)at->content, (unsigned long long)at->skip,
		(unsigned long long)file->size, (unsigned long long)(l->in_file ? l->left : 0));
	digest_add(&p->sum, out->p, out->n);
	digest_look(&p->sum, &sum);
	sha256_format(&sum, hex);
	buf_addf(out, "%s\n", hex);
	digest_add(&p->sum, out->p + out->n - SHA256_TEXT, SHA256_TEXT);
}

static int append(struct fs *fs, const char *path, const struct part *p, const struct buf *text,
	struct err *e)
{
	uint64_t at = p->sum.n - text->n;
	int fd;

	TRY(fs->ops->open(fs, path, FS_CREATE, &fd, e));
	int rc = fs->ops->pwrite(fs, fd, text->p, text->n, at, e);
	if (rc == 0)
		rc = fs->ops->sync(fs, fd, e);
	int closed = fs->ops->close(fs, fd, rc < 0 ? NULL : e);
	TRY(rc < 0 ? rc : closed);
	return at == 0 ? fs->ops->sync_dir(fs, "slots", e) : 0;
}

int part_note(struct fs *fs, unsigned slot, const struct component *c, const struct ledger *l,
	const struct foothold *at, struct part *p, struct err *e)
{
	char path[PLACE_MAX];
	BUF_AUTO text = {0};

	if (p->sum.n == 0)
		head(c, &text);
	ledger_lines(l, p->entries, &text);
	add_note(l, at, p, &text);
	place_part(path, slot, c->name);
	TRY(append(fs, path, p, &text, e));
	p->entries = l->tree.n - l->in_file;
	p->named = l->tree.n;
	p->artifact = at->artifact;
	return 0;
}

int part_remove(struct fs *fs, unsigned slot, const char *component, struct err *e)
{
	char path[PLACE_MAX];

	place_part(path, slot, component);
	TRY(fs->ops->unlink(fs, path, e));
	return fs->ops->sync_dir(fs, "slots", e);
}

/* ---- reading ---- */

/* The last note that is whole, and where it ends. */
struct noted {
	size_t end; /* 0: there is none */
	uint64_t num[NUMBERS];
};

static bool parse_note(struct str line, uint64_t num[NUMBERS], struct sha256 *out_sum)
{
	struct str field;

	if (!str_split(&line, ' ', &field) || !str_is(field, "n"))
		return false;
	for (unsigned i = 0; i < NUMBERS; i++)
		if (!str_split(&line, ' ', &field) ||
			str_to_u64(field, 0, LIMIT_ARTIFACT_BYTES, &num[i], NULL) < 0)
			return false;
	return line.p && sha256_parse(line, out_sum, NULL) == 0;
}

/* One line of the file, with its end. */
static void look_at_line(struct str line, struct digest *sum, struct noted *last)
{
	struct sha256 want, is;
	struct noted n;
	bool is_note = parse_note((struct str){line.p, line.n - 1}, n.num, &want);
	size_t covered = is_note ? line.n - SHA256_TEXT : line.n;

	digest_add(sum, line.p, covered);
	if (!is_note)
		return;
	digest_look(sum, &is);
	digest_add(sum, line.p + covered, line.n - covered);
	n.end = (size_t)sum->n;
	if (sha256_eq(&is, &want))
		*last = n;
}

static void find_last_note(struct str text, struct noted *out)
{
	struct noted last = {0};
	struct digest sum;
	const char *end;

	digest_init(&sum);
	while (text.n > 0 && (end = memchr(text.p, '\n', text.n))) {
		size_t n = (size_t)(end - text.p) + 1;

		look_at_line((struct str){text.p, n}, &sum, &last);
		text = (struct str){text.p + n, text.n - n};
	}
	digest_fini(&sum, NULL);
	*out = last;
}

static int read_entries(struct str text, struct ledger *l, struct err *e)
{
	struct str line;

	(void)!str_split(&text, '\n', &line); /* the head */
	while (str_split(&text, '\n', &line) && line.n > 0)
		if (!str_has_prefix(line, "n "))
			TRY(ledger_again(l, line, e));
	return 0;
}

/* Does it lie within what was signed, and can the writer go on with it? */
static bool fits(const struct component *c, const struct slot_part *p)
{
	if (p->left > 0 && (p->size - p->left) % WRITER_ALIGN != 0)
		return false;
	return p->at.artifact > 0 && p->at.artifact <= c->artifact.length && p->left <= p->size &&
	       p->at.content + p->at.skip + p->left <= c->artifact.content_length;
}

/* A note follows the data of a file, which is the last entry. */
static bool ends_in_file(const struct ledger *l, const struct slot_part *p)
{
	const struct tree_entry *last = l->tree.n > 0 ? &l->tree.v[l->tree.n - 1] : NULL;

	return last && last->kind == TREE_FILE && last->size + p->left == p->size;
}

static bool is_of(const struct component *c, const struct buf *text)
{
	BUF_AUTO want = {0};

	head(c, &want);
	return str_has_prefix(buf_str(text), buf_cstr(&want));
}

/* *out_end bytes of the file count; 0: none. */
static int load(struct fs *fs, const char *path, const struct component *c, struct ledger *l,
	struct buf *text, size_t *out_end, struct slot_part *out_part, struct err *e)
{
	struct noted n = {0};
	int rc = fs_read_file(fs, path, PART_MAX, text, e);

	if (rc == 0 && is_of(c, text))
		find_last_note(buf_str(text), &n);
	struct slot_part part = {
		.at = {n.num[0], n.num[1], n.num[2]}, .size = n.num[3], .left = n.num[4]};
	*out_end = n.end && fits(c, &part) ? n.end : 0;
	if (*out_end == 0)
		return rc == -(int)ERR_NOT_FOUND || rc == -(int)ERR_TOO_LARGE ? 0 : rc;
	TRY(read_entries((struct str){(const char *)text->p, n.end}, l, e));
	if (!ends_in_file(l, &part))
		return err_set(e, ERR_ALTERED, "%s: a note that follows no file", path);
	part.entries = (unsigned)l->tree.n;
	*out_part = part;
	return 0;
}

/* So that what a cut has left behind the last note is not taken for more of it one day. */
static int cut_off(struct fs *fs, const char *path, size_t end, struct err *e)
{
	int fd;

	TRY(fs->ops->open(fs, path, FS_WRITE, &fd, e));
	int rc = fs->ops->truncate(fs, fd, end, e);
	int closed = fs->ops->close(fs, fd, rc < 0 ? NULL : e);
	return rc < 0 ? rc : closed;
}

int part_load(struct fs *fs, unsigned slot, const struct component *c, struct ledger *l,
	struct part *p, struct slot_part *out_part, struct err *e)
{
	char path[PLACE_MAX];
	BUF_AUTO text = {0};
	size_t end;

	*out_part = (struct slot_part){0};
	place_part(path, slot, c->name);
	TRY(load(fs, path, c, l, &text, &end, out_part, e));
	if (end == 0)
		return 0;
	if (end < text.n)
		TRY(cut_off(fs, path, end, e));
	digest_add(&p->sum, text.p, end);
	p->entries = l->tree.n - (out_part->left > 0);
	p->named = l->tree.n;
	p->artifact = out_part->at.artifact;
	return 0;
}

uint64_t part_bytes(struct fs *fs, unsigned slot, const struct component *c)
{
	char path[PLACE_MAX];
	BUF_AUTO text = {0};
	struct slot_part part;
	struct ledger l;
	uint64_t sum = 0;
	struct err why;
	size_t end;

	ledger_init(&l);
	place_part(path, slot, c->name);
	if (load(fs, path, c, &l, &text, &end, &part, &why) == 0)
		for (size_t i = 0; i < l.tree.n; i++)
			sum += l.tree.v[i].kind == TREE_FILE ? l.tree.v[i].size : 0;
	ledger_fini(&l);
	return sum;
}
