/* Tables for people: columns as wide as their widest cell, counted in characters, not bytes. */
#ifndef SERVER_CLI_TABLE_H
#define SERVER_CLI_TABLE_H

#include "lib/buf.h"

#define TABLE_COLUMNS 10

struct table {
	unsigned columns;
	size_t n; /* cells */
	char **cells;
};

/* `head` is a '|'-separated list of column titles. */
void table_init(struct table *t, const char *head);
void table_fini(struct table *t);
/* The next cell, from left to right and row by row. */
void table_cell(struct table *t, const char *fmt, ...) PRINTF(2, 3);
void table_print(const struct table *t);

/* "[#####.....]" of `width` characters between the brackets. */
void bar_format(uint64_t done, uint64_t total, unsigned width, struct buf *out);

#endif
