#include "proto/wire/tree.h"

#include <stdlib.h>
#include <string.h>

#include "proto/wire/path.h"

void tree_init(struct tree *t)
{
	*t = (struct tree){0};
}

void tree_fini(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].path);
		free(t->v[i].target);
	}
	free(t->v);
	tree_init(t);
}

static int target_check(const char *target, struct err *e)
{
	size_t n = target ? strlen(target) : 0;

	if (n == 0 || n > LIMIT_TAR_NAME)
		return err_set(e, ERR_BAD_INPUT,
			"a link's target of %zu bytes, 1 to %d are allowed", n, LIMIT_TAR_NAME);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)target[i] < 0x20 || target[i] == 0x7f)
			return err_set(e, ERR_BAD_INPUT, "a control character in a link's target");
	return 0;
}

static int entry_check(const struct tree_entry *x, struct err *e)
{
	/* A raw component is one file, which has no name of its own. */
	if (x->kind != TREE_FILE || strcmp(x->path, ".") != 0)
		TRY(path_check(str_of(x->path), LIMIT_TAR_NAME, e));
	return x->kind == TREE_LINK ? target_check(x->target, e) : 0;
}

int tree_add(struct tree *t, const struct tree_entry *entry, struct err *e)
{
	struct tree_entry *x;

	if (t->n == LIMIT_TAR_ENTRIES)
		return err_set(e, ERR_TOO_LARGE, "more than %d entries", LIMIT_TAR_ENTRIES);
	TRY(entry_check(entry, e));
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 16;
		t->v = mem_resize(t->v, t->cap * sizeof *t->v);
	}
	x = &t->v[t->n++];
	*x = *entry;
	x->path = mem_strdup(entry->path);
	x->target = entry->kind == TREE_LINK ? mem_strdup(entry->target) : NULL;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tree_entry *)a)->path, ((const struct tree_entry *)b)->path);
}

static int twice(const struct tree_entry *x, struct err *e)
{
	char shown[80];

	return err_set(e, ERR_BAD_INPUT, "%s stands twice",
		str_printable(str_of(x->path), shown, sizeof shown));
}

int tree_sort(struct tree *t, struct err *e)
{
	if (t->n)
		qsort(t->v, t->n, sizeof *t->v, by_path);
	for (size_t i = 1; i < t->n; i++)
		if (by_path(&t->v[i - 1], &t->v[i]) == 0)
			return twice(&t->v[i], e);
	return 0;
}

static void encode_file(const struct tree_entry *x, struct buf *out)
{
	char hex[SHA256_TEXT];

	sha256_format(&x->digest, hex);
	buf_addf(out, "f %s %llu %s %s\n", x->executable ? "0755" : "0644",
		(unsigned long long)x->size, hex, x->path);
}

void tree_encode(const struct tree *t, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct tree_entry *x = &t->v[i];

		switch (x->kind) {
		case TREE_DIR:
			buf_addf(out, "d %s\n", x->path);
			break;
		case TREE_FILE:
			encode_file(x, out);
			break;
		case TREE_LINK:
			buf_addf(out, "l %zu %s %s\n", strlen(x->target), x->target, x->path);
			break;
		}
	}
}

/* ---- reading ---- */

/* Names on the stack while a line is read. */
struct line {
	struct tree_entry entry;
	char path[LIMIT_TAR_NAME + 1];
	char target[LIMIT_TAR_NAME + 1];
};

static int field(struct str *rest, struct str *out, struct err *e)
{
	if (!str_split(rest, ' ', out) || !rest->p)
		return err_set(e, ERR_BAD_INPUT, "cut off");
	return 0;
}

/* Only the form that tree_encode writes, or two texts would have one meaning. */
static int plain_number(struct str s, uint64_t max, uint64_t *out, struct err *e)
{
	if (s.n > 1 && s.p[0] == '0')
		return err_set(e, ERR_BAD_INPUT, "a number with a leading zero");
	return str_to_u64(s, 0, max, out, e);
}

