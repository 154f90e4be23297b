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

#define CONF_ROWS_MAX 192

/* Which file and line has said a row's value; NULL: none, it is the default. Zeroed at first; the
 * caller's to fini. */
struct conf_trace {
	char *said[CONF_ROWS_MAX]; /* "FILE:LINE" */
};
void conf_trace_fini(struct conf_trace *t);

/* Where a program's configuration is looked for. */
struct conf_place {
	const char *path; /* this file and PATH.d/NAME.conf, and nothing else; NULL: in the roots */
	const char *name; /* in the roots: "agent.conf" */
	const char *const *roots; /* the weakest first, the last NULL; NULL: conf_roots */
};
/* What the vendor, this boot, and the machine's owner say. */
extern const char *const conf_roots[];

/* Defaults first, then one main file, then the drop-ins in order of name; a later value wins. In
 * the roots, as systemd does it: the main file is that of the strongest root that has one; the
 * drop-ins are NAME.d/FILE.conf of all roots together, and of those with one name only the
 * strongest root's is read, so that an empty file or a link to /dev/null masks the weaker one.
 *
 * Files that are missing say nothing. All mistakes are put into *problems, one line each,
 * "file:line: text"; ERR_CONFIG if there is any, and *out is untouched then. At most 64 KiB a file,
 * and 64 drop-ins. `trace` may be NULL. */
int conf_find(const struct conf_place *place, const struct conf_row *rows, size_t n_rows, void *out,
	size_t out_size, struct conf_trace *trace, struct buf *problems, struct err *e) MUST_CHECK;
/* The same for one path, without a trace. */
int conf_load(const char *path, const struct conf_row *rows, size_t n_rows, void *out,
	size_t out_size, struct buf *problems, struct err *e) MUST_CHECK;

/* Effective values as a configuration file that conf_load would read back. With a trace each value
 * that a file has given says which. */
void conf_dump(const struct conf_row *rows, size_t n_rows, const void *values,
	const struct conf_trace *trace, struct buf *out);

/* The same reader on bytes in memory; for tests and fuzzing. */
int conf_parse(const char *name, struct str text, const struct conf_row *rows, size_t n_rows,
	void *out, struct buf *problems, struct err *e) MUST_CHECK;

#endif
