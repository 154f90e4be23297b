/* Owned, growing bytes. Memory that cannot be had ends the process: inputs are bounded
 * (proto/wire/limits.h), so no peer can cause it. */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include "lib/str.h"

struct buf {
	uint8_t *p;
	size_t n, cap;
};

#define BUF_AUTO CLEANUP(buf_fini) struct buf

void buf_init(struct buf *b);
/* Frees the bytes; harmless on a zeroed or finished buffer. */
void buf_fini(struct buf *b);
void buf_clear(struct buf *b);
/* Room for `more` bytes behind the present ones; returns where they go. The caller then adds to
 * b->n. */
uint8_t *buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* The bytes as text, borrowed until the next change. */
struct str buf_str(const struct buf *b);
/* The bytes as a C string, borrowed until the next change; a NUL is kept behind them. */
const char *buf_cstr(struct buf *b);

/* malloc, calloc and strdup that do not fail: they end the process. */
void *mem_new(size_t n);
void *mem_resize(void *p, size_t n);
char *mem_strdup(const char *s);
/* For CLEANUP(mem_free) on a pointer variable. */
void mem_free(void *pp);

#endif
