/* Configuration files: INI, one row per key. The reader fills a struct through offsets, reports
 * every mistake with file and line, refuses unknown keys and proposes the nearest. Rows are the
 * manual page, too. */
#ifndef LIB_SYS_CONF_H
#define LIB_SYS_CONF_H

#include "lib/buf.h"

enum conf_type {
	CONF_TEXT,
	CONF_UINT,
	CONF_BOOL,
	CONF_SPAN /* "30s", "5min", "2h": ms_t */,
	CONF_SIZE /* "16M": uint64_t */
};

struct conf_row {
	const char *section, *key;
	enum conf_type type;
	size_t offset; /* into the caller's struct: char[size], uint64_t, bool, ms_t, uint64_t */
	size_t size;   /* CONF_TEXT: capacity with NUL */
	uint64_t min, max; /* CONF_UINT, CONF_SPAN (ms), CONF_SIZE; both 0: no bound */
	const char *def;   /* NULL: required */
	const char *help;  /* one sentence for the manual page */
};

/* Defaults first, then `path` if it exists, then PATH.d/NAME.conf in order of name. All mistakes
 * are put into *problems, one line each, "file:line: text"; ERR_CONFIG if there is any, and *out is
 * untouched then. At most 64 KiB a file. */
int conf_load(const char *path, const struct conf_row *rows, size_t n_rows, void *out,
	size_t out_size, struct buf *problems, struct err *e) MUST_CHECK;

/* Effective values as a configuration file that conf_load would read back. */
void conf_dump(const struct conf_row *rows, size_t n_rows, const void *values, struct buf *out);

/* The same reader on bytes in memory; for tests and fuzzing. */
int conf_parse(const char *name, struct str text, const struct conf_row *rows, size_t n_rows,
	void *out, struct buf *problems, struct err *e) MUST_CHECK;

#endif
