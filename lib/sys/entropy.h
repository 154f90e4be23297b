/* Randomness from the operating system. */
#ifndef LIB_SYS_ENTROPY_H
#define LIB_SYS_ENTROPY_H

#include <stddef.h>

/* Fills n bytes; ends the process if the kernel has none to give. */
void entropy_fill(void *p, size_t n);

#endif
