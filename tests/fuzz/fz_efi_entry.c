#include <assert.h>

#include "agent/boot/efi_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What is read is written so that it reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct efi_entry t, again;
	char name[LIMIT_EFI_NAME];
	struct err e;

	if (efi_entry_parse((struct str){(const char *)p, n}, &t, &e) < 0)
		return 0;
	assert(efi_entry_parse(str_of(efi_entry_format(&t, name)), &again, &e) == 0);
	assert(again.generation == t.generation && again.counted == t.counted);
	assert(!t.counted || (again.left == t.left && again.done == t.done));
	return 0;
}
