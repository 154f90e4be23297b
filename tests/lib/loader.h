/* Boot loaders, as far as they choose a slot: what the shipped scripts do, in C, on any struct fs.
 * tests/boot runs the scripts themselves. */
#ifndef TESTS_LIB_LOADER_H
#define TESTS_LIB_LOADER_H

#include "lib/sys/fs.h"

/* A start of the machine: the slot that is started, after what had to be counted was written. The
 * bootnames are A and B. A write that fails is one that nobody counts. */
unsigned loader_grub(struct fs *fs);
/* What would be started, and what is confirmed; changes nothing. */
void loader_grub_look(struct fs *fs, unsigned *out_next, unsigned *out_good);

#endif