static int decode_file(struct str *rest, struct line *l, struct err *e)
{
	struct str mode, size, digest;
	char hex[SHA256_TEXT];

	TRY(field(rest, &mode, e));
	TRY(field(rest, &size, e));
	TRY(field(rest, &digest, e));
	if (!str_is(mode, "0755") && !str_is(mode, "0644"))
		return err_set(e, ERR_BAD_INPUT, "a mode other than 0644 and 0755");
	l->entry.executable = str_is(mode, "0755");
	TRY(plain_number(size, LIMIT_ARTIFACT_BYTES, &l->entry.size, e));
	TRY(sha256_parse(digest, &l->entry.digest, e));
	sha256_format(&l->entry.digest, hex);
	return str_is(digest, hex) ? 0 : err_set(e, ERR_BAD_INPUT, "a digest in capitals");
}

static int decode_link(struct str *rest, struct line *l, struct err *e)
{
	struct str size;
	uint64_t n = 0;

	TRY(field(rest, &size, e));
	TRY(plain_number(size, LIMIT_TAR_NAME, &n, e));
	if (rest->n <= n || rest->p[n] != ' ')
		return err_set(e, ERR_BAD_INPUT, "a link's target is not as long as it says");
	TRY(str_copy((struct str){rest->p, (size_t)n}, l->target, sizeof l->target, e));
	l->entry.target = l->target;
	*rest = (struct str){rest->p + n + 1, rest->n - (size_t)n - 1};
	return 0;
}

static int decode_line(struct str text, struct line *l, struct err *e)
{
	struct str kind;

	*l = (struct line){0};
	TRY(field(&text, &kind, e));
	if (str_is(kind, "d")) {
		l->entry.kind = TREE_DIR;
	} else if (str_is(kind, "f")) {
		l->entry.kind = TREE_FILE;
		TRY(decode_file(&text, l, e));
	} else if (str_is(kind, "l")) {
		l->entry.kind = TREE_LINK;
		TRY(decode_link(&text, l, e));
	} else {
		return err_set(e, ERR_BAD_INPUT, "no kind of entry");
	}
	TRY(str_copy(text, l->path, sizeof l->path, e));
	l->entry.path = l->path;
	return 0;
}

/* The folder that holds the entry stands before it, because its path is shorter. */
static int parent_check(const struct tree *t, const char *path, struct err *e)
{
	char folder[LIMIT_TAR_NAME + 1];
	const char *slash = strrchr(path, '/');
	const struct tree_entry *x;

	if (!slash)
		return 0;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = 0;
	x = tree_find(t, folder);
	return x && x->kind == TREE_DIR ? 0 : err_set(e, ERR_BAD_INPUT, "its folder is not listed");
}

int tree_decode_line(struct str text, struct tree *t, struct err *e)
{
	struct line l;

	TRY(decode_line(text, &l, e));
	return tree_add(t, &l.entry, e);
}

static int decode_next(struct str text, struct tree *t, struct err *e)
{
	struct line l;

	TRY(decode_line(text, &l, e));
	if (t->n && by_path(&t->v[t->n - 1], &l.entry) >= 0)
		return err_set(e, ERR_BAD_INPUT, "not in order of path");
	TRY(entry_check(&l.entry, e));
	if (t->n && (strcmp(t->v[0].path, ".") == 0 || strcmp(l.path, ".") == 0))
		return err_set(e, ERR_BAD_INPUT, "more than the one file of a raw component");
	TRY(parent_check(t, l.path, e));
	return tree_add(t, &l.entry, e);
}

int tree_decode(struct str text, struct tree *out, struct err *e)
{
	struct tree t CLEANUP(tree_fini) = {0};
	struct str line;
	size_t n = 0;

	if (text.n && text.p[text.n - 1] != '\n')
		return err_set(e, ERR_BAD_INPUT, "the last line is cut off");
	text = text.n ? (struct str){text.p, text.n - 1} : (struct str){NULL, 0};
	while (str_split(&text, '\n', &line)) {
		n++;
		if (decode_next(line, &t, e) < 0)
			return err_wrap(e, "line %zu", n);
	}
	*out = t;
	tree_init(&t);
	return 0;
}

const struct tree_entry *tree_find(const struct tree *t, const char *path)
{
	struct tree_entry key = {.path = (char *)path};

	return t->n ? bsearch(&key, t->v, t->n, sizeof *t->v, by_path) : NULL;
}
