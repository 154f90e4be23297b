#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/conf_priv.h"

#define FILE_MAX_BYTES (64 * 1024)
#define MISTAKES_MAX   50
#define ROWS_MAX       128
#define LINE_MAX_BYTES 190 /* what inih takes, less a little */

/* One reading: the rows, the values as they grow, and where the reader is. */
struct reading {
	const struct conf_row *rows;
	size_t n_rows;
	char *values;
	struct buf *problems;
	unsigned mistakes;
	bool given[ROWS_MAX];       /* by any file */
	unsigned seen_at[ROWS_MAX]; /* line in this file, 0: not yet */
	const char *file;
	struct str rest; /* of this file */
	unsigned line;
	bool check_only; /* the form of the lines, not what they say */
};

static void PRINTF(3, 4) mistake(struct reading *r, unsigned line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (r->mistakes++ >= MISTAKES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (line)
		buf_addf(r->problems, "%s:%u: %s\n", r->file, line, text);
	else
		buf_addf(r->problems, "%s: %s\n", r->file, text);
}

/* ---- one file ---- */

static size_t row_find(const struct reading *r, const char *section, const char *key)
{
	size_t i = 0;

	while (i < r->n_rows &&
		(strcmp(r->rows[i].section, section) != 0 || strcmp(r->rows[i].key, key) != 0))
		i++;
	return i;
}

static void unknown(struct reading *r, const char *section, const char *key)
{
	const char *keys[ROWS_MAX], *near = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->n_rows; i++)
		if (strcmp(r->rows[i].section, section) == 0)
			keys[n++] = r->rows[i].key;
	if (n)
		near = str_nearest(str_of(key), keys, n);
	if (n == 0)
		mistake(r, r->line, "unknown section [%s]", section);
	else if (near)
		mistake(r, r->line, "unknown key %s, is %s meant?", key, near);
	else
		mistake(r, r->line, "unknown key %s", key);
}

static int on_pair(void *self, const char *section, const char *key, const char *value)
{
	struct reading *r = self;
	size_t i = row_find(r, section, key);
	struct err e;

	if (r->check_only)
		return 1;
	if (i == r->n_rows) {
		unknown(r, section, key);
	} else if (r->seen_at[i]) {
		mistake(r, r->line, "%s stands in line %u already", key, r->seen_at[i]);
	} else {
		r->seen_at[i] = r->line;
		r->given[i] = true;
		if (conf_value_parse(&r->rows[i], str_of(value), r->values, &e) < 0)
			mistake(r, r->line, "%s: %s", key, e.text);
	}
	return 1;
}

/* Gives inih one line. Without its leading blanks, because inih would take an indented line for the
 * continuation of the one before. */
static char *next_line(char *dst, int cap, void *self)
{
	struct reading *r = self;
	struct str line;

	if (r->rest.n == 0 || !str_split(&r->rest, '\n', &line))
		return NULL;
	r->line++;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	line = str_trim(line);
	if (line.n > LINE_MAX_BYTES)
		line.n = 0;
	assert(cap >= LINE_MAX_BYTES + 2);
	memcpy(dst, line.p ? line.p : "", line.n);
	memcpy(dst + line.n, "\n", 2);
	return dst;
}

static int pass(struct reading *r, struct str text, bool check_only)
{
	r->rest = text;
	r->line = 0;
	r->check_only = check_only;
	return ini_parse_stream(next_line, r, on_pair, r);
}

/* inih tells the first line that it cannot read. It is told, blanked out, and inih asked again. */
static void form_check(struct reading *r, char *text, size_t n)
{
	int bad;

	while ((bad = pass(r, (struct str){text, n}, true)) > 0 && r->mistakes < MISTAKES_MAX) {
		char *p = text;

		mistake(r, (unsigned)bad, "neither [section] nor key = value");
		for (int i = 1; i < bad; i++)
			p = (char *)memchr(p, '\n', n - (size_t)(p - text)) + 1;
		for (; p < text + n && *p != '\n'; p++)
			*p = ' ';
	}
}

/* What inih is never shown. */
static bool bytes_check(struct reading *r, struct str text)
{
	unsigned line = 1, width = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) {
			mistake(r, line, "a control character");
			return false;
		}
		width = c == '\n' ? 0 : width + 1;
		line += c == '\n';
		if (width == LINE_MAX_BYTES + 1)
			mistake(r, line, "a line of more than %d bytes", LINE_MAX_BYTES);
	}
	return true;
}

