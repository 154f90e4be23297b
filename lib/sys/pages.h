/* Large buffers straight from the kernel, and back to it: aligned to the page, zeroed, touched by
 * nobody before. The C library keeps what it was given back; a process that is idle for days should
 * not. */
#ifndef LIB_SYS_PAGES_H
#define LIB_SYS_PAGES_H

#include <stddef.h>

/* Ends the process when there is no memory. */
void *pages_new(size_t n);
/* `n` as it was asked for. Harmless on NULL. */
void pages_free(void *p, size_t n);

#endif
