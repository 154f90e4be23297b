#include <assert.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/sys/conf_priv.h"

#define MISTAKES_MAX   50
#define LINE_MAX_BYTES 190 /* what inih takes, less a little */

void conf_mistake(struct conf_reading *r, unsigned line, const char *fmt, ...)
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

static size_t row_find(const struct conf_reading *r, const char *section, const char *key)
{
	size_t i = 0;

	while (i < r->n_rows &&
		(strcmp(r->rows[i].section, section) != 0 || strcmp(r->rows[i].key, key) != 0))
		i++;
	return i;
}

static void unknown(struct conf_reading *r, const char *section, const char *key)
{
	const char *keys[CONF_ROWS_MAX], *near = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->n_rows; i++)
		if (strcmp(r->rows[i].section, section) == 0)
			keys[n++] = r->rows[i].key;
	if (n)
		near = str_nearest(str_of(key), keys, n);
	if (n == 0)
		conf_mistake(r, r->line, "unknown section [%s]", section);
	else if (near)
		conf_mistake(r, r->line, "unknown key %s, is %s meant?", key, near);
	else
		conf_mistake(r, r->line, "unknown key %s", key);
}

/* The last who said it is the one who counts. */
static void note_origin(struct conf_reading *r, size_t i)
{
	BUF_AUTO where = {0};

	if (!r->trace)
		return;
	buf_addf(&where, "%s:%u", r->file, r->line);
	mem_free(&r->trace->said[i]);
	r->trace->said[i] = mem_strdup(buf_cstr(&where));
}

static int on_pair(void *self, const char *section, const char *key, const char *value)
{
	struct conf_reading *r = self;
	size_t i = row_find(r, section, key);
	struct err e;

	if (r->check_only)
		return 1;
	if (i == r->n_rows) {
		unknown(r, section, key);
	} else if (r->seen_at[i]) {
		conf_mistake(r, r->line, "%s stands in line %u already", key, r->seen_at[i]);
	} else {
		r->seen_at[i] = r->line;
		r->given[i] = true;
		note_origin(r, i);
		if (conf_value_parse(&r->rows[i], str_of(value), r->values, &e) < 0)
			conf_mistake(r, r->line, "%s: %s", key, e.text);
	}
	return 1;
}

/* Gives inih one line. Without its leading blanks, because inih would take an indented line for the
 * continuation of the one before. */
static char *next_line(char *dst, int cap, void *self)
{
	struct conf_reading *r = self;
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

static int pass(struct conf_reading *r, struct str text, bool check_only)
{
	r->rest = text;
	r->line = 0;
	r->check_only = check_only;
	return ini_parse_stream(next_line, r, on_pair, r);
}

/* inih tells the first line that it cannot read. It is told, blanked out, and inih asked again. */
static void form_check(struct conf_reading *r, char *text, size_t n)
{
	int bad;

	while ((bad = pass(r, (struct str){text, n}, true)) > 0 && r->mistakes < MISTAKES_MAX) {
		char *p = text;

		conf_mistake(r, (unsigned)bad, "neither [section] nor key = value");
		for (int i = 1; i < bad; i++)
			p = (char *)memchr(p, '\n', n - (size_t)(p - text)) + 1;
		for (; p < text + n && *p != '\n'; p++)
			*p = ' ';
	}
}

/* What inih is never shown. */
static bool bytes_check(struct conf_reading *r, struct str text)
{
	unsigned line = 1, width = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) {
			conf_mistake(r, line, "a control character");
			return false;
		}
		width = c == '\n' ? 0 : width + 1;
		line += c == '\n';
		if (width == LINE_MAX_BYTES + 1)
			conf_mistake(r, line, "a line of more than %d bytes", LINE_MAX_BYTES);
	}
	return true;
}

void conf_file_parse(struct conf_reading *r, const char *name, struct str text)
{
	BUF_AUTO copy = {0};

	r->file = name;
	memset(r->seen_at, 0, sizeof r->seen_at);
	if (text.n > CONF_FILE_MAX)
		conf_mistake(r, 0, "more than %zu bytes", CONF_FILE_MAX);
	if (text.n > CONF_FILE_MAX || !bytes_check(r, text))
		return;
	buf_add(&copy, text.p, text.n);
	form_check(r, (char *)copy.p, copy.n);
	pass(r, buf_str(&copy), false);
}

/* ---- a whole reading ---- */

static void defaults_fill(struct conf_reading *r)
{
	struct err e;

	for (size_t i = 0; i < r->n_rows; i++) {
		const struct conf_row *row = &r->rows[i];

		if (row->def && conf_value_parse(row, str_of(row->def), r->values, &e) < 0)
			conf_mistake(r, 0, "default of %s.%s: %s", row->section, row->key, e.text);
	}
}

static void required_check(struct conf_reading *r, const char *name)
{
	r->file = name;
	for (size_t i = 0; i < r->n_rows; i++)
		if (!r->rows[i].def && !r->given[i])
			conf_mistake(r, 0, "%s is missing in section [%s]", r->rows[i].key,
				r->rows[i].section);
}

/* Only what the rows describe is written: the rest of the struct is its owner's. */
static void hand_out(const struct conf_reading *r, char *out)
{
	for (size_t i = 0; i < r->n_rows; i++) {
		size_t at = r->rows[i].offset;

		memcpy(out + at, r->values + at, conf_row_end(&r->rows[i]) - at);
	}
}

int conf_finish(struct conf_reading *r, const char *name, void *out, struct err *e)
{
	required_check(r, name);
	if (r->mistakes == 0)
		hand_out(r, out);
	mem_free(&r->values);
	if (r->mistakes)
		return err_set(e, ERR_CONFIG, "%s: %u mistake%s", name, r->mistakes,
			r->mistakes == 1 ? "" : "s");
	return 0;
}

void conf_begin(struct conf_reading *r, const char *name, size_t size)
{
	assert(r->n_rows <= CONF_ROWS_MAX);
	for (size_t i = 0; i < r->n_rows; i++)
		assert(conf_row_end(&r->rows[i]) <= size);
	r->file = name;
	r->values = mem_new(size);
	defaults_fill(r);
}

int conf_parse(const char *name, struct str text, const struct conf_row *rows, size_t n_rows,
	void *out, struct buf *problems, struct err *e)
{
	struct conf_reading r = {.rows = rows, .n_rows = n_rows, .problems = problems};
	size_t size = 0;

	for (size_t i = 0; i < n_rows; i++)
		size = MAX(size, conf_row_end(&rows[i]));
	conf_begin(&r, name, size);
	conf_file_parse(&r, name, text);
	return conf_finish(&r, name, out, e);
}