static void file_parse(struct reading *r, const char *name, struct str text)
{
	BUF_AUTO copy = {0};

	r->file = name;
	memset(r->seen_at, 0, sizeof r->seen_at);
	if (text.n > FILE_MAX_BYTES)
		mistake(r, 0, "more than %d bytes", FILE_MAX_BYTES);
	if (text.n > FILE_MAX_BYTES || !bytes_check(r, text))
		return;
	buf_add(&copy, text.p, text.n);
	form_check(r, (char *)copy.p, copy.n);
	pass(r, buf_str(&copy), false);
}

/* ---- a whole reading ---- */

static void defaults_fill(struct reading *r)
{
	struct err e;

	for (size_t i = 0; i < r->n_rows; i++) {
		const struct conf_row *row = &r->rows[i];

		if (row->def && conf_value_parse(row, str_of(row->def), r->values, &e) < 0)
			mistake(r, 0, "default of %s.%s: %s", row->section, row->key, e.text);
	}
}

static void required_check(struct reading *r, const char *name)
{
	r->file = name;
	for (size_t i = 0; i < r->n_rows; i++)
		if (!r->rows[i].def && !r->given[i])
			mistake(r, 0, "%s is missing in section [%s]", r->rows[i].key,
				r->rows[i].section);
}

/* Only what the rows describe is written: the rest of the struct is its owner's. */
static int finish(struct reading *r, const char *name, void *out, struct err *e)
{
	required_check(r, name);
	if (r->mistakes)
		return err_set(e, ERR_CONFIG, "%s: %u mistake%s", name, r->mistakes,
			r->mistakes == 1 ? "" : "s");
	for (size_t i = 0; i < r->n_rows; i++) {
		size_t at = r->rows[i].offset;

		memcpy((char *)out + at, r->values + at, conf_row_end(&r->rows[i]) - at);
	}
	return 0;
}

static void begin(struct reading *r, const char *name, size_t size)
{
	assert(r->n_rows <= ROWS_MAX);
	for (size_t i = 0; i < r->n_rows; i++)
		assert(conf_row_end(&r->rows[i]) <= size);
	r->file = name;
	r->values = mem_new(size);
	defaults_fill(r);
}

int conf_parse(const char *name, struct str text, const struct conf_row *rows, size_t n_rows,
	void *out, struct buf *problems, struct err *e)
{
	struct reading r = {.rows = rows, .n_rows = n_rows, .problems = problems};
	size_t size = 0;
	int rc;

	for (size_t i = 0; i < n_rows; i++)
		size = MAX(size, conf_row_end(&rows[i]));
	begin(&r, name, size);
	file_parse(&r, name, text);
	rc = finish(&r, name, out, e);
	mem_free(&r.values);
	return rc;
}

/* ---- files ---- */

/* A file that is not there says nothing; one that cannot be read is a mistake. */
static void file_load(struct reading *r, const char *path)
{
	BUF_AUTO text = {0};
	FILE *f = fopen(path, "re");
	bool failed;

	r->file = path;
	if (!f) {
		if (errno != ENOENT)
			mistake(r, 0, "%s", strerrordesc_np(errno));
		return;
	}
	text.n = fread(buf_reserve(&text, FILE_MAX_BYTES + 1), 1, FILE_MAX_BYTES + 1, f);
	failed = ferror(f);
	fclose(f);
	if (failed)
		mistake(r, 0, "cannot be read");
	else
		file_parse(r, path, buf_str(&text));
}

static int is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 5 && d->d_name[0] != '.' && strcmp(d->d_name + n - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void dropins_load(struct reading *r, const char *path)
{
	BUF_AUTO name = {0};
	struct dirent **found;
	size_t folder;
	int n;

	buf_addf(&name, "%s.d/", path);
	folder = name.n;
	n = scandir(buf_cstr(&name), &found, is_conf, by_name);
	if (n < 0)
		return;
	for (int i = 0; i < n; i++) {
		name.n = folder;
		buf_add_str(&name, found[i]->d_name);
		file_load(r, buf_cstr(&name));
		free(found[i]);
	}
	free(found);
}

int conf_load(const char *path, const struct conf_row *rows, size_t n_rows, void *out,
	size_t out_size, struct buf *problems, struct err *e)
{
	struct reading r = {.rows = rows, .n_rows = n_rows, .problems = problems};
	int rc;

	begin(&r, path, out_size);
	file_load(&r, path);
	dropins_load(&r, path);
	rc = finish(&r, path, out, e);
	mem_free(&r.values);
	return rc;
}
