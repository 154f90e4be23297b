#include "server/cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void table_init(struct table *t, const char *head)
{
	struct str rest = str_of(head), title;

	*t = (struct table){0};
	while (str_split(&rest, '|', &title)) {
		t->columns++;
		table_cell(t, "%.*s", (int)title.n, title.p);
	}
}

void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	t->cells = mem_resize(t->cells, (t->n + 1) * sizeof *t->cells);
	t->cells[t->n++] = text;
}

/* Characters of UTF-8 text: every byte that does not continue another. */
static int width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_print(const struct table *t)
{
	int widths[TABLE_COLUMNS] = {0};

	for (size_t i = 0; i < t->n; i++)
		widths[i % t->columns] = MAX(widths[i % t->columns], width(t->cells[i]));
	for (size_t i = 0; i < t->n; i++) {
		unsigned column = (unsigned)(i % t->columns);
		bool last = column == t->columns - 1;

		printf("%s%*s", t->cells[i], last ? 0 : widths[column] - width(t->cells[i]) + 2,
			"");
		if (last)
			putchar('\n');
	}
}

void bar_format(uint64_t done, uint64_t total, unsigned bar_width, struct buf *out)
{
	unsigned full = total ? (unsigned)(MIN(done, total) * bar_width / total) : 0;

	buf_add_char(out, '[');
	for (unsigned i = 0; i < bar_width; i++)
		buf_add_char(out, i < full ? '#' : '.');
	buf_add_char(out, ']');
}
