/* Names of entries that a boot loader counts by (the Boot Loader Specification, "boot counting"):
 * backstay-BOOTNAME-GENERATION.conf is good, ...+LEFT.conf and ...+LEFT-DONE.conf are on trial. The
 * boot loader renames an entry before it starts it. Pure. */
#ifndef AGENT_BOOT_EFI_ENTRY_H
#define AGENT_BOOT_EFI_ENTRY_H

#include "lib/str.h"
#include "proto/wire/limits.h"

/* Always nine digits, so that order by name, by number and by version are the same. */
#define EFI_GENERATION_MIN 100000000U
#define EFI_GENERATION_MAX 999999999U

struct efi_entry {
	char name[LIMIT_BOOT_NAME]; /* bootname */
	uint32_t generation;
	bool counted;
	unsigned left, done; /* when counted */
};

/* ERR_BAD_INPUT: it is none of ours. */
int efi_entry_parse(struct str file, struct efi_entry *out, struct err *e) MUST_CHECK;
/* What efi_entry_parse reads. */
const char *efi_entry_format(const struct efi_entry *t, char out[LIMIT_EFI_NAME]);

#endif
