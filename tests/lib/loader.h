/* Boot loaders, as far as they choose a slot: what the shipped scripts do, in C, on any struct fs.
 * tests/boot runs the scripts themselves. */
#ifndef TESTS_LIB_LOADER_H
#define TESTS_LIB_LOADER_H

#include "lib/sys/fs.h"

/* A start of the machine: the slot that is started, after what had to be counted was written. The
 * bootnames are A and B. A write that fails is one that nobody counts. */
unsigned loader_grub(struct fs *fs);
/* systemd-boot 252 in the same manner; a rename that fails is not counted, and started all the
 * same.
 */
unsigned loader_efi(struct fs *esp);
/* What would be started, and what is confirmed; changes nothing. */
void loader_grub_look(struct fs *fs, unsigned *out_next, unsigned *out_good);

#endif
