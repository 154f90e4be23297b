/* What the reader of configuration files and the values in them share. */
#ifndef LIB_SYS_CONF_PRIV_H
#define LIB_SYS_CONF_PRIV_H

#include "lib/sys/conf.h"

/* Puts the value of one row into the caller's struct at `values`. ERR_BAD_INPUT, ERR_TOO_LARGE. */
int conf_value_parse(
	const struct conf_row *row, struct str s, char *values, struct err *e) MUST_CHECK;

/* One reading: the rows, the values as they grow, and where the reader is. */
struct conf_reading {
	const struct conf_row *rows;
	size_t n_rows;
	char *values;
	struct conf_trace *trace; /* NULL: nobody asks */
	struct buf *problems;
	unsigned mistakes;
	bool given[CONF_ROWS_MAX];       /* by any file */
	unsigned seen_at[CONF_ROWS_MAX]; /* line in this file, 0: not yet */
	const char *file;
	struct str rest; /* of this file */
	unsigned line;
	bool check_only; /* the form of the lines, not what they say */
};

/* Room for `size` bytes of values, filled with the defaults. */
void conf_begin(struct conf_reading *r, const char *name, size_t size);
void conf_file_parse(struct conf_reading *r, const char *name, struct str text);
/* A line about `file`; line 0: about the whole of it. */
void conf_mistake(struct conf_reading *r, unsigned line, const char *fmt, ...) PRINTF(3, 4);
/* Copies the values to *out if all is well, and gives the room back. */
int conf_finish(struct conf_reading *r, const char *name, void *out, struct err *e) MUST_CHECK;

#define CONF_FILE_MAX ((size_t)64 * 1024)

/* Offset of the first byte behind the row's value. */
size_t conf_row_end(const struct conf_row *row);

#endif
